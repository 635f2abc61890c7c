//! Errors of routes: 409 with a tag that says where it is wrong, and within it what.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};

use crate::drive_api::error::DriveError;
use crate::services::Error;

pub type Result<T> = std::result::Result<T, RouteError>;

#[derive(Debug)]
pub enum RouteError {
    /// 409.
    Tagged(Value),
    /// Not of the route: who asks, a malformed request, a fault.
    Other(DriveError),
}

impl From<DriveError> for RouteError {
    fn from(error: DriveError) -> Self {
        Self::Other(error)
    }
}

impl From<Error> for RouteError {
    fn from(error: Error) -> Self {
        Self::Other(error.into())
    }
}

/// `{".tag": "path", "path": inner}`
pub fn tagged(tag: &str, inner: Value) -> Value {
    json!({ ".tag": tag, tag: inner })
}

pub fn tag(tag: &str) -> Value {
    json!({ ".tag": tag })
}

/// As a LookupError under `outer`: what should be there is not, or is of another kind.
pub fn lookup(outer: &'static str) -> impl Fn(DriveError) -> RouteError {
    move |error| match lookup_error(&error) {
        Some(inner) => RouteError::Tagged(tagged(outer, inner)),
        None => RouteError::Other(error),
    }
}

/// As a WriteError under `outer`: what shall be there cannot.
pub fn write(outer: &'static str) -> impl Fn(DriveError) -> RouteError {
    move |error| match write_error(&error) {
        Some(inner) => RouteError::Tagged(tagged(outer, inner)),
        None => RouteError::Other(error),
    }
}

pub fn lookup_error(error: &DriveError) -> Option<Value> {
    Some(tag(match error.code {
        "not_found" => "not_found",
        "not_a_file" => "not_file",
        "not_a_folder" => "not_folder",
        "name_invalid" => "malformed_path",
        _ => return None,
    }))
}

pub fn write_error(error: &DriveError) -> Option<Value> {
    let conflict = |with| Some(tagged("conflict", tag(with)));
    match error.code {
        "exists" if error.fields.get("what").and_then(Value::as_str) == Some("folder") => conflict("folder"),
        "exists" | "stale_revision" | "not_found" => conflict("file"),
        "not_a_folder" => conflict("file_ancestor"),
        "not_a_file" => conflict("folder"),
        "name_invalid" => Some(tag("disallowed_name")),
        // Of what the SDKs know, the one that programs do not try again.
        "mass_delete_held" => Some(tag("no_write_permission")),
        "quota_exceeded" => Some(tag("insufficient_space")),
        _ => None,
    }
}

/// The tags from the outside in.
fn summary(error: &Value) -> String {
    let mut summary = String::new();
    let mut at = error;
    while let Some(tag) = at.get(".tag").and_then(Value::as_str) {
        summary += tag;
        summary.push('/');
        at = at.get(tag).or_else(|| at.get("reason")).unwrap_or(&Value::Null);
    }
    summary + ".."
}

impl IntoResponse for RouteError {
    fn into_response(self) -> Response {
        match self {
            Self::Tagged(error) => {
                (StatusCode::CONFLICT, Json(json!({ "error_summary": summary(&error), "error": error })))
                    .into_response()
            }
            Self::Other(error) if error.status == StatusCode::UNAUTHORIZED => {
                // Both make an SDK that has a refresh token use it.
                let tag = tag(if error.message.contains("expired") {
                    "expired_access_token"
                } else {
                    "invalid_access_token"
                });
                let body = Json(json!({ "error_summary": summary(&tag), "error": tag }));
                (StatusCode::UNAUTHORIZED, body).into_response()
            }
            Self::Other(error) if error.status.is_client_error() && error.status != StatusCode::TOO_MANY_REQUESTS => {
                // The SDKs show it as it is.
                (StatusCode::BAD_REQUEST, error.message).into_response()
            }
            Self::Other(error) => error.into_response(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries() {
        assert_eq!(summary(&tagged("path", tag("not_found"))), "path/not_found/..");
        let conflict = json!({ ".tag": "path", "reason": tagged("conflict", tag("file")), "upload_session_id": "x" });
        assert_eq!(summary(&conflict), "path/conflict/file/..");
    }
}
