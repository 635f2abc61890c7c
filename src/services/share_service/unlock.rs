//! Unlock: a visitor says a link's password.
//! Invariant: a guess costs what any guess of a password costs (`account_service`), for each link by itself.

use std::net::IpAddr;
use std::time::Duration;

use onggi_cluster::metadata::record::PasswordHash;

use super::ShareService;
use super::error::{Result, ShareError};
use super::visit::Opened;
use crate::services::{Secret, fresh};

/// Then the visitor says it again.
pub const UNLOCKED_FOR: Duration = Duration::from_secs(24 * 60 * 60);

impl ShareService {
    /// What shows from now on that the password was said. `None`: the link has none.
    pub async fn unlock(&self, token: &str, password: Secret, address: IpAddr) -> Result<Option<String>> {
        let Opened { standing, .. } = self.open(token).await?;
        let Some(phc) = standing.link.password else { return Ok(None) };
        let guess = format!("share link {}", hex::encode(standing.link.link.0));
        let hash = PasswordHash { phc: phc.clone() };
        if !self.accounts.check_guess(&guess, address, password, hash).await? {
            return Err(ShareError::WrongPassword);
        }
        let expires_ms = fresh::unix_ms() + UNLOCKED_FOR.as_millis() as u64;
        Ok(Some(self.key.unlock_proof(standing.link.link, &phc, expires_ms)))
    }
}
