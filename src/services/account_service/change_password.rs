//! Change of a password, by its user or by an operator.
//! Invariant: with the password every sign-in under the old one is over, in the same log entry of the system group.

use std::net::IpAddr;

use onggi_cluster::id::UserId;
use onggi_cluster::metadata::command::{OwnerChange, SetPassword, SystemChange, TouchGrant};
use onggi_cluster::metadata::outcome::Outcome;

use super::AccountService;
use super::caller::Caller;
use super::error::{AccountError, Result};
use super::grants::manage;
use super::password::check_password;
use crate::services::{Error, Secret};

impl AccountService {
    /// The caller's own sign-in goes on. When the second step fails, the password is changed, and they sign in again.
    pub async fn change_password(&self, caller: &Caller, old: Secret, new: Secret, address: IpAddr) -> Result<()> {
        let principal = &manage(caller)?.principal;
        check_password(&principal.name, &new)?;
        let standing = self.prove_again(principal.user, &principal.name, old, address).await?;
        let hash = self.hasher.hash(new).await?;
        let change =
            SetPassword { user: principal.user, hash, ends_app_passwords: false, expected: Some(standing.sign_ins) };
        let sign_ins = self.commit_password(change).await?;
        tracing::info!(target: "onggi::audit", user = %principal.name, %address, action = "change password", "account changed");
        let touch = TouchGrant { grant: caller.grant, expires_ms: None, under: Some(sign_ins) };
        self.commit(principal.user, OwnerChange::TouchGrant(touch)).await.map(drop)
    }

    /// By an operator. All sign-ins and app passwords of the user are over.
    pub async fn set_password(&self, user: UserId, name: &str, password: Secret) -> Result<()> {
        check_password(name, &password)?;
        let hash = self.hasher.hash(password).await?;
        let change = SetPassword { user, hash, ends_app_passwords: true, expected: None };
        self.commit_password(change).await.map(drop)
    }

    async fn commit_password(&self, change: SetPassword) -> Result<u64> {
        match self.commit_system(SystemChange::SetPassword(change)).await? {
            Outcome::PasswordSet { sign_ins } => Ok(sign_ins),
            outcome => Err(AccountError::Service(Error::unexpected(outcome))),
        }
    }
}
