//! The S3 API: from HTTP to one service call, and back.
//! Owns: the wire protocol — routing, authentication, headers, XML, error codes. Does not own: what a bucket or an
//! object is (services).

pub mod api;
pub mod auth;
pub mod checksum;
pub mod conditional;
pub mod copy_source;
pub mod cors;
pub mod credentials;
pub mod error;
pub mod error_code;
pub mod etag;
pub mod headers;
pub mod keep_alive;
pub mod listing;
pub mod object_read;
pub mod object_reply;
pub mod operations;
pub mod owner;
pub mod presign;
pub mod range;
pub mod reply;
pub mod request;
pub mod request_body;
pub mod router;
pub mod service_error;
pub mod tagging;
pub mod timestamp;
pub mod version_id;
pub mod xml;

pub use api::{RequestInfo, S3Api, S3Options};
