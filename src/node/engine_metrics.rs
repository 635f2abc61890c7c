//! Engine metrics: what the cluster and the storage engine count, asked for when somebody reads `/metrics`.
//! Owns: their names and units as Prometheus shows them. Each has the label `node`: one value for each drive of this process.

use std::fmt;

use onggi_cluster::Cluster;
use onggi_cluster::metadata::record::{GroupRecord, NodeState};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::node::local_node::LocalNode;
use crate::node::roster::Roster;

pub struct EngineMetrics {
    roster: Roster,
}

type Value = (&'static str, &'static str, u64);

impl EngineMetrics {
    pub fn new(roster: Roster) -> Self {
        Self { roster }
    }
}

impl fmt::Debug for EngineMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EngineMetrics")
    }
}

impl Collector for EngineMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let nodes = self.roster.all();
        let label = |node: &LocalNode| [("node", node.number().0.to_string())];
        let measured: Vec<_> = nodes.iter().map(|node| (label(node), measure(node))).collect();
        let Some((_, (counters, gauges))) = measured.first() else { return Ok(()) };
        for (at, (name, help, _)) in counters.iter().enumerate() {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for (label, (counters, _)) in &measured {
                ConstCounter::new(counters[at].2).encode(family.encode_family(label)?)?;
            }
        }
        for (at, (name, help, _)) in gauges.iter().enumerate() {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for (label, (_, gauges)) in &measured {
                let value = i64::try_from(gauges[at].2).unwrap_or(i64::MAX);
                ConstGauge::new(value).encode(family.encode_family(label)?)?;
            }
        }
        Ok(())
    }
}

