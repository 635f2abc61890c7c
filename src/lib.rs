//! Onggi: a self-hosted, S3-compatible object store.

pub mod s3_api;
