//! Onggi: an S3-compatible object store in one binary. Modules in reading order, from the process down to one operation.

pub mod cli;
pub mod node;

pub mod admin_api;
pub mod console;
pub mod drive_api;
pub mod gateway;
pub mod s3_api;
pub mod services;

pub mod config;
pub mod observability;
mod private_file;
mod root_credentials;
