//! Alarms: lines of a node's log that nobody expects, whatever is done to the cluster. They fail a run.

/// What faults make nodes say. A line is expected that has all words of one entry.
const EXPECTED: [&[&str]; 22] = [
    &["WARN", "peer::health", "a node is down"],
    &["WARN", "peer::lane", "a node cannot be reached"],
    // Its peer was killed, paused or cut off in the middle of it.
    &["WARN", "peer::", "a connection of a peer was refused", "timed out"],
    &["WARN", "peer::", "a connection of a peer was refused", "eof"],
    &["WARN", "peer::", "a connection of a peer was refused", "unexpected end of file"],
    &["WARN", "peer::", "a connection of a peer was refused", "reset by peer"],
    // It listens already, and has not opened its drive yet.
    &["WARN", "peer::", "a connection of a peer was refused", "the node that it asks for is not here"],
    // A node that has just joined, or was just removed and still runs.
    &["WARN", "peer::", "a connection of a peer was refused", "is no member, as far as this node knows"],
    &["WARN", "peer::", "a connection of a peer was refused", "was removed from the cluster"],
    &["WARN", "drive::health", "drive is full: no more objects are taken"],
    // Without a byte left it cannot move what is alive in a dead extent, and tries again later.
    &["WARN", "chunk_store::background", "garbage collection failed", "bytes are free on the drive"],
    &["WARN", "service_error", "the outcome of a request is not known"],
    &["WARN", "admin_api::error", "the outcome of an admin request is not known"],
    // Its group's leader went in the middle of it.
    &["WARN", "mover::splitter", "a split waits"],
    // The harness took the drive of one of several nodes of a process away.
    &["Input/output error"],
    &["WARN", "node::host", "a drive is not in use", "it is being added to the cluster"],
    // A leader that steps down, or a node that stops, while a heartbeat is on its way.
    &["ERROR", "core::heartbeat::worker", "failed to send HeartbeatProgress"],
    // The harness asked a node that has no majority.
    &["WARN", "onggi::audit", "admin request refused", "ServiceUnavailable"],
    // What a start does in passing, while others are away, is made up for later.
    &["WARN", "bucket_steps", "could not finish all buckets", "read group"],
    &["WARN", "bucket_steps", "could not finish all buckets", "read on node", "the connection broke"],
    &["WARN", "node::registration", "the node is not on record yet"],
    // A node that was away, or has no majority, cannot know where a group is.
    &["WARN", "placement::mover", "trying again"],
];

/// Warnings and errors that are not on the list, and panics.
pub fn alarms(log: &str) -> impl Iterator<Item = &str> {
    let is_grave = |line: &&str| line.contains(" WARN ") || line.contains(" ERROR ") || line.contains("panicked");
    log.lines().filter(is_grave).filter(|line| !is_expected(line))
}

fn is_expected(line: &str) -> bool {
    EXPECTED.iter().any(|words| words.iter().all(|word| line.contains(word)))
}

#[test]
fn what_is_not_on_the_list_is_an_alarm() {
    let log = "2026-01-01T00:00:00Z  WARN onggi_cluster::peer::health: a node is down node=3\n\
               2026-01-01T00:00:00Z ERROR onggi_cluster::data::repair: no node has a good copy\n\
               2026-01-01T00:00:00Z  INFO onggi::node: stopping\n\
               thread 'main' panicked at src/main.rs:1:1:";
    let found: Vec<&str> = alarms(log).collect();
    assert_eq!(found.len(), 2, "{found:?}");
}
