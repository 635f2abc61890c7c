//! OAuth errors: RFC 6749 §5.2, for `/oauth2/token` and `/oauth2/revoke`.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::drive_api::accounts::answer;
use crate::drive_api::auth::AuthError;
use crate::services::account_service::AccountError;

#[derive(Debug)]
pub enum OauthError {
    UnsupportedGrantType,
    Account(AuthError),
}

/// RFC 6749 §5.2.
#[derive(Serialize, ToSchema)]
pub struct OauthErrorJson {
    error: &'static str,
    error_description: String,
}

impl<E: Into<AuthError>> From<E> for OauthError {
    fn from(error: E) -> Self {
        Self::Account(error.into())
    }
}

impl OauthError {
    /// What came is wrong (400), or we cannot say (429, 5xx).
    fn answer(&self) -> (StatusCode, &'static str) {
        let Self::Account(error) = self else { return (StatusCode::BAD_REQUEST, "unsupported_grant_type") };
        match (&error.0, error.answer().0) {
            (AccountError::Invalid(_), _) => (StatusCode::BAD_REQUEST, "invalid_request"),
            (_, status @ (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)) => {
                (status, "temporarily_unavailable")
            }
            (_, status) if status.is_server_error() => (status, "server_error"),
            _ => (StatusCode::BAD_REQUEST, "invalid_grant"),
        }
    }

    fn description(&self) -> String {
        match self {
            Self::UnsupportedGrantType => "grant_type must be password, authorization_code or refresh_token".into(),
            Self::Account(error) => error.message(),
        }
    }
}

impl IntoResponse for OauthError {
    fn into_response(self) -> Response {
        let (status, code) = self.answer();
        let body = OauthErrorJson { error: code, error_description: self.description() };
        let mut response = answer::private((status, Json(body)).into_response());
        if let Self::Account(error) = &self {
            error.log();
            error.stamp(&mut response);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::services::Error;

    #[test]
    fn codes() {
        let answer = |error: AccountError| OauthError::from(error).answer();
        assert_eq!(answer(AccountError::WrongPassword), (StatusCode::BAD_REQUEST, "invalid_grant"));
        assert_eq!(answer(AccountError::Disabled), (StatusCode::BAD_REQUEST, "invalid_grant"));
        assert_eq!(answer(AccountError::Invalid("x")), (StatusCode::BAD_REQUEST, "invalid_request"));
        let too_many = AccountError::TooManyAttempts { retry_after: Duration::from_secs(1) };
        assert_eq!(answer(too_many), (StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable"));
        let gone = AccountError::Service(Error::Vanished);
        assert_eq!(answer(gone), (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"));
    }
}
