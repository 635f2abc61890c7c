//! Settings of the cluster that this node is.

use std::net::SocketAddr;
use std::num::NonZeroU32;

use crate::config::section::section;

section! {
    /// The cluster. Its name and its number of groups are set at first start; the drive remembers them.
    ClusterConfig in "cluster" {
        /// What the cluster is called in `onggi admin status`.
        name: String = String::from("onggi"), flag "--cluster-name";
        /// Where other nodes will connect. A single node has no peers: nothing listens here yet.
        peer_listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 9002)), flag "--peer-listen";
        /// Raft groups that share the key space, on one node too, so that it can grow.
        groups: NonZeroU32 = NonZeroU32::MIN.saturating_add(15);
    }
    problems: |cluster| {
        let mut problems = Vec::new();
        if cluster.name.is_empty() || cluster.name.len() > 64 {
            problems.push("`cluster.name` must have 1 to 64 characters".into());
        }
        if cluster.groups.get() > 4096 {
            problems.push("`cluster.groups` must be at most 4096".into());
        }
        problems
    }
}
