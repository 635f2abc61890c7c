//! Clusters of real processes under faults, and the checker that judges what their clients saw.
//! Owns: processes and the network between them, load, faults, histories. What one node does alone has its own target
//! (`tests/server`).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, its helpers too")]

mod alarms;
mod checker;
mod clock;
#[path = "../server/durability/drive.rs"]
#[allow(dead_code, reason = "shared with tests/server, which also takes its power away")]
mod drive;
mod drives;
mod faults;
mod fleet;
mod growth;
mod load;
mod member;
mod network;
#[path = "../server/node.rs"]
#[allow(dead_code, reason = "shared with tests/server, which asks a node more")]
mod node;
mod old_maps;
mod proof;
mod recorder;
#[path = "../support/s3_client.rs"]
mod s3_client;
mod splits;
mod sweeps;
mod three_nodes;
