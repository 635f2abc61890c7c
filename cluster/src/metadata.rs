//! Replicated metadata: records, the commands that change them, what was decided, and the client to both.

pub mod client;
pub mod command;
pub mod key;
pub mod outcome;
pub mod record;
pub mod view;
