//! Network: a namespace with an address for each node, on one bridge, so that nodes can be cut off from each other silently.
//! Owns: cuts of one direction between two nodes, and links that are slow or lose packets. Clients are on the bridge, too, and are never
//! cut. Needs root and the `ip` program; without them nodes share the loopback interface and nothing is cut or slowed.

mod relay;

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, Ordering};

pub use relay::BadLink;
use relay::Relay;

/// Nobody's: a message to it reaches no node, and no node learns that.
const NOBODY: &str = "02:00:00:00:00:01";
/// Inside of every namespace.
const DEVICE: &str = "node0";

static NETWORKS: AtomicU8 = AtomicU8::new(0);

pub struct Network {
    /// Of the bridge, and the beginning of every namespace's name.
    name: String,
    /// First three numbers of every address: nodes are in the lower half, clients in the upper one.
    subnet: String,
    nodes: Mutex<BTreeSet<usize>>,
    cuts: Mutex<BTreeSet<(usize, usize)>>,
    relays: Mutex<BTreeMap<usize, Relay>>,
}

impl Network {
    /// `None`, and it says so: not allowed here.
    pub fn new() -> Option<Self> {
        let (process, number) = (std::process::id(), NETWORKS.fetch_add(1, Ordering::Relaxed));
        let name = format!("og{}{}", process % 1_000_000, (b'a' + number % 26) as char);
        let subnet = format!("10.{}.{}", 64 + number % 64, process % 256);
        let network = Self { name, subnet, nodes: Mutex::default(), cuts: Mutex::default(), relays: Mutex::default() };
        let made = ip(&["link", "add", &network.name, "type", "bridge"])
            && ip(&["addr", "add", &format!("{}.254/24", network.subnet), "dev", &network.name])
            && ip(&["link", "set", &network.name, "up"])
            && network.try_add(0);
        if !made {
            println!("NOT TESTED: nodes that are cut off, slow links (network namespaces need root and `ip`)");
        }
        made.then_some(network)
    }

    /// A place for one more node; what it is run with.
    pub fn add(&self, node: usize) {
        assert!(self.try_add(node), "no namespace for node {node}");
    }

    pub fn address(&self, node: usize) -> String {
        format!("{}.{}", self.subnet, node + 1)
    }

    /// The name of the node's namespace.
    pub fn space(&self, node: usize) -> String {
        format!("{}-{node}", self.name)
    }

    /// What `from` sends to `to` is lost from here on; the other way is not touched.
    pub fn cut(&self, from: usize, to: usize) {
        let (space, address) = (self.space(from), self.address(to));
        let cut =
            ip(&["-n", &space, "neigh", "replace", &address, "lladdr", NOBODY, "dev", DEVICE, "nud", "permanent"]);
        assert!(cut, "{from} → {to} is not cut");
        self.cuts.lock().unwrap().insert((from, to));
    }

    /// What the node sends to other nodes comes late, or not at all. `false`: this machine cannot do that.
    pub fn worsen(&self, node: usize, link: BadLink) -> bool {
        let relay = Relay::new(&self.space(node), &format!("{}.0/25", self.subnet), &self.address(node), link);
        relay.map(|relay| self.relays.lock().unwrap().insert(node, relay)).is_some()
    }

    pub fn heal(&self) {
        self.relays.lock().unwrap().clear();
        for (from, to) in std::mem::take(&mut *self.cuts.lock().unwrap()) {
            let healed = ip(&["-n", &self.space(from), "neigh", "del", &self.address(to), "dev", DEVICE]);
            assert!(healed, "{from} → {to} stays cut");
        }
    }

    fn try_add(&self, node: usize) -> bool {
        let (space, outside) = (self.space(node), format!("{}{node}", self.name));
        let address = format!("{}/24", self.address(node));
        self.nodes.lock().unwrap().insert(node);
        ip(&["netns", "add", &space])
            && ip(&["link", "add", &outside, "type", "veth", "peer", "name", DEVICE, "netns", &space])
            && ip(&["link", "set", &outside, "master", &self.name, "up"])
            && ip(&["-n", &space, "addr", "add", &address, "dev", DEVICE])
            && ip(&["-n", &space, "link", "set", DEVICE, "up"])
            && ip(&["-n", &space, "link", "set", "lo", "up"])
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.relays.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clear();
        for node in self.nodes.lock().unwrap_or_else(std::sync::PoisonError::into_inner).iter() {
            ip(&["netns", "del", &self.space(*node)]);
        }
        ip(&["link", "del", &self.name]);
    }
}

fn ip(arguments: &[&str]) -> bool {
    let mut command = Command::new("ip");
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
