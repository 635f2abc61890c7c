//! Options: what a cluster is started with, and what of it cannot be.

use std::time::Duration;

use crate::data::RepairOptions;
use crate::error::{Error, ErrorKind, Result};
use crate::id::NodeId;
use crate::raft::RaftOptions;

#[derive(Clone, Debug)]
pub struct ClusterOptions {
    pub name: String,
    /// Never reused, also not after the node's drive was lost.
    pub node: NodeId,
    /// Raft groups that share the owners' key space, besides the system group. As many as there are when the cluster is created; splits add more.
    /// 16: enough to spread over a handful of nodes before the first split, few enough to idle for free.
    pub groups: u32,
    /// A group with more object versions, delete markers and uploads than this is split between two users.
    /// 10 million: about 3 GB of metadata, which a snapshot brings to a new replica within a minute or two; a few hundred groups hold billions.
    pub group_entries_max: u64,
    /// Bodies up to this many bytes travel inside the command: one sync, no chunk.
    pub inline_bytes_max: u32,
    /// Size of every chunk of a blob but the last.
    pub chunk_bytes: u32,
    /// Proposals in flight on this node, all groups together; more are refused as `Overloaded`. Each holds its command,
    /// so 4,096 of 32 KiB hold 128 MiB.
    pub proposals_in_flight_max: usize,
    /// How long chunks without a name are kept: longer than any upload takes between its last byte and its commit, and than
    /// a reader takes who began before the deletion.
    pub sweep_grace: Duration,
    /// How often the chunk index is compared with the references.
    pub sweep_interval: Duration,
    /// How long a node is away before its replicas are made again elsewhere: longer than a machine takes to boot.
    pub gone_after: Duration,
    /// How fast replicas that lack bytes are filled, and how often they are looked for.
    pub repair: RepairOptions,
    pub raft: RaftOptions,
}

impl Default for ClusterOptions {
    fn default() -> Self {
        Self {
            name: "onggi".to_owned(),
            node: NodeId(1),
            groups: 16,
            group_entries_max: 10_000_000,
            inline_bytes_max: 32 * 1024,
            chunk_bytes: 4 * 1024 * 1024,
            proposals_in_flight_max: 4096,
            sweep_grace: Duration::from_secs(60 * 60),
            sweep_interval: Duration::from_secs(6 * 60 * 60),
            gone_after: Duration::from_secs(10 * 60),
            repair: RepairOptions::default(),
            raft: RaftOptions::default(),
        }
    }
}

pub(super) fn check(options: &ClusterOptions) -> Result<()> {
    let wrong = if options.groups == 0 || options.groups > GROUPS_MAX {
        "groups must be between 1 and 4096"
    } else if options.chunk_bytes < CHUNK_BYTES_MIN {
        "chunks must have at least 64 KiB"
    } else if options.inline_bytes_max >= options.chunk_bytes {
        "the inline limit must be below the size of a chunk"
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::Internal, wrong))
}

/// A group costs a task and a tick on every node that holds it.
const GROUPS_MAX: u32 = 4096;
/// One block of an extent.
const CHUNK_BYTES_MIN: u32 = 64 * 1024;
