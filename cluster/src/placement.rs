//! Placement: which group owns which part of the key space, and which nodes hold which group.

mod bootstrap;
mod load;
pub mod mover;
mod partition_map;
pub mod planner;
mod progress;
mod survey_message;
mod surveyor;
mod view;

pub use bootstrap::load_partition_map;
pub use load::{GroupLoad, Middle};
pub use partition_map::{Partition, PartitionMap};
pub use progress::{CopyProgress, GroupProgress, Progress};
pub use survey_message::Survey;
pub use surveyor::{GroupReport, Surveyor};
pub use view::{Placement, PlacementPublisher, PlacementView};
