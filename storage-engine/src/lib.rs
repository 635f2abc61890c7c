//! Onggi's storage engine: everything one node keeps on its drives, and nothing that knows of other nodes or of HTTP.
//!
//! In reading order: the outside world (`env`), the names of data (`id`), our bytes (`format`), what can go wrong
//! (`error`), the drive, RocksDB behind its door (`rocks`), the stores on it,
//! and all of them together (`engine`).

pub mod chunk_store;
pub mod drive;
mod engine;
pub mod env;
pub mod error;
pub mod format;
pub mod id;
pub mod log_store;
pub mod metadata_store;
pub mod rocks;

pub use engine::{EngineOptions, StorageEngine};
