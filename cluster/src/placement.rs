//! Placement: which group owns which part of the key space.

mod bootstrap;
mod partition_map;

pub use bootstrap::load_partition_map;
pub use partition_map::{Partition, PartitionMap};
