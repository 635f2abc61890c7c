//! Share error: why a link does not let somebody in, or is not made.

use crate::services;
use crate::services::account_service::AccountError;

pub type Result<T, E = ShareError> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum ShareError {
    #[error("the link has a password: say it first")]
    PasswordRequired,
    #[error("the password is wrong")]
    WrongPassword,
    /// The role does not allow it.
    #[error("{0}")]
    Denied(&'static str),
    #[error("{0}")]
    Invalid(&'static str),
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error(transparent)]
    Service(#[from] services::Error),
}
