//! Errors of the admin API: what an operator reads, and what a program switches on.
//! Owns: one match from a service's kinds to status and code.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use onggi_cluster::membership::reason;
use onggi_cluster::metadata::outcome::Refusal;

use crate::admin_api::message::{Failure, FailureDetail};
use crate::s3_api::error::S3Error;
use crate::services::account_service::AccountError;
use crate::services::{Error, ErrorKind};

pub type Result<T> = std::result::Result<T, AdminError>;

#[derive(Debug)]
pub struct AdminError {
    status: StatusCode,
    code: String,
    message: String,
}

impl AdminError {
    fn new(status: StatusCode, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into() }
    }

    pub fn invalid(message: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Invalid", message)
    }

    pub fn denied(message: String) -> Self {
        Self::new(StatusCode::FORBIDDEN, "Denied", message)
    }

    pub fn unavailable(message: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "Unavailable", message)
    }

    pub fn unauthenticated(message: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Unauthenticated", message)
    }

    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NotFound", format!("there is no {what}"))
    }

    /// What the verifier of signatures said, in its own words.
    pub fn from_s3(error: S3Error) -> Self {
        Self::new(error.code.status(), error.code.as_str(), error.message.to_string())
    }

    pub fn code(&self) -> &str {
        &self.code
    }
}

impl From<Error> for AdminError {
    fn from(error: Error) -> Self {
        let (status, code) = match error.kind() {
            ErrorKind::NotFound => (StatusCode::NOT_FOUND, "NotFound"),
            ErrorKind::AlreadyExists => (StatusCode::CONFLICT, "AlreadyExists"),
            ErrorKind::Conflict => (StatusCode::CONFLICT, "Conflict"),
            ErrorKind::Invalid => (StatusCode::BAD_REQUEST, "Invalid"),
            ErrorKind::Denied => (StatusCode::FORBIDDEN, "Denied"),
            ErrorKind::QuotaExceeded => (StatusCode::FORBIDDEN, "QuotaExceeded"),
            ErrorKind::Full => (StatusCode::INSUFFICIENT_STORAGE, "Full"),
            ErrorKind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "Unavailable"),
            ErrorKind::Overloaded => (StatusCode::SERVICE_UNAVAILABLE, "Overloaded"),
            ErrorKind::OutcomeUnknown => (StatusCode::INTERNAL_SERVER_ERROR, "OutcomeUnknown"),
            ErrorKind::Corrupt => (StatusCode::INTERNAL_SERVER_ERROR, "Corrupt"),
            ErrorKind::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "Internal"),
        };
        match error.kind() {
            ErrorKind::OutcomeUnknown => tracing::warn!(%error, "the outcome of an admin request is not known"),
            _ if status == StatusCode::INTERNAL_SERVER_ERROR => tracing::error!(%error, "admin request failed"),
            _ => {}
        }
        Self::new(status, code, sentence(&error))
    }
}

impl From<AccountError> for AdminError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Service(error) => error.into(),
            AccountError::PasswordRule(rule) => Self::invalid(rule),
            AccountError::Busy => Self::unavailable("too many passwords are hashed at once: try again in a second"),
            error => {
                tracing::error!(%error, "admin request failed");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal", error.to_string())
            }
        }
    }
}

/// What to tell an operator; the refusals that admin requests can meet have words of their own.
fn sentence(error: &Error) -> String {
    let Error::Refused(refusal) = error else { return error.to_string() };
    match refusal {
        Refusal::NoSuchUser => "there is no such user; `onggi admin user list` shows them".into(),
        Refusal::UserExists => "there is a user of this name already".into(),
        Refusal::UserOwnsBuckets => {
            "the user owns buckets; delete them first (`onggi admin bucket list --user NAME`), or disable the user"
                .into()
        }
        Refusal::RootUser => "the root user cannot be disabled or deleted".into(),
        Refusal::NoSuchAccessKey => "there is no such access key".into(),
        other => reason(other),
    }
}

impl IntoResponse for AdminError {
    fn into_response(self) -> Response {
        let detail = FailureDetail { code: self.code, message: self.message };
        (self.status, Json(Failure { error: detail })).into_response()
    }
}
