//! Sign-in: from a user name and a password to a grant: tokens for a program, a cookie for a browser, a code for an OAuth client.
//! Invariant: one answer for everything that is wrong, and it takes as long as the right one.

use std::net::IpAddr;
use std::time::Instant;

use onggi_cluster::id::{GrantId, UserId};
use onggi_cluster::metadata::command::OwnerChange;
use onggi_cluster::metadata::record::{AccessToken, CodeTerms, GrantKind, GrantRecord, PasswordRecord, UserRecord};

use super::error::{AccountError, Result};
use super::exchange::Tokens;
use super::pkce::Challenge;
use super::token::{Token, TokenKind};
use super::{ACCESS_TOKEN_LIFE, AccountService, CODE_LIFE, CONSOLE_LIFE, REFRESH_TOKEN_LIFE, SHOWN_CODE_LIFE, ms};
use crate::services::{Secret, fresh};

/// Names of devices and clients are shown to people.
const NAME_CHARS_MAX: usize = 100;

#[derive(Clone, Debug)]
pub struct SignIn {
    pub user: String,
    pub password: Secret,
    /// As the user will find it in the list of their sign-ins.
    pub device: String,
    /// The OAuth client; empty for first-party clients.
    pub client: String,
    pub address: IpAddr,
}

/// A code for whoever has the verifier.
#[derive(Clone, Debug)]
pub struct CodeRequest {
    pub challenge: Challenge,
    /// `None`: the code is shown to the user.
    pub redirect_uri: Option<String>,
    pub offline: bool,
    pub rotates: bool,
}

pub struct ConsoleSession {
    pub user: UserRecord,
    pub cookie: Secret,
    pub csrf: String,
}

/// The right password came.
struct Proven {
    user: UserRecord,
    password: PasswordRecord,
}

impl AccountService {
    /// The resource owner's password, for first-party clients.
    pub async fn sign_in(&self, sign_in: SignIn) -> Result<Tokens> {
        let proven = self.prove(&sign_in).await?;
        let user = proven.user.id;
        let grant = GrantId(fresh::random());
        let refresh = Token::generate(TokenKind::Refresh, user, grant);
        let access = Token::generate(TokenKind::Access, user, grant);
        let now_ms = fresh::unix_ms();
        let record = GrantRecord {
            expires_ms: Some(now_ms + ms(REFRESH_TOKEN_LIFE)),
            access: vec![AccessToken { token: access.hash(), expires_ms: now_ms + ms(ACCESS_TOKEN_LIFE) }],
            ..proven.grant(&refresh, GrantKind::SignIn { rotates: true }, &sign_in, now_ms)
        };
        self.commit(user, OwnerChange::CreateGrant { grant: record }).await?;
        self.audit_sign_in(&sign_in, "password");
        Ok(Tokens { user, access: access.into_text(), refresh: Some(refresh.into_text()) })
    }

    pub async fn open_console(&self, sign_in: SignIn) -> Result<ConsoleSession> {
        let proven = self.prove(&sign_in).await?;
        let cookie = Token::generate(TokenKind::Console, proven.user.id, GrantId(fresh::random()));
        let now_ms = fresh::unix_ms();
        let record = GrantRecord {
            expires_ms: Some(now_ms + ms(CONSOLE_LIFE)),
            ..proven.grant(&cookie, GrantKind::Console, &sign_in, now_ms)
        };
        self.commit(proven.user.id, OwnerChange::CreateGrant { grant: record }).await?;
        self.audit_sign_in(&sign_in, "console");
        Ok(ConsoleSession { user: proven.user, csrf: cookie.csrf(), cookie: cookie.into_text() })
    }

    /// The user agrees by signing in.
    pub async fn authorize_client(&self, sign_in: SignIn, request: CodeRequest) -> Result<Secret> {
        let proven = self.prove(&sign_in).await?;
        let CodeRequest { challenge, redirect_uri, offline, rotates } = request;
        let life = if redirect_uri.is_some() { CODE_LIFE } else { SHOWN_CODE_LIFE };
        let code = Token::generate(TokenKind::Code, proven.user.id, GrantId(fresh::random()));
        let terms = CodeTerms { challenge: challenge.0, redirect_uri, offline, rotates };
        let now_ms = fresh::unix_ms();
        let record = GrantRecord {
            expires_ms: Some(now_ms + ms(life)),
            ..proven.grant(&code, GrantKind::Code(terms), &sign_in, now_ms)
        };
        self.commit(proven.user.id, OwnerChange::CreateGrant { grant: record }).await?;
        self.audit_sign_in(&sign_in, "authorize client");
        Ok(code.into_text())
    }

    /// A user who is signed in says the password again.
    pub(super) async fn prove_again(
        &self,
        user: UserId,
        name: &str,
        password: Secret,
        address: IpAddr,
    ) -> Result<PasswordRecord> {
        let sign_in = SignIn { user: name.to_owned(), password, device: String::new(), client: String::new(), address };
        let proven = self.prove(&sign_in).await?;
        // The name is the caller's; a user of this name who is another one has come since.
        if proven.user.id == user { Ok(proven.password) } else { Err(AccountError::WrongPassword) }
    }

    async fn prove(&self, sign_in: &SignIn) -> Result<Proven> {
        let proven = self.check(sign_in).await;
        if let Err(error) = &proven {
            let (user, address, client) = (sign_in.user.escape_debug(), sign_in.address, sign_in.client.escape_debug());
            tracing::warn!(target: "onggi::audit", %user, %address, %client, %error, "sign-in refused");
        }
        proven
    }

    async fn check(&self, sign_in: &SignIn) -> Result<Proven> {
        let attempt = self
            .failures
            .begin(&sign_in.user, sign_in.address, Instant::now())
            .map_err(|retry_after| AccountError::TooManyAttempts { retry_after })?;
        let checked = self.compare(sign_in).await;
        // What was not decided is no failure of theirs.
        if !matches!(checked, Ok(None)) {
            attempt.succeeded();
        }
        let proven = checked?.ok_or(AccountError::WrongPassword)?;
        if proven.user.enabled { Ok(proven) } else { Err(AccountError::Disabled) }
    }

    /// `None`: wrong.
    async fn compare(&self, sign_in: &SignIn) -> Result<Option<Proven>> {
        let account = self.account_by_name(&sign_in.user).await?;
        let known = account.and_then(|account| Some((account.user, account.password?)));
        let hash = known.as_ref().map(|(_, password)| password.hash.clone());
        let is_right = self.hasher.verify(sign_in.password.clone(), hash).await?;
        Ok(known.filter(|_| is_right).map(|(user, password)| Proven { user, password }))
    }

    fn audit_sign_in(&self, sign_in: &SignIn, action: &'static str) {
        let (user, address, client) = (&sign_in.user, sign_in.address, sign_in.client.escape_debug());
        tracing::info!(target: "onggi::audit", %user, %address, %client, action, "signed in");
    }
}

impl Proven {
    fn grant(&self, token: &Token, kind: GrantKind, sign_in: &SignIn, now_ms: u64) -> GrantRecord {
        GrantRecord {
            grant: token.grant,
            kind,
            name: shown(&sign_in.device),
            client: shown(&sign_in.client),
            created_ms: now_ms,
            used_ms: now_ms,
            expires_ms: None,
            under: self.password.sign_ins,
            token: token.hash(),
            lineage: token.lineage(),
            replaced: None,
            access: Vec::new(),
        }
    }
}

/// Cut to what fits in a list, without what could spoil it.
pub(super) fn shown(name: &str) -> String {
    name.trim().chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect()
}
