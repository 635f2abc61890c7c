//! Errors of the drive API: what a program switches on, and a sentence for people.
//! Owns: one match from a service's errors to status and code. What failed here is never "not there": 503 and Retry-After.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use onggi_cluster::metadata::outcome::Refusal;
use serde_json::{Map, Value};

use crate::drive_api::answer_json::ErrorJson;
use crate::drive_api::auth::AuthError;
use crate::drive_api::text_form;
use crate::services::drive::name::NameRule;
use crate::services::share_service::ShareError;
use crate::services::{Error, ErrorKind};

pub type Result<T> = std::result::Result<T, DriveError>;

/// Seconds after which a request that found no majority is worth another try.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("2");

#[derive(Clone, Debug)]
pub struct DriveError {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: String,
    /// What a program needs to go on: `head_rev`, `expected_offset`, `rule`.
    pub fields: Map<String, Value>,
}

impl DriveError {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), fields: Map::new() }
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", message)
    }

    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    pub fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }
}

impl From<AuthError> for DriveError {
    fn from(error: AuthError) -> Self {
        error.log();
        let (status, code) = error.answer();
        Self::new(status, code, error.message())
    }
}

impl From<NameRule> for DriveError {
    fn from(rule: NameRule) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "name_invalid", rule.to_string()).with("rule", rule.code())
    }
}

impl From<ShareError> for DriveError {
    fn from(error: ShareError) -> Self {
        let (status, code) = match error {
            ShareError::PasswordRequired => (StatusCode::UNAUTHORIZED, "password_required"),
            ShareError::WrongPassword => (StatusCode::FORBIDDEN, "wrong_password"),
            ShareError::Denied(_) => (StatusCode::FORBIDDEN, "denied"),
            ShareError::Invalid(_) => (StatusCode::BAD_REQUEST, "invalid"),
            ShareError::Account(error) => return AuthError(error).into(),
            ShareError::Service(error) => return error.into(),
        };
        Self::new(status, code, error.to_string())
    }
}

impl From<Error> for DriveError {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => of_refusal(&refusal),
            Error::Name(rule) => rule.into(),
            Error::CursorReset => {
                Self::new(StatusCode::GONE, "cursor_reset", "the cursor is too old, or not of this tree: list anew")
            }
            Error::Body(ref source) => Self::invalid(format!("the body could not be read: {source}")),
            Error::DigestMismatch(_) => Self::invalid(error.to_string()).with("reason", "digest_mismatch"),
            error => of_kind(&error),
        }
    }
}

