//! Replicated metadata: records, the commands that change them, and what was decided.

pub mod command;
pub mod outcome;
pub mod record;
