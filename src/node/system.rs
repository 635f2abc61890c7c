//! System: the node as the admin API and the health pages see it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use onggi_cluster::id::NodeId;
use onggi_cluster::{Cluster, GroupStatus};

use crate::admin_api::message::{Chunks, Drive, Group, Scrub, Status};
use crate::admin_api::system::System;

pub struct NodeSystem {
    cluster: Cluster,
    cluster_name: String,
    data_dir: PathBuf,
    started: Instant,
    stopping: AtomicBool,
}

impl NodeSystem {
    pub fn new(cluster: Cluster, cluster_name: String, data_dir: PathBuf) -> Self {
        Self { cluster, cluster_name, data_dir, started: Instant::now(), stopping: AtomicBool::new(false) }
    }

    /// From now on `/readyz` says no, so that a load balancer sends requests elsewhere.
    pub fn begin_stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }
}

impl System for NodeSystem {
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.stopping.load(Ordering::Relaxed) {
            problems.push("the node is stopping".to_string());
        }
        if let Some(failure) = self.cluster.engine().drive().health().status().failed {
            problems.push(format!("the drive failed and takes no writes until a restart: {failure}"));
        }
        problems.extend(self.cluster.status().groups.iter().filter_map(problem_of_group));
        problems
    }

    fn status(&self) -> Status {
        let problems = self.problems();
        let cluster = self.cluster.status();
        let chunks = self.cluster.engine().chunk_store().status();
        let drive = self.cluster.engine().drive().health().status();
        Status {
            version: env!("CARGO_PKG_VERSION").into(),
            cluster: self.cluster_name.clone(),
            node: cluster.node.0,
            uptime_seconds: self.started.elapsed().as_secs(),
            ready: problems.is_empty(),
            problems,
            data_dir: self.data_dir.display().to_string(),
            drive: Drive {
                free_bytes: drive.free_bytes,
                takes_objects: drive.takes_objects,
                takes_deletes: drive.takes_changes,
            },
            groups: cluster.groups.into_iter().map(group).collect(),
            chunks: Chunks {
                extents: chunks.extents,
                chunks: chunks.chunks,
                live_bytes: chunks.live_bytes,
                dead_bytes: chunks.dead_bytes,
                damaged_chunks: chunks.damaged.len() as u64,
            },
        }
    }

    fn scrub(&self) -> Scrub {
        let scrub = self.cluster.engine().chunk_store().status().scrub;
        Scrub {
            running: scrub.running,
            started_ms: scrub.started_ms,
            finished_ms: scrub.finished_ms,
            extents_done: scrub.extents_done,
            extents_total: scrub.extents_total,
            bytes: scrub.bytes,
            errors: scrub.errors,
        }
    }

    fn start_scrub(&self) {
        self.cluster.engine().chunk_store().scrub_now();
    }

    fn is_up(&self, node: NodeId) -> bool {
        self.cluster.is_up(node)
    }

    fn node(&self) -> NodeId {
        self.cluster.status().node
    }
}

fn problem_of_group(group: &GroupStatus) -> Option<String> {
    match (&group.failure, group.leader) {
        (Some(failure), _) => Some(format!("group {} takes no writes: {failure}", group.group.0)),
        (None, None) => Some(format!("group {} has no leader", group.group.0)),
        (None, Some(_)) => None,
    }
}

fn group(status: GroupStatus) -> Group {
    Group {
        id: status.group.0,
        leader: status.leader.map(|leader| leader.0),
        term: status.term,
        applied_index: status.applied_index,
        last_log_index: status.last_log_index,
        failure: status.failure,
    }
}
