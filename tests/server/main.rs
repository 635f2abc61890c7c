//! The real binary, as an operator meets it: first start, signals, crashes, TLS, limits, admin commands.
//! Owns: what can only be seen from outside of the process. S3 operations have their own target (`tests/s3`).

mod admin;
mod http;
mod node;
mod start;
mod stop;
mod tls;
