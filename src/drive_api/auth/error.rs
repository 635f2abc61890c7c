//! Auth error: what somebody who is not let in is told.
//! Owns: one match from an account's errors to status and code. An infrastructure fault is never "wrong": 503 and Retry-After.

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde_json::Map;

use crate::drive_api::answer_json::ErrorJson;
use crate::services::ErrorKind;
use crate::services::account_service::AccountError;

const UNAVAILABLE_FOR: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub struct AuthError(pub AccountError);

impl From<AccountError> for AuthError {
    fn from(error: AccountError) -> Self {
        Self(error)
    }
}

impl AuthError {
    pub fn answer(&self) -> (StatusCode, &'static str) {
        match &self.0 {
            AccountError::NoProof
            | AccountError::InvalidToken
            | AccountError::ExpiredToken
            | AccountError::WrongPassword
            | AccountError::PasswordChanged => (StatusCode::UNAUTHORIZED, "unauthenticated"),
            AccountError::Disabled | AccountError::Denied(_) => (StatusCode::FORBIDDEN, "denied"),
            AccountError::TooManyAttempts { .. } => (StatusCode::TOO_MANY_REQUESTS, "too_many_attempts"),
            AccountError::Busy => (StatusCode::SERVICE_UNAVAILABLE, "overloaded"),
            AccountError::PasswordRule(_) => (StatusCode::BAD_REQUEST, "password_rule"),
            AccountError::Invalid(_) => (StatusCode::BAD_REQUEST, "invalid"),
            AccountError::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            AccountError::TooMany { .. } => (StatusCode::CONFLICT, "too_many"),
            AccountError::Hashing(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
            AccountError::Service(error) => match error.kind() {
                ErrorKind::Unavailable | ErrorKind::OutcomeUnknown => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
                ErrorKind::Overloaded => (StatusCode::SERVICE_UNAVAILABLE, "overloaded"),
                ErrorKind::Full => (StatusCode::SERVICE_UNAVAILABLE, "full"),
                _ => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
            },
        }
    }

    /// What people read. What went wrong inside is for the log.
    pub fn message(&self) -> String {
        let (status, _) = self.answer();
        match status {
            StatusCode::INTERNAL_SERVER_ERROR => "an internal error: see the log".into(),
            StatusCode::SERVICE_UNAVAILABLE if matches!(self.0, AccountError::Service(_)) => {
                "the node cannot answer at the moment: try again".into()
            }
            _ => self.0.to_string(),
        }
    }

    pub fn retry_after(&self) -> Option<Duration> {
        match (&self.0, self.answer().0) {
            (AccountError::TooManyAttempts { retry_after }, _) => Some(*retry_after),
            (_, StatusCode::SERVICE_UNAVAILABLE) => Some(UNAVAILABLE_FOR),
            _ => None,
        }
    }

    /// Logged once, where it is answered.
    pub fn log(&self) {
        if self.answer().0 == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(error = %self.0, "account request failed");
        }
    }

    /// The headers that every form of the answer has.
    pub fn stamp(&self, response: &mut Response) {
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(wait) = self.retry_after() {
            let seconds = wait.as_millis().div_ceil(1000).max(1) as u64;
            headers.insert(RETRY_AFTER, seconds.into());
        }
    }
}

impl IntoResponse for AuthError {
    fn into_response(self) -> Response {
        self.log();
        let (status, code) = self.answer();
        let mut response = (status, Json(ErrorJson::new(code, self.message(), Map::new()))).into_response();
        if status == StatusCode::UNAUTHORIZED {
            // Not Basic: browsers would ask for a password in a window of their own.
            let challenge = HeaderValue::from_static("Bearer realm=\"onggi\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        self.stamp(&mut response);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::Error;

    #[test]
    fn a_fault_of_ours_is_never_theirs() {
        let answer = |error: AccountError| {
            let error = AuthError(error);
            (error.answer().0.as_u16(), error.retry_after().map(|wait| wait.as_millis()))
        };
        assert_eq!(answer(AccountError::Service(Error::Vanished)), (503, Some(2000)));
        assert_eq!(answer(AccountError::Busy), (503, Some(2000)));
        assert_eq!(answer(AccountError::Hashing("x".into())), (500, None));
        let wait = Duration::from_millis(1500);
        assert_eq!(answer(AccountError::TooManyAttempts { retry_after: wait }), (429, Some(1500)));
        assert_eq!(answer(AccountError::ExpiredToken), (401, None));
        let response = AuthError(AccountError::TooManyAttempts { retry_after: wait }).into_response();
        assert_eq!(response.headers()[RETRY_AFTER], "2");
    }
}
