//! Sync: a folder of this machine and a folder of the drive hold the same (docs/drive-sync.md).

mod memory;
mod plan;
mod tree;
