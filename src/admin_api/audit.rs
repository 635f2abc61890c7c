//! Audit log: one line for every admin request, done or refused, at target `onggi::audit`.
//! Invariant: never a body: secrets travel there.

use http::request::Parts;
use http::{Method, StatusCode};

use crate::admin_api::auth::path_of;
use crate::admin_api::error::AdminError;

pub struct Action {
    method: Method,
    path: String,
}

impl Action {
    pub fn of(head: &Parts) -> Self {
        Self { method: head.method.clone(), path: path_of(head).to_string() }
    }

    pub fn done(&self, user: &str, access_key: &str, status: StatusCode) {
        let (method, path) = (self.method.as_str(), self.path.as_str());
        tracing::info!(target: "onggi::audit", user, access_key, method, path, status = status.as_u16(), "admin request");
    }

    pub fn refused(&self, error: &AdminError) {
        let (method, path) = (self.method.as_str(), self.path.as_str());
        tracing::warn!(target: "onggi::audit", method, path, code = error.code(), "admin request refused");
    }
}
