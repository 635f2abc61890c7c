//! Onggi's cluster: replicated metadata decided in a pure `apply`, and the way of bytes to their replicas.

mod cluster;
pub mod data;
mod error;
pub mod id;
pub mod membership;
pub mod metadata;
pub mod peer;
pub mod placement;
mod raft;
pub mod recovery;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod testing;

pub use cluster::{Cluster, ClusterNetwork, ClusterOptions, ClusterStatus, MembershipOptions, Serve};
pub use data::{BlobWriter, ContentStream, DataClient, RepairOptions, ReplicationStatus, SweepStatus};
pub use error::{Error, ErrorKind, Result};
pub use metadata::client::{MetadataClient, Route};
pub use raft::{GroupStatus, LOG_DIRECTIVES, RaftOptions};
