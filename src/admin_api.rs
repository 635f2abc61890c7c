//! Admin API: what operators may do to a node, as JSON over HTTPS below `/admin/v1`.
//! Owns: its routes, its proof of identity (the signatures of S3), its audit log.
//! Does not own: the rules of users and keys (services), health and metrics pages (`gateway::web`).

mod audit;
mod auth;
mod error;
pub mod message;
mod operations;
mod router;
pub mod system;

pub use auth::SIGNING_SERVICE;
pub use router::{AdminApi, PATH_PREFIX};
