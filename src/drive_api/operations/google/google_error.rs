//! Errors as Google's clients read them: the status again as `code`, and a reason that they switch on.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::RETRY_AFTER;
use serde_json::json;

use crate::drive_api::error::DriveError;
use crate::services::Error;

pub type Result<T> = std::result::Result<T, GoogleError>;

#[derive(Debug)]
pub struct GoogleError(DriveError);

impl From<DriveError> for GoogleError {
    fn from(error: DriveError) -> Self {
        Self(error)
    }
}

impl From<Error> for GoogleError {
    fn from(error: Error) -> Self {
        Self(error.into())
    }
}

/// Google, "Resolve errors" of the Drive API.
fn reason(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "authError",
        StatusCode::FORBIDDEN => "insufficientFilePermissions",
        StatusCode::NOT_FOUND | StatusCode::GONE => "notFound",
        StatusCode::CONFLICT => "conflict",
        StatusCode::TOO_MANY_REQUESTS => "rateLimitExceeded",
        StatusCode::INSUFFICIENT_STORAGE => "storageQuotaExceeded",
        StatusCode::SERVICE_UNAVAILABLE => "backendError",
        status if status.is_server_error() => "internalError",
        _ => "invalid",
    }
}

impl IntoResponse for GoogleError {
    fn into_response(self) -> Response {
        // A full quota is Google's 403.
        let status = match self.0.status {
            StatusCode::INSUFFICIENT_STORAGE => StatusCode::FORBIDDEN,
            status => status,
        };
        let message = &self.0.message;
        let errors = json!([{ "domain": "global", "reason": reason(self.0.status), "message": message }]);
        let body = json!({ "error": { "code": status.as_u16(), "message": message, "errors": errors } });
        let mut response = (status, Json(body)).into_response();
        if let Some(after) = self.0.into_response().headers_mut().remove(RETRY_AFTER) {
            response.headers_mut().insert(RETRY_AFTER, after);
        }
        response
    }
}
