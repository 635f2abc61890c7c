//! Account service: passwords, sign-ins, tokens and app passwords (docs/accounts.md).
//! Owns: who is let in and for how long; the order of steps between the system group (passwords) and the owner's (grants).
//! Does not own: HTTP and OAuth's forms (`drive_api`), users and access keys (`identity_service`), what is decided in `apply`.
//! Invariant: no secret is stored, logged or shown twice; whoever is disabled is out within a second on every node.

mod access;
mod caller;
mod change_password;
mod error;
mod exchange;
mod failures;
mod grants;
mod guess;
mod password;
mod pkce;
mod sign_in;
mod token;

use std::sync::Arc;
use std::time::{Duration, Instant};

use onggi_cluster::id::{GrantId, UserId};
use onggi_cluster::metadata::command::{OwnerChange, SystemChange};
use onggi_cluster::metadata::outcome::{Outcome, Refusal};
use onggi_cluster::metadata::query;
use onggi_cluster::metadata::record::{GrantRecord, PasswordRecord, TokenHash, UserRecord};
use tokio::sync::Semaphore;

pub use access::Proof;
pub use caller::{Caller, ProofKind};
pub use error::{AccountError, Result};
pub use exchange::{RedeemCode, Tokens};
pub use grants::{AppPassword, NewAppPassword, SignedIn};
pub use password::check_password;
pub use pkce::Challenge;
pub use sign_in::{CodeRequest, ConsoleSession, SignIn};

use failures::Failures;
use password::PasswordHasher;

use super::error::Error;
use super::metadata_access::MetadataAccess;
use super::moment_cache::MomentCache;

pub const ACCESS_TOKEN_LIFE: Duration = Duration::from_secs(4 * 60 * 60);
/// Of a refresh token, from each use on.
const REFRESH_TOKEN_LIFE: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// Of a browser's session, from each use on.
pub const CONSOLE_LIFE: Duration = Duration::from_secs(14 * 24 * 60 * 60);
/// A program takes it from the redirect at once.
const CODE_LIFE: Duration = Duration::from_secs(60);
/// A person copies it.
const SHOWN_CODE_LIFE: Duration = Duration::from_secs(10 * 60);
/// Notes of use that may be on their way at once; one that is left out is made by the next request.
const TOUCHES_MAX: usize = 16;

/// Cheap to clone.
#[derive(Clone)]
pub struct AccountService {
    metadata: MetadataAccess,
    hasher: PasswordHasher,
    failures: Arc<Failures>,
    recent: Arc<MomentCache<TokenHash, Caller>>,
    touches: Arc<Semaphore>,
}

/// What the system group says of a user.
#[derive(Clone, Debug)]
struct Account {
    user: UserRecord,
    /// `None`: nobody set one, and the user cannot sign in.
    password: Option<PasswordRecord>,
}

impl AccountService {
    pub(super) fn new(metadata: MetadataAccess) -> Self {
        Self {
            metadata,
            hasher: PasswordHasher::new(),
            failures: Arc::new(Failures::new(Instant::now())),
            recent: Arc::default(),
            touches: Arc::new(Semaphore::new(TOUCHES_MAX)),
        }
    }

    async fn account(&self, user: UserId) -> Result<Option<Account>> {
        let account = self.metadata.read_system(move |view| {
            let Some(user) = query::user(view, user)? else { return Ok(None) };
            let password = query::password(view, user.id)?;
            Ok(Some(Account { user, password }))
        });
        Ok(account.await?)
    }

    async fn account_by_name(&self, name: &str) -> Result<Option<Account>> {
        let name = name.to_owned();
        let account = self.metadata.read_system(move |view| {
            let Some(user) = query::user_by_name(view, &name)? else { return Ok(None) };
            let password = query::password(view, user.id)?;
            Ok(Some(Account { user, password }))
        });
        Ok(account.await?)
    }

    async fn grant(&self, user: UserId, grant: GrantId) -> Result<Option<GrantRecord>> {
        let owner = user.owner_key();
        Ok(self.metadata.read_owner(owner, move |view| query::grant(view, owner, grant)).await?)
    }

    /// What was looked up before a change does not outlive it on this node.
    async fn commit(&self, user: UserId, change: OwnerChange) -> Result<Outcome> {
        let outcome = self.metadata.commit(user.owner_key(), change).await;
        self.recent.clear();
        outcome.map_err(of_refusal)
    }

    async fn commit_system(&self, change: SystemChange) -> Result<Outcome> {
        let outcome = self.metadata.commit_system(change).await;
        self.recent.clear();
        outcome.map_err(of_refusal)
    }
}

/// Refusals that callers tell apart have words of their own.
fn of_refusal(error: Error) -> AccountError {
    match error {
        Error::Refused(Refusal::NoSuchGrant) => AccountError::NotFound,
        Error::Refused(Refusal::GrantExpired) => AccountError::ExpiredToken,
        Error::Refused(Refusal::TooManyGrants { max }) => AccountError::TooMany { max },
        Error::Refused(Refusal::PasswordChanged) => AccountError::PasswordChanged,
        error => AccountError::Service(error),
    }
}

fn ms(duration: Duration) -> u64 {
    duration.as_millis() as u64
}
