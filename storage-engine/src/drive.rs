//! A drive: one data directory, its identity and its health.

mod poison;

pub use poison::Poison;
