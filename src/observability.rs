//! Observability: where logs and metrics go. Sinks only; what is counted is decided where it happens.

pub mod logging;
pub mod metrics;
