//! Guess: passwords that are no user's, kept and compared as users' are.

use std::net::IpAddr;
use std::time::Instant;

use onggi_cluster::metadata::record::PasswordHash;

use super::AccountService;
use super::error::{AccountError, Result};
use crate::services::Secret;

impl AccountService {
    pub(in crate::services) async fn hash_password(&self, password: Secret) -> Result<PasswordHash> {
        self.hasher.hash(password).await
    }

    /// `of`: what the password opens, which has a budget of wrong ones as a user has.
    pub(in crate::services) async fn check_guess(
        &self,
        of: &str,
        address: IpAddr,
        password: Secret,
        hash: PasswordHash,
    ) -> Result<bool> {
        let attempt = self
            .failures
            .begin(of, address, Instant::now())
            .map_err(|retry_after| AccountError::TooManyAttempts { retry_after })?;
        let verified = self.hasher.verify(password, Some(hash)).await;
        // What was not decided is no failure of theirs.
        if !matches!(verified, Ok(false)) {
            attempt.succeeded();
        }
        verified
    }
}
