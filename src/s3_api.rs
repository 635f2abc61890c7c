//! The S3 API: from HTTP to one service call, and back.
//! Owns: the wire protocol — routing, authentication, headers, XML, error codes. Does not own: what a bucket or an
//! object is (services).

pub mod auth;
pub mod checksum;
pub mod conditional;
pub mod copy_source;
pub mod cors;
pub mod error;
pub mod error_code;
pub mod etag;
pub mod headers;
pub mod range;
pub mod router;
pub mod tagging;
pub mod timestamp;
pub mod version_id;
pub mod xml;
