//! Onggi: an S3-compatible object store in one binary. Modules in reading order, from the process down to one operation.

pub mod config;
pub mod s3_api;
