//! Grants as their owner sees them: app passwords and sign-ins, listed, made and revoked.

use onggi_cluster::id::GrantId;
use onggi_cluster::metadata::command::OwnerChange;
use onggi_cluster::metadata::query;
use onggi_cluster::metadata::record::{GrantKind, GrantRecord};

use super::AccountService;
use super::caller::Caller;
use super::error::{AccountError, Result};
use super::sign_in::shown;
use super::token::{Token, TokenKind, same};
use crate::services::{Secret, fresh};

#[derive(Clone, Debug)]
pub struct AppPassword {
    pub id: GrantId,
    pub name: String,
    pub created_ms: u64,
    /// To within an hour.
    pub used_ms: u64,
}

/// The password is shown once, here.
pub struct NewAppPassword {
    pub id: GrantId,
    pub name: String,
    pub password: Secret,
}

#[derive(Clone, Debug)]
pub struct SignedIn {
    pub id: GrantId,
    pub device: String,
    /// The OAuth client; empty for first-party clients.
    pub client: String,
    pub is_browser: bool,
    /// It is the one that asks.
    pub is_current: bool,
    pub created_ms: u64,
    pub used_ms: u64,
    pub expires_ms: Option<u64>,
}

impl AccountService {
    pub async fn app_passwords(&self, caller: &Caller) -> Result<Vec<AppPassword>> {
        let grants = self.standing_grants(caller).await?.into_iter().filter(is_app_password);
        let app_password = |grant: GrantRecord| AppPassword {
            id: grant.grant,
            name: grant.name,
            created_ms: grant.created_ms,
            used_ms: grant.used_ms,
        };
        Ok(grants.map(app_password).collect())
    }

    pub async fn create_app_password(&self, caller: &Caller, name: &str) -> Result<NewAppPassword> {
        let name = shown(name);
        if name.is_empty() {
            return Err(AccountError::Invalid("an app password needs a name, to know it by when it is to be revoked"));
        }
        let user = manage(caller)?.principal.user;
        let account = self.account(user).await?.ok_or(AccountError::InvalidToken)?;
        let under = account.password.ok_or(AccountError::InvalidToken)?.app_passwords;
        let token = Token::generate(TokenKind::AppPassword, user, GrantId(fresh::random()));
        let now_ms = fresh::unix_ms();
        let grant = GrantRecord {
            grant: token.grant,
            kind: GrantKind::AppPassword,
            name: name.clone(),
            client: String::new(),
            created_ms: now_ms,
            used_ms: now_ms,
            expires_ms: None,
            under,
            token: token.hash(),
            lineage: token.lineage(),
            replaced: None,
            access: Vec::new(),
        };
        self.commit(user, OwnerChange::CreateGrant { grant }).await?;
        audit(caller, "create app password", token.grant);
        Ok(NewAppPassword { id: token.grant, name, password: token.into_text() })
    }

    pub async fn revoke_app_password(&self, caller: &Caller, id: GrantId) -> Result<()> {
        self.revoke_if(caller, id, is_app_password).await?;
        audit(caller, "revoke app password", id);
        Ok(())
    }

    pub async fn sign_ins(&self, caller: &Caller) -> Result<Vec<SignedIn>> {
        let grants = self.standing_grants(caller).await?.into_iter().filter(is_sign_in);
        let signed_in = |grant: GrantRecord| SignedIn {
            id: grant.grant,
            is_browser: grant.kind == GrantKind::Console,
            is_current: grant.grant == caller.grant,
            device: grant.name,
            client: grant.client,
            created_ms: grant.created_ms,
            used_ms: grant.used_ms,
            expires_ms: grant.expires_ms,
        };
        Ok(grants.map(signed_in).collect())
    }

    pub async fn end_sign_in(&self, caller: &Caller, id: GrantId) -> Result<()> {
        self.revoke_if(caller, id, is_sign_in).await?;
        audit(caller, "end sign-in", id);
        Ok(())
    }

    /// The caller's own sign-in.
    pub async fn sign_out(&self, caller: &Caller) -> Result<()> {
        self.commit(caller.principal.user, OwnerChange::RevokeGrant { grant: caller.grant }).await?;
        audit(caller, "sign out", caller.grant);
        Ok(())
    }

    /// Whoever holds an access or refresh token may end its sign-in (RFC 7009). One that is not valid is revoked already.
    pub async fn revoke_token(&self, text: &str) -> Result<()> {
        let Some(token) = Token::parse(text) else { return Ok(()) };
        let Some(grant) = self.grant(token.user, token.grant).await? else { return Ok(()) };
        let hash = token.hash();
        let is_its = match token.kind {
            TokenKind::Access => grant.access.iter().any(|access| same(&access.token, &hash)),
            TokenKind::Refresh | TokenKind::Code => same(&grant.token, &hash),
            TokenKind::AppPassword | TokenKind::Console => false,
        };
        if !is_its {
            return Ok(());
        }
        match self.commit(token.user, OwnerChange::RevokeGrant { grant: token.grant }).await {
            Ok(_) => {
                tracing::info!(target: "onggi::audit", user = token.user.0, action = "revoke token", "account changed");
                Ok(())
            }
            Err(AccountError::NotFound) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn revoke_if(&self, caller: &Caller, id: GrantId, is_it: fn(&GrantRecord) -> bool) -> Result<()> {
        let user = manage(caller)?.principal.user;
        let grant = self.grant(user, id).await?.filter(is_it).ok_or(AccountError::NotFound)?;
        self.commit(user, OwnerChange::RevokeGrant { grant: grant.grant }).await.map(drop)
    }

    /// Those that still let in.
    async fn standing_grants(&self, caller: &Caller) -> Result<Vec<GrantRecord>> {
        let user = manage(caller)?.principal.user;
        let owner = user.owner_key();
        let grants = async { Ok(self.metadata.read_owner(owner, move |view| query::grants(view, owner)).await?) };
        let (grants, account) = futures::try_join!(grants, self.account(user))?;
        let account = account.ok_or(AccountError::InvalidToken)?;
        let now_ms = fresh::unix_ms();
        Ok(grants.into_iter().filter(|grant| account.admits(grant, now_ms)).collect())
    }
}

/// Whoever finds an app password in a program's settings must not be able to make more of them.
pub(super) fn manage(caller: &Caller) -> Result<&Caller> {
    if caller.may_manage_account() {
        return Ok(caller);
    }
    Err(AccountError::Denied("an app password does not manage the account: sign in with the password"))
}

fn is_app_password(grant: &GrantRecord) -> bool {
    grant.kind == GrantKind::AppPassword
}

fn is_sign_in(grant: &GrantRecord) -> bool {
    matches!(grant.kind, GrantKind::SignIn { .. } | GrantKind::Console)
}

fn audit(caller: &Caller, action: &'static str, grant: GrantId) {
    let user = &caller.principal.name;
    tracing::info!(target: "onggi::audit", %user, action, grant = %format_args!("{:016x}", grant.0), "account changed");
}
