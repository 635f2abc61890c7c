//! Onggi's cluster: replicated metadata decided in a pure `apply`, and the way of bytes to their replicas.

pub mod id;
pub mod metadata;
