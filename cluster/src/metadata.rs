//! Replicated metadata: records, the commands that change them, what was decided, and the client to both.

pub mod apply;
pub(crate) mod bucket_steps;
pub mod checksum;
pub mod client;
pub mod command;
mod command_format;
pub(crate) mod field;
pub mod key;
pub mod outcome;
mod outcome_format;
pub mod query;
pub mod record;
mod record_format;
pub mod secret_box;
pub(crate) mod tree_keeper;
pub mod view;
mod voter_sets;

pub use bucket_steps::DRIVE_SUFFIX;
pub use tree_keeper::TreeRetention;
pub use voter_sets::{VoterSets, majority};

#[cfg(test)]
mod account_test;
#[cfg(test)]
mod format_test;
#[cfg(test)]
mod membership_test;
#[cfg(test)]
mod model_test;
#[cfg(test)]
mod scenario_test;
#[cfg(test)]
mod split_test;
#[cfg(test)]
mod system_test;
#[cfg(test)]
mod test_group;
#[cfg(test)]
mod tree_check;
#[cfg(test)]
mod tree_test;
