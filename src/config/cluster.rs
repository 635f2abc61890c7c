//! Settings of the cluster that this node is, or joins.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use onggi_cluster::membership::check_zone;

use crate::config::section::section;
use crate::config::setting::HostPort;

section! {
    /// The cluster. Its name, its number of groups and this node's zone and weight are taken at first start; the cluster remembers
    /// them, and `onggi admin node` changes the latter two.
    ClusterConfig in "cluster" {
        /// What a new cluster is called in `onggi admin status`.
        name: String = String::from("onggi"), flag "--cluster-name";
        /// Members of the cluster that this node joins at its first start, tried in order, with the token of `ONGGI_JOIN_TOKEN` or `--join-token`. A node that is a member already does not look at it.
        join: Vec<HostPort> = Vec::new(), flag "--join";
        /// Where other nodes connect. Mutual TLS, with certificates of the cluster's own authority.
        peer_listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 9002)), flag "--peer-listen";
        /// How other nodes reach this one, if not by `peer_listen`: HOST:PORT. Its host goes on record for the S3 and the web listener, too.
        peer_advertise: Option<HostPort> = None;
        /// The failure domain this node is in (a rack, a room): copies are spread over zones. A zone in the join token counts more.
        zone: String = String::new(), flag "--zone";
        /// Share of the data compared with other nodes; 100 is normal.
        weight: NonZeroU32 = NonZeroU32::MIN.saturating_add(99);
        /// How long a node may be away before its copies are made again on others: longer than a machine takes to boot.
        repair_after: Duration = Duration::from_secs(10 * 60);
        /// Raft groups that share the key space, on one node too, so that it can grow.
        groups: NonZeroU32 = NonZeroU32::MIN.saturating_add(15);
        /// A group with more object versions, delete markers and uploads than this is split in two, between users.
        group_entries_max: NonZeroU32 = NonZeroU32::MIN.saturating_add(9_999_999);
    }
    problems: |cluster| {
        let mut problems = Vec::new();
        if cluster.name.is_empty() || cluster.name.len() > 64 {
            problems.push("`cluster.name` must have 1 to 64 characters".into());
        }
        if cluster.groups.get() > 4096 {
            problems.push("`cluster.groups` must be at most 4096".into());
        }
        if cluster.weight.get() > 10_000 {
            problems.push("`cluster.weight` must be at most 10000".into());
        }
        if let Err(fix) = check_zone(&cluster.zone) {
            problems.push(format!("`cluster.zone`: {fix}"));
        }
        if cluster.repair_after < REPAIR_AFTER_MIN {
            problems.push("`cluster.repair_after` must be at least 10s: each restart of a node would move its data".into());
        }
        if cluster.peer_listen.ip().is_unspecified() && cluster.peer_advertise.is_none() {
            problems.push(format!(
                "`cluster.peer_listen` is {}, which no other node can call: set `cluster.peer_advertise` to HOST:PORT as others \
                 reach this node",
                cluster.peer_listen
            ));
        }
        problems
    }
}

const REPAIR_AFTER_MIN: Duration = Duration::from_secs(10);
