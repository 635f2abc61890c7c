//! System: this process as the admin API and the health pages see it.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use futures::future::BoxFuture;
use onggi_cluster::id::NodeId;
use onggi_cluster::placement::{Progress, Surveyor};
use onggi_cluster::{ClusterStatus, GroupStatus, ReplicationStatus};

use crate::admin_api::message::{Chunks, Drive, Group, LocalDrive, Repair, Scrub, Status, Sweep};
use crate::admin_api::system::System;
use crate::node::local_node::LocalNode;
use crate::node::roster::Roster;

pub struct HostSystem {
    roster: Roster,
    /// Known when the first node has started.
    cluster_name: OnceLock<String>,
    data_dir: PathBuf,
    started: Instant,
    stopping: AtomicBool,
}

impl HostSystem {
    pub fn new(roster: Roster, data_dir: PathBuf) -> Self {
        let cluster_name = OnceLock::new();
        Self { roster, cluster_name, data_dir, started: Instant::now(), stopping: AtomicBool::new(false) }
    }

    pub fn set_cluster_name(&self, name: String) {
        // Names do not change.
        let _first = self.cluster_name.set(name);
    }

    /// From now on `/readyz` says no, so that a load balancer sends requests elsewhere.
    pub fn begin_stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }
}

impl System for HostSystem {
    /// A drive that failed is no problem while another one takes the requests.
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.stopping.load(Ordering::Relaxed) {
            problems.push("the node is stopping".to_string());
        }
        let in_use = self.roster.in_use();
        if !in_use.is_empty() && in_use.iter().all(|node| node.is_draining()) {
            problems.push("the node is being drained: it serves, but requests belong to the others".to_string());
        }
        let working: Vec<_> = in_use.iter().filter(|node| node.failure().is_none()).collect();
        if working.is_empty() {
            let failed = |node: &LocalNode| {
                let why = node.failure()?;
                Some(format!("the drive failed and takes no writes until a restart: {why}"))
            };
            problems.extend(in_use.iter().filter_map(|node| failed(node)));
        }
        let groups = in_use.iter().filter(|node| working.is_empty() || node.failure().is_none());
        let groups = groups.flat_map(|node| node.cluster.status().groups);
        problems.extend(groups.filter_map(|group| problem_of_group(&group)));
        problems.sort();
        problems.dedup();
        problems
    }

    fn failures(&self) -> Vec<String> {
        self.roster.failures()
    }

    fn status(&self) -> Status {
        let problems = self.problems();
        let nodes = self.roster.all();
        let groups = self.roster.serving().map(|node| node.cluster.status().groups).unwrap_or_default();
        let drives: Vec<LocalDrive> = nodes.iter().map(|node| local_drive(node)).collect();
        let clusters: Vec<_> = nodes.iter().map(|node| node.cluster.status()).collect();
        let sum = |count: fn(&Chunks) -> u64| drives.iter().map(|drive| count(&drive.chunks)).sum();
        Status {
            version: env!("CARGO_PKG_VERSION").into(),
            cluster: self.cluster_name.get().cloned().unwrap_or_default(),
            node: self.node().0,
            uptime_seconds: self.started.elapsed().as_secs(),
            ready: problems.is_empty(),
            problems,
            failures: self.failures(),
            data_dir: self.data_dir.display().to_string(),
            drive: Drive {
                free_bytes: drives.iter().map(|drive| drive.drive.free_bytes).sum(),
                takes_objects: drives.iter().any(|drive| drive.drive.takes_objects),
                takes_deletes: drives.iter().any(|drive| drive.drive.takes_deletes),
            },
            groups: groups.into_iter().map(group).collect(),
            chunks: Chunks {
                extents: sum(|chunks| chunks.extents),
                chunks: sum(|chunks| chunks.chunks),
                live_bytes: sum(|chunks| chunks.live_bytes),
                dead_bytes: sum(|chunks| chunks.dead_bytes),
                damaged_chunks: sum(|chunks| chunks.damaged_chunks),
            },
            repair: repair(&clusters),
            sweep: sweep(&clusters),
            repair_is_held: clusters.iter().any(|cluster| cluster.repair_is_held),
            drives,
        }
    }

    fn scrub(&self) -> Scrub {
        let of_drives = self.roster.in_use().into_iter().map(|node| node.cluster.engine().chunk_store().status().scrub);
        let mut all = Scrub::default();
        for scrub in of_drives {
            all.running |= scrub.running;
            all.started_ms = all.started_ms.max(scrub.started_ms);
            all.finished_ms = all.finished_ms.max(scrub.finished_ms);
            all.extents_done += scrub.extents_done;
            all.extents_total += scrub.extents_total;
            all.bytes += scrub.bytes;
            all.errors += scrub.errors;
        }
        all
    }

    fn start_scrub(&self) {
        self.roster.in_use().iter().for_each(|node| node.cluster.engine().chunk_store().scrub_now());
    }

    fn surveyor(&self) -> Option<Surveyor> {
        self.roster.serving().map(|serving| serving.cluster.surveyor().clone())
    }

    fn is_up(&self, node: NodeId) -> bool {
        self.roster.serving().is_some_and(|serving| serving.cluster.is_up(node))
    }

    fn node(&self) -> NodeId {
        self.roster.serving().map_or(NodeId::FOUNDER, |node| node.number())
    }

    fn progress(&self) -> BoxFuture<'_, onggi_cluster::Result<Progress>> {
        let serving = self.roster.serving();
        Box::pin(async move {
            match serving {
                Some(node) => node.cluster.progress().await,
                None => Ok(Progress::default()),
            }
        })
    }
}

