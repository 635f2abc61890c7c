//! Engine metrics: what the cluster and the storage engine count, asked for when somebody reads `/metrics`.
//! Owns: their names and units as Prometheus shows them. Each has the label `node`: one value for each drive of this process.

use std::fmt;

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
    ];
    let led = cluster.groups.iter().filter(|group| group.leader == Some(cluster.node)).count();
    let gauges = [
        ("chunk_extents", "Extents on the drive", chunks.extents),
        ("chunks", "Chunks on the drive", chunks.chunks),
        ("chunk_live_bytes", "Bytes of extents that the index points at", chunks.live_bytes),
        ("chunk_dead_bytes", "Bytes of extents that wait for garbage collection", chunks.dead_bytes),
        ("chunks_damaged", "Chunks that failed verification and were not replaced", chunks.damaged.len() as u64),
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
    ];
    (counters.to_vec(), gauges.to_vec())
}
