//! Placement: which group owns which part of the key space, and which nodes hold which group.

mod bootstrap;
pub mod mover;
mod partition_map;
pub mod planner;
mod progress;
mod view;

pub use bootstrap::load_partition_map;
pub use partition_map::{Partition, PartitionMap};
pub use progress::{CopyProgress, GroupProgress, Progress};
pub use view::{Placement, PlacementPublisher, PlacementView};
