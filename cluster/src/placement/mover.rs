//! Mover: carries groups to where the system group says they shall be (docs/placement.md).
//! Owns: five loops on every node, each deriving its next step from what is on record, so that a crash anywhere resumes:
//! `follower` learns where everything is, `director` says where groups shall be (if this node leads the system group), `residents` opens
//! and retires this node's groups, `carrier` changes the members of the groups that this node leads, `splitter` splits them.
//! Does not own: what is a good place (`planner`).

mod auto_split;
mod carrier;
mod director;
mod follower;
mod repair_hold;
mod residents;
mod splitter;
mod step;
mod targets;

pub use auto_split::AutoSplit;
pub use carrier::{Carrier, HasBytes};
pub use director::Director;
pub use follower::{Follower, read_placement};
pub use residents::Residents;
pub use splitter::Splitter;
pub use targets::targets;
