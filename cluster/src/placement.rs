//! Placement: which group owns which part of the key space.

mod partition_map;

pub use partition_map::{Partition, PartitionMap};
