#!/usr/bin/env bash
# Three nodes on this machine, for a first look at a cluster: how it serves, loses a node, and heals. `make cluster` runs it.
#
#   three_nodes.sh [onggi]      the binary, by default the one on the PATH
#
# Ends on Ctrl-C: the nodes stop, and their data goes with them. CLUSTER_DIR keeps the data in a directory of yours; PORT (9000) is the
# first of nine ports.
set -euo pipefail

binary=$(command -v "${1:-onggi}") || { echo "three_nodes: ${1:-onggi} is not there; give the path of the binary" >&2; exit 1; }
port=${PORT:-9000}
directory=${CLUSTER_DIR:-$(mktemp -d "${TMPDIR:-/tmp}/onggi-cluster.XXXXXX")}
mkdir -p "$directory"
restart_after=30
pids=(0 0 0 0)

export ONGGI_ROOT_ACCESS_KEY=onggi
export ONGGI_ROOT_SECRET_KEY=${ONGGI_ROOT_SECRET_KEY:-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')}

s3_port() { echo $((port + 10 * ($1 - 1))); }
web_port() { echo $((port + 10 * ($1 - 1) + 1)); }
peer_port() { echo $((port + 10 * ($1 - 1) + 2)); }
is_up() { kill -0 "${pids[$1]}" 2>/dev/null; }

admin() { "$binary" admin --endpoint "https://127.0.0.1:$(web_port 1)" --data-dir "$directory/n1" "$@"; }

# start N [flags of a join]
start() {
    local node=$1 ready="$directory/n$1.ready"
    shift
    rm -f "$ready"
    "$binary" server --data-dir "$directory/n$node" --zone "rack-$node" \
        --s3-listen "127.0.0.1:$(s3_port "$node")" --web-listen "127.0.0.1:$(web_port "$node")" \
        --peer-listen "127.0.0.1:$(peer_port "$node")" "$@" >"$ready" 2>>"$directory/n$node.log" </dev/null &
    pids[node]=$!
    # So that the shell says nothing when it is killed.
    disown
    echo "${pids[$node]}" >"$directory/n$node.pid"
    for _ in $(seq 600); do
        grep -qs '^onggi ready ' "$ready" && return
        is_up "$node" || break
        sleep 0.1
    done
    echo "three_nodes: node $node did not start; the end of its log:" >&2
    tail -5 "$directory/n$node.log" >&2
    return 1
}

clean_up() {
    trap - EXIT INT TERM
    echo
    echo "stopping"
    # The second signal ends the time that a node gives to load balancers.
    for _ in 1 2; do
        for node in 1 2 3; do is_up "$node" && kill "${pids[$node]}" || true; done
        sleep 0.3
    done
    for _ in $(seq 100); do
        is_up 1 || is_up 2 || is_up 3 || break
        sleep 0.1
    done
    if [ -z "${CLUSTER_DIR:-}" ]; then rm -rf "$directory"; fi
}
trap clean_up EXIT
trap 'exit 0' INT TERM

echo "node 1 founds a cluster"
start 1 --cluster-name try
for node in 2 3; do
    token=$(admin token create --json | sed -n 's/.*"token": "\(onggi-join-[^"]*\)".*/\1/p')
    echo "node $node joins"
    ONGGI_JOIN_TOKEN=$token start "$node" --join "127.0.0.1:$(peer_port 1)"
done
echo "the groups get three copies"
admin cluster rebalance --wait >/dev/null

cat <<TEXT

Three nodes are up. Any of them serves any request:

  http://127.0.0.1:$(s3_port 1)   http://127.0.0.1:$(s3_port 2)   http://127.0.0.1:$(s3_port 3)

Paste this into another terminal:

  export AWS_ACCESS_KEY_ID=$ONGGI_ROOT_ACCESS_KEY AWS_SECRET_ACCESS_KEY=$ONGGI_ROOT_SECRET_KEY AWS_REGION=us-east-1
  export ONGGI_ROOT_ACCESS_KEY=$ONGGI_ROOT_ACCESS_KEY ONGGI_ROOT_SECRET_KEY=$ONGGI_ROOT_SECRET_KEY ONGGI_DATA_DIR=$directory/n1
  alias onggi=$binary

  aws --endpoint-url http://127.0.0.1:$(s3_port 1) s3 mb s3://first           # through one node
  aws --endpoint-url http://127.0.0.1:$(s3_port 3) s3 cp /etc/hosts s3://first/   # through another one

  onggi admin --endpoint https://127.0.0.1:$(web_port 1) cluster status --watch    # leave it running in a third terminal

Break one, and go on:

  kill -9 \$(cat $directory/n2.pid)
  aws --endpoint-url http://127.0.0.1:$(s3_port 3) s3 cp /etc/hosts s3://first/without-node-2

Node 2 is started again $restart_after seconds later (or when you press Enter here), and fetches what it missed. Logs: $directory/n*.log
Ctrl-C ends it all$([ -n "${CLUSTER_DIR:-}" ] || echo " and deletes the data").
TEXT

while true; do
    for node in 1 2 3; do
        is_up "$node" && continue
        others=$(for other in 1 2 3; do [ "$other" != "$node" ] && is_up "$other" && echo "$other"; done | wc -l)
        if [ "$others" -ge 2 ]; then
            echo "node $node is gone; the other two go on. It comes back in $restart_after seconds (Enter: now)"
        else
            echo "node $node is gone, and fewer than two are left: requests get 503. It comes back in $restart_after seconds (Enter: now)"
        fi
        if [ -t 0 ]; then read -r -t "$restart_after" _ || true; else sleep "$restart_after"; fi
        start "$node" && echo "node $node is back; \`onggi admin status\` of its endpoint shows what it still fetches"
    done
    sleep 1
done
