//! Onggi's cluster: replicated metadata decided in a pure `apply`, and the way of bytes to their replicas.

mod cluster;
pub mod data;
mod error;
pub mod id;
pub mod metadata;
pub mod placement;

pub use cluster::{Cluster, ClusterOptions};
pub use data::{BlobWriter, ContentStream, DataClient};
pub use error::{Error, ErrorKind, Result};
pub use metadata::client::{MetadataClient, Route};
