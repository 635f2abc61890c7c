//! The S3 API of one node, driven by the official Rust SDK and, where an SDK would be too polite, by bytes on a socket.
//! One file for each family of operations. All tests share one node; each has buckets of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod buckets;
mod checksums;
mod conditional_writes;
mod copy;
mod errors;
mod listing;
mod multipart;
mod objects;
mod raw;
#[path = "../support/s3_client.rs"]
mod s3_client;
mod signatures;
mod support;
mod tagging;
mod versioning;
