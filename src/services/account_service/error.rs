//! Account error: why somebody is not let in, or an account is not changed.

use std::time::Duration;

use crate::services;

pub type Result<T, E = AccountError> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// Also of users that do not exist or have no password, so that nobody learns who does.
    #[error("the user name or the password is wrong")]
    WrongPassword,
    /// Told only to those who know the password.
    #[error("the user is disabled")]
    Disabled,
    #[error("the request proves no identity: sign in first")]
    NoProof,
    /// Not one of ours, revoked, or of a user who is out.
    #[error("the token is not valid")]
    InvalidToken,
    /// It was valid once; a refresh token may give the next one.
    #[error("the token has expired")]
    ExpiredToken,
    #[error("too many attempts failed; try again in {} s", retry_after.as_secs().max(1))]
    TooManyAttempts { retry_after: Duration },
    /// Passwords are checked slowly on purpose, a few at a time.
    #[error("too many sign-ins at once; try again in a second")]
    Busy,
    #[error("{0}")]
    PasswordRule(String),
    #[error("{0}")]
    Invalid(&'static str),
    #[error("{0}")]
    Denied(&'static str),
    #[error("there is none of this id")]
    NotFound,
    #[error("there are {max} already; revoke one first")]
    TooMany { max: u64 },
    #[error("the password was changed in between; sign in again")]
    PasswordChanged,
    /// The stored hash is not readable, or a thread panicked.
    #[error("check a password: {0}")]
    Hashing(String),
    #[error(transparent)]
    Service(#[from] services::Error),
}
