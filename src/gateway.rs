//! Gateway: sockets, TLS, limits and request ids, in front of every API.
//! Owns: which connections and requests get in, and how they end.
//! Does not own: what a request means (`s3_api`, `admin_api`).

pub mod access_log;
pub mod activity;
pub mod connection;
pub mod front;
pub mod listener;
mod overload;
pub mod request_id;
pub mod tls;
mod tracked_body;
