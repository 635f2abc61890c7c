//! Exchange: a code or a refresh token for an access token.
//! Owns: what has to come with it. Does not own: that a code is good once, and what a refresh token that comes twice means (`apply`).

use std::net::IpAddr;
use std::time::Instant;

use onggi_cluster::id::UserId;
use onggi_cluster::metadata::command::{OwnerChange, RenewGrant};
use onggi_cluster::metadata::outcome::Outcome;
use onggi_cluster::metadata::record::{AccessToken, CodeTerms, GrantKind, GrantRecord};

use super::error::{AccountError, Result};
use super::pkce::Challenge;
use super::token::{Token, TokenKind};
use super::{ACCESS_TOKEN_LIFE, AccountService, REFRESH_TOKEN_LIFE, ms};
use crate::services::{Secret, fresh};

/// Shown once, here.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub user: UserId,
    pub access: Secret,
    /// `None`: the one that was presented stays, or none was asked for.
    pub refresh: Option<Secret>,
}

pub struct RedeemCode<'a> {
    pub code: &'a str,
    pub verifier: &'a str,
    /// As it was when the code was asked for.
    pub redirect_uri: Option<&'a str>,
    pub client: &'a str,
}

/// What a grant is exchanged for.
struct Terms {
    refresh: Option<Token>,
    expires_ms: u64,
    shows_refresh: bool,
}

impl AccountService {
    pub async fn redeem_code(&self, redeem: RedeemCode<'_>, address: IpAddr) -> Result<Tokens> {
        let redeemed = async {
            let code = Token::parse(redeem.code).filter(|code| code.kind == TokenKind::Code);
            let code = code.ok_or(AccountError::InvalidToken)?;
            let grant = self.standing(&code).await?;
            let GrantKind::Code(terms) = &grant.kind else {
                // It became a sign-in before: `apply` sees that it comes again, and ends that.
                return self.exchange(&code, Terms::of_sign_in(&code, true)).await;
            };
            let CodeTerms { challenge, redirect_uri, offline, .. } = terms;
            let is_met = Challenge(*challenge).is_met_by(redeem.verifier);
            if !is_met || redirect_uri.as_deref() != redeem.redirect_uri || grant.client != redeem.client {
                return Err(AccountError::InvalidToken);
            }
            self.exchange(&code, Terms::of_code(&code, *offline)).await
        };
        self.counted(redeemed.await, address)
    }

    /// The client is the one that the token was made for, if it says who it is.
    pub async fn refresh(&self, token: &str, client: Option<&str>, address: IpAddr) -> Result<Tokens> {
        let refreshed = async {
            let token = Token::parse(token).filter(|token| token.kind == TokenKind::Refresh);
            let token = token.ok_or(AccountError::InvalidToken)?;
            let grant = self.standing(&token).await?;
            let GrantKind::SignIn { rotates } = grant.kind else { return Err(AccountError::InvalidToken) };
            if client.is_some_and(|client| client != grant.client) {
                return Err(AccountError::InvalidToken);
            }
            self.exchange(&token, Terms::of_sign_in(&token, rotates)).await
        };
        self.counted(refreshed.await, address)
    }

    /// The grant of a code or refresh token, if it and its user still stand. Whether the token is the grant's, `apply` decides.
    async fn standing(&self, token: &Token) -> Result<GrantRecord> {
        let (grant, account) = futures::try_join!(self.grant(token.user, token.grant), self.account(token.user))?;
        let (grant, account) = grant.zip(account).ok_or(AccountError::InvalidToken)?;
        if account.admits(&grant, fresh::unix_ms()) { Ok(grant) } else { Err(AccountError::InvalidToken) }
    }

    async fn exchange(&self, presented: &Token, terms: Terms) -> Result<Tokens> {
        let user = presented.user;
        let access = Token::generate(TokenKind::Access, user, presented.grant);
        let expires_ms = fresh::unix_ms() + ms(ACCESS_TOKEN_LIFE);
        let change = RenewGrant {
            grant: presented.grant,
            presented: presented.hash(),
            lineage: presented.lineage(),
            token: terms.refresh.as_ref().map(Token::hash),
            access: AccessToken { token: access.hash(), expires_ms },
            expires_ms: terms.expires_ms,
        };
        match self.commit(user, OwnerChange::RenewGrant(change)).await {
            Ok(Outcome::GrantReused) => {
                tracing::warn!(
                    target: "onggi::audit",
                    user = user.0,
                    "a token came that was used before: its sign-in is over"
                );
                Err(AccountError::InvalidToken)
            }
            Ok(_) => {
                let refresh = terms.refresh.filter(|_| terms.shows_refresh).map(Token::into_text);
                Ok(Tokens { user, access: access.into_text(), refresh })
            }
            Err(AccountError::NotFound | AccountError::ExpiredToken) => Err(AccountError::InvalidToken),
            Err(error) => Err(error),
        }
    }

    /// A token that was wrong costs its address.
    pub(super) fn counted<T>(&self, result: Result<T>, address: IpAddr) -> Result<T> {
        if matches!(result, Err(AccountError::InvalidToken)) {
            self.failures
                .token_failed(address, Instant::now())
                .map_err(|retry_after| AccountError::TooManyAttempts { retry_after })?;
        }
        result
    }
}

impl Terms {
    fn of_sign_in(token: &Token, rotates: bool) -> Self {
        let refresh = rotates.then(|| token.successor());
        Self { refresh, expires_ms: fresh::unix_ms() + ms(REFRESH_TOKEN_LIFE), shows_refresh: true }
    }

    /// Without a refresh token the sign-in ends with its access token.
    fn of_code(code: &Token, offline: bool) -> Self {
        let refresh = Some(code.successor());
        let life = if offline { REFRESH_TOKEN_LIFE } else { ACCESS_TOKEN_LIFE };
        Self { refresh, expires_ms: fresh::unix_ms() + ms(life), shows_refresh: offline }
    }
}