/// Counters and gauges, for every node the same ones.
fn measure(node: &LocalNode) -> (Vec<Value>, Vec<Value>) {
    let engine = node.cluster.engine();
    let chunks = engine.chunk_store().status();
    let cluster = node.cluster.status();
    let replication = cluster.replication;
    let around = Surroundings::of(&node.cluster);
    let rocks = engine.rocks_status();
    let drive = engine.drive().health().status();
    let log = engine.log_store().counters();
    let failed = u64::from(node.failure().is_some());
    let counters = [
        ("log_syncs", "Syncs of the log that all groups share", log.syncs),
        ("log_rounds", "Rounds of the log's writer: what came in while the round before it was written", log.rounds),
        ("log_entries", "Raft log entries written", log.entries),
        ("log_entry_bytes", "Bytes of the Raft log entries written", log.entry_bytes),
        ("log_disk_reads", "Reads of the log that its tail in memory could not answer", log.disk_reads),
        ("chunk_appends", "Chunks written", chunks.appends),
        ("chunk_appended_bytes", "Bytes of chunks written", chunks.appended_bytes),
        ("chunk_reads", "Chunk reads", chunks.reads),
        ("chunk_read_bytes", "Bytes of chunks read and verified", chunks.read_bytes),
        ("chunk_syncs", "Syncs of extents", chunks.syncs),
        ("chunk_corrupt_reads", "Reads that met a bad checksum", chunks.corrupt_reads),
        ("chunk_garbage_moved_bytes", "Live bytes moved by garbage collection", chunks.garbage_moved_bytes),
        ("chunk_extents_removed", "Extents removed by garbage collection", chunks.extents_removed),
        ("sweep_freed_blobs", "Blobs freed after their last name went", cluster.sweep.freed),
        ("sweep_orphan_blobs", "Blobs freed that no record named", cluster.sweep.orphans),
        ("sweep_passes", "Comparisons of the chunks here with the names that there are", cluster.sweep.passes),
        ("sweep_undecided_blobs", "Blobs not swept, their group could not be asked", cluster.sweep.undecided),
        ("replicas_dropped", "Replicas left out of a write, to be repaired", replication.dropped_replicas),
        ("received_chunks", "Chunks that other nodes wrote here", replication.received_chunks),
        ("received_chunk_bytes", "Bytes of chunks that other nodes wrote here", replication.received_bytes),
        ("remote_chunk_reads", "Reads that another node answered", replication.remote_reads),
        ("bad_local_reads", "Reads that found the copy here bad or missing", replication.bad_local_reads),
        ("repaired_chunks", "Chunks brought from other nodes", replication.repair.repaired_chunks),
        ("repaired_chunk_bytes", "Bytes of chunks brought from other nodes", replication.repair.repaired_bytes),
        ("repair_passes", "Comparisons of a group's records with the chunks here", replication.repair.passes),
        ("repairs_given_up", "Repairs left to the next pass after many tries", replication.repair.given_up),
        ("chunks_unrepairable", "Tries that found no good copy on any node", replication.repair.unrepairable),
    ];
    let led = cluster.groups.iter().filter(|group| group.leader == Some(cluster.node)).count();
    let gauges = [
        ("chunk_extents", "Extents on the drive", chunks.extents),
        ("chunks", "Chunks on the drive", chunks.chunks),
        ("chunk_live_bytes", "Bytes of extents that the index points at", chunks.live_bytes),
        ("chunk_dead_bytes", "Bytes of extents that wait for garbage collection", chunks.dead_bytes),
        ("chunks_damaged", "Chunks that failed verification and were not replaced", chunks.damaged.len() as u64),
        ("repair_queue", "Blobs and chunks to be looked at", replication.repair.queued),
        ("repair_blobs_left", "Blobs known to lack something here", replication.repair.blobs_left),
        ("repair_bytes_left", "Bytes known to be missing here", replication.repair.bytes_left),
        (
            "repair_bytes_per_second",
            "Bytes of chunks brought from other nodes, over the last seconds",
            replication.repair.repaired_bytes_per_second,
        ),
        (
            "repair_held",
            "1 while nothing is moved because too many nodes look gone; on the node that leads the system group",
            u64::from(cluster.repair_is_held),
        ),
        ("sweep_waiting_blobs", "Blobs without a name that wait for their grace period", cluster.sweep.waiting),
        ("receiving_blobs", "Bodies that other nodes are writing here", replication.receiving_blobs),
        ("scrub_running", "1 while a scrub runs", u64::from(chunks.scrub.running)),
        ("scrub_errors", "Damaged chunks that the running or last scrub found", chunks.scrub.errors),
        ("drive_free_bytes", "Room on the drive", drive.free_bytes),
        ("drive_takes_objects", "0 while the drive is too full for new objects", u64::from(drive.takes_objects)),
        ("drive_failed", "1 after a failed sync, or when it is gone, until a restart", failed),
        ("rocks_memtable_bytes", "Memory of RocksDB's memtables", rocks.memtable_bytes),
        ("rocks_block_cache_bytes", "Memory of RocksDB's block cache", rocks.block_cache_bytes),
        ("rocks_file_bytes", "RocksDB's table and blob files", rocks.file_bytes),
        ("rocks_compaction_pending_bytes", "What compaction has to rewrite", rocks.compaction_pending_bytes),
        ("rocks_background_errors", "Flushes and compactions that failed", rocks.background_errors),
        ("groups", "Raft groups of this node", cluster.groups.len() as u64),
        ("groups_led", "Raft groups that this node leads", led as u64),
        ("groups_moving", "Raft groups of the cluster that are on their way to other nodes", around.groups_moving),
        (
            "groups_without_majority",
            "Raft groups of the cluster of whose copies half or more are on nodes that do not answer this one",
            around.groups_without_majority,
        ),
        ("nodes", "Members of the cluster", around.nodes),
        ("nodes_up", "Members that this node hears from, itself among them", around.nodes_up),
    ];
    (counters.to_vec(), gauges.to_vec())
}

/// The cluster as this node sees it.
struct Surroundings {
    nodes: u64,
    nodes_up: u64,
    groups_moving: u64,
    groups_without_majority: u64,
}

impl Surroundings {
    fn of(cluster: &Cluster) -> Self {
        let placement = cluster.placement();
        let members = || placement.nodes.values().filter(|record| record.state != NodeState::Removed);
        let has_majority = |record: &GroupRecord| {
            let up = record.voters.iter().filter(|node| cluster.is_up(**node)).count();
            2 * up > record.voters.len()
        };
        let count = |holds: &dyn Fn(&GroupRecord) -> bool| {
            placement.groups.values().filter(|record| holds(record)).count() as u64
        };
        Self {
            nodes: members().count() as u64,
            nodes_up: members().filter(|record| cluster.is_up(record.node)).count() as u64,
            groups_moving: count(&|record| record.voters != record.target),
            groups_without_majority: count(&|record| !has_majority(record)),
        }
    }
}
