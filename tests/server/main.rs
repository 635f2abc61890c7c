//! The real binary, as an operator meets it: first start, signals, crashes, TLS, limits, admin commands.
//! Owns: what can only be seen from outside of the process. S3 operations have their own target (`tests/s3`).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, its helpers too")]

mod accounts;
mod admin;
mod comes_back;
mod drive;
mod durability;
mod groups;
mod hostile;
mod http;
mod http2;
mod membership;
mod metrics;
mod node;
mod place;
mod recover;
mod refusals;
#[path = "../support/s3_client.rs"]
mod s3_client;
mod secrets;
mod service_unit;
mod slow_put;
mod start;
mod stop;
mod sync;
mod three_nodes;
mod tls;
mod wind_down;
