//! Onggi's storage engine: everything one node keeps on its drives, and nothing that knows of other nodes or of HTTP.
//!
//! In reading order: the outside world (`env`), the names of data (`id`).

pub mod env;
pub mod id;