fn of_refusal(refusal: &Refusal) -> DriveError {
    match refusal {
        Refusal::NoSuchEntry => DriveError::not_found("there is nothing at this path"),
        Refusal::NoSuchRevision => DriveError::not_found("the file has no such revision"),
        Refusal::NoSuchTrashItem => DriveError::not_found("there is no such item in the trash"),
        Refusal::NoSuchSession => DriveError::not_found("there is no such upload: it expired, or was never begun"),
        Refusal::NoSuchLink => DriveError::not_found("there is no such link"),
        Refusal::EntryExists { is_folder, .. } => {
            let what = if *is_folder { "folder" } else { "file" };
            DriveError::conflict("exists", format!("a {what} has this name already")).with("what", what)
        }
        Refusal::StaleRevision { head } => {
            let message = "it was changed since this revision was read";
            DriveError::conflict("stale_revision", message).with("head_rev", text_form::revision(*head))
        }
        Refusal::IncorrectOffset { expected } => {
            let message = format!("the upload goes on at {expected}");
            DriveError::conflict("incorrect_offset", message).with("expected_offset", *expected)
        }
        Refusal::SessionClosed => DriveError::conflict("closed", "the upload takes no more bytes"),
        Refusal::SessionNotClosed => DriveError::conflict("not_closed", "the upload must be closed first"),
        Refusal::SessionIncomplete { missing_at } => {
            DriveError::conflict("incomplete", format!("bytes are missing at {missing_at}"))
                .with("missing_at", *missing_at)
        }
        Refusal::SizeMismatch => DriveError::conflict("size_mismatch", "these are not as many bytes as were declared"),
        Refusal::NotAFolder => DriveError::conflict("not_a_folder", "a file stands where a folder is meant"),
        Refusal::NotAFile => DriveError::conflict("not_a_file", "a folder stands where a file is meant"),
        Refusal::IntoItself => {
            DriveError::conflict("into_itself", "a folder cannot go into itself, and the root nowhere")
        }
        Refusal::ParentGone => {
            DriveError::conflict("parent_gone", "the folder that this was in is gone: say where it shall go")
        }
        Refusal::DeviceHeld => DriveError::conflict(
            "mass_delete_held",
            "this device deleted most of the drive within a minute: the owner must allow it on the web page",
        ),
        Refusal::NoSuchDevice => DriveError::not_found("no such device is held"),
        Refusal::TooFarBack { earliest_ms } => {
            let message = "what was where is not known of so long ago";
            DriveError::conflict("too_far_back", message).with("earliest", text_form::time(*earliest_ms))
        }
        Refusal::TooManyEntries { limit } => {
            DriveError::conflict("too_many_entries", format!("more than {limit} entries at once")).with("limit", *limit)
        }
        Refusal::TooManyParts => {
            DriveError::conflict("too_many_parts", "the upload has too many pieces: send larger ones")
        }
        Refusal::PathTooDeep => NameRule::TooDeep.into(),
        Refusal::LinkExpired => DriveError::new(StatusCode::GONE, "link_expired", "the link is past its end"),
        Refusal::QuotaExceeded => {
            let message = "the quota would be exceeded: empty the trash, or ask for more";
            DriveError::new(StatusCode::INSUFFICIENT_STORAGE, "quota_exceeded", message)
        }
        refusal => of_kind(&Error::Refused(refusal.clone())),
    }
}

fn of_kind(error: &Error) -> DriveError {
    let (status, code) = match error.kind() {
        ErrorKind::NotFound => (StatusCode::NOT_FOUND, "not_found"),
        ErrorKind::AlreadyExists => (StatusCode::CONFLICT, "exists"),
        ErrorKind::Conflict => (StatusCode::CONFLICT, "conflict"),
        ErrorKind::Invalid => (StatusCode::BAD_REQUEST, "invalid"),
        ErrorKind::Denied => (StatusCode::FORBIDDEN, "denied"),
        ErrorKind::QuotaExceeded => (StatusCode::INSUFFICIENT_STORAGE, "quota_exceeded"),
        ErrorKind::Full => (StatusCode::SERVICE_UNAVAILABLE, "full"),
        ErrorKind::Unavailable | ErrorKind::OutcomeUnknown => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        ErrorKind::Overloaded => (StatusCode::SERVICE_UNAVAILABLE, "overloaded"),
        ErrorKind::Corrupt | ErrorKind::Internal => {
            tracing::error!(%error, "drive request failed");
            return DriveError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "an internal error: see the log");
        }
    };
    DriveError::new(status, code, error.to_string())
}

impl IntoResponse for DriveError {
    fn into_response(self) -> Response {
        let body = ErrorJson::new(self.code, self.message, self.fields);
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(error: Error) -> String {
        let error = DriveError::from(error);
        format!("{} {} {}", error.status.as_u16(), error.code, Value::Object(error.fields))
    }

    #[test]
    fn what_a_program_switches_on() {
        let refused = |refusal| shown(Error::Refused(refusal));
        assert_eq!(refused(Refusal::NoSuchEntry), "404 not_found {}");
        assert_eq!(
            refused(Refusal::StaleRevision { head: 31 }),
            r#"409 stale_revision {"head_rev":"00000000000001f"}"#
        );
        assert_eq!(refused(Refusal::IncorrectOffset { expected: 5 }), r#"409 incorrect_offset {"expected_offset":5}"#);
        assert_eq!(refused(Refusal::QuotaExceeded), "507 quota_exceeded {}");
        assert_eq!(shown(Error::Name(NameRule::Ending)), r#"422 name_invalid {"rule":"ending"}"#);
        assert_eq!(shown(Error::CursorReset), "410 cursor_reset {}");
        assert_eq!(shown(Error::Vanished), "503 unavailable {}");
    }
}
