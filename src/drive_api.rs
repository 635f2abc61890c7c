//! The drive API: files and folders over HTTP, for programs and for the web page.
//! Owns: the forms on the wire. Does not own: what an operation does (services).

pub mod accounts;
pub mod auth;