/// Of all drives together.
fn repair(clusters: &[ClusterStatus]) -> Repair {
    let mut all = Repair::default();
    for ReplicationStatus { repair, dropped_replicas, bad_local_reads, .. } in
        clusters.iter().map(|cluster| &cluster.replication)
    {
        all.queued += repair.queued;
        all.blobs_left += repair.blobs_left;
        all.bytes_left += repair.bytes_left;
        all.bytes_per_second += repair.repaired_bytes_per_second;
        all.repaired_chunks += repair.repaired_chunks;
        all.repaired_bytes += repair.repaired_bytes;
        all.passes += repair.passes;
        all.given_up += repair.given_up;
        all.unrepairable += repair.unrepairable;
        all.dropped_replicas += dropped_replicas;
        all.bad_local_reads += bad_local_reads;
    }
    all
}

fn sweep(clusters: &[ClusterStatus]) -> Sweep {
    let mut all = Sweep::default();
    for sweep in clusters.iter().map(|cluster| &cluster.sweep) {
        all.freed += sweep.freed;
        all.orphans += sweep.orphans;
        all.undecided += sweep.undecided;
        all.passes += sweep.passes;
        all.waiting += sweep.waiting;
    }
    all
}

fn local_drive(node: &LocalNode) -> LocalDrive {
    let health = node.cluster.engine().drive().health().status();
    let chunks = node.cluster.engine().chunk_store().status();
    let groups = node.cluster.status().groups;
    let led = groups.iter().filter(|group| group.leader == Some(node.number())).count();
    let failure = node.failure();
    LocalDrive {
        node: node.number().0,
        data_dir: node.data_dir.display().to_string(),
        drive: Drive {
            free_bytes: health.free_bytes,
            takes_objects: health.takes_objects && failure.is_none(),
            takes_deletes: health.takes_changes && failure.is_none(),
        },
        failure,
        groups: groups.len() as u64,
        groups_led: led as u64,
        chunks: Chunks {
            extents: chunks.extents,
            chunks: chunks.chunks,
            live_bytes: chunks.live_bytes,
            dead_bytes: chunks.dead_bytes,
            damaged_chunks: chunks.damaged.len() as u64,
        },
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
