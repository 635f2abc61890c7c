//! Gateway: sockets, TLS, limits and request ids, in front of every API.
//! Owns: which connections and requests get in, and how they end.
//! Does not own: what a request means (`s3_api`, `admin_api`).

mod access_log;
mod activity;
pub mod connection;
pub mod front;
mod linger;
pub mod listener;
mod overload;
pub mod request_id;
mod s3;
pub mod tls;
mod tracked_body;
pub mod unread_body;
pub mod web;
