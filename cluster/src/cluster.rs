//! Cluster: this node's part of the replicated metadata and of the stored bytes.
//! Owns: the order in which groups, clients and background tasks start and stop.

use std::time::Duration;

use crate::data::DataClient;
use crate::metadata::client::MetadataClient;

#[derive(Clone, Debug)]
pub struct ClusterOptions {
    /// Raft groups that share the owners' key space, besides the system group. Fixed when the cluster is created.
    /// 16: enough to spread over a handful of nodes before the first split, few enough to idle for free.
    pub groups: u32,
    /// Bodies up to this many bytes travel inside the command: one sync, no chunk.
    pub inline_bytes_max: u32,
    /// Size of every chunk of a blob but the last.
    pub chunk_bytes: u32,
    /// Proposals in flight on this node, all groups together; more are refused as `Overloaded`.
    pub proposals_in_flight_max: usize,
    /// How long chunks without a name are kept: longer than any upload takes between its last byte and its commit.
    pub sweep_grace: Duration,
    /// How often the chunk index is compared with the references.
    pub sweep_interval: Duration,
}

impl Default for ClusterOptions {
    fn default() -> Self {
        Self {
            groups: 16,
            inline_bytes_max: 32 * 1024,
            chunk_bytes: 4 * 1024 * 1024,
            proposals_in_flight_max: 4096,
            sweep_grace: Duration::from_secs(60 * 60),
            sweep_interval: Duration::from_secs(6 * 60 * 60),
        }
    }
}

/// Cheap to clone; all clones are the same cluster.
#[derive(Clone)]
pub struct Cluster {
    metadata: MetadataClient,
    data: DataClient,
}

impl Cluster {
    pub fn metadata(&self) -> MetadataClient {
        self.metadata.clone()
    }

    pub fn data(&self) -> DataClient {
        self.data.clone()
    }
}
