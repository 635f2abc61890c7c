//! Mover: carries groups to where the system group says they shall be (docs/placement.md).
//! Owns: four loops on every node, each deriving its next step from what is on record, so that a crash anywhere resumes:
//! `follower` learns where everything is, `director` says where groups shall be (if this node leads the system group), `residents` opens
//! and retires this node's groups, `carrier` changes the members of the groups that this node leads.
//! Does not own: what is a good place (`planner`).

mod carrier;
mod director;
mod follower;
mod repair_hold;
mod residents;
mod step;
mod targets;

pub use carrier::{Carrier, HasBytes};
pub use director::Director;
pub use follower::{Follower, read_placement};
pub use residents::Residents;
pub use targets::targets;
