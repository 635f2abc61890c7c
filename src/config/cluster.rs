//! Settings of the cluster that this node is.

use std::num::NonZeroU32;

use crate::config::section::section;

section! {
    /// The cluster. Both keys are used at first start only; the drive remembers them.
    ClusterConfig in "cluster" {
        /// What the cluster is called in `onggi admin status`.
        name: String = String::from("onggi"), flag "--cluster-name";
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
