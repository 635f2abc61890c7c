//! Access: who is behind an access token, an app password or a cookie, now.
//! Owns: that all of it still holds: the grant, the user, the password that the sign-in was made under.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use onggi_cluster::id::UserId;
use onggi_cluster::metadata::command::{OwnerChange, TouchGrant};
use onggi_cluster::metadata::record::{GrantKind, GrantRecord};

use super::caller::{Caller, ProofKind};
use super::error::{AccountError, Result};
use super::token::{Token, TokenKind, same};
use super::{Account, AccountService, CONSOLE_LIFE, ms};
use crate::services::{Principal, fresh};

/// How exactly the last use is known: one change of the record in this time.
const TOUCH_INTERVAL: Duration = Duration::from_secs(60 * 60);

/// What a request brings.
#[derive(Clone, Copy)]
pub enum Proof<'a> {
    Bearer(&'a str),
    /// The password is an app password.
    Basic {
        user: &'a str,
        password: &'a str,
    },
    /// The cookie, and what the page sent to show that it is ours; `None` where none is needed.
    Console {
        cookie: &'a str,
        csrf: Option<&'a str>,
    },
}

impl AccountService {
    pub async fn caller(&self, proof: Proof<'_>, address: IpAddr) -> Result<Caller> {
        let (kind, text) = match proof {
            Proof::Bearer(text) => (TokenKind::Access, text),
            Proof::Basic { password, .. } => (TokenKind::AppPassword, password),
            Proof::Console { cookie, .. } => (TokenKind::Console, cookie),
        };
        let found = match Token::parse(text).filter(|token| token.kind == kind) {
            Some(token) => self.holder(&token).await.map(|caller| (token, caller)),
            None => Err(AccountError::InvalidToken),
        };
        let (token, caller) = self.counted(found, address)?;
        match proof {
            Proof::Bearer(_) => {}
            Proof::Basic { user, .. } if user == caller.principal.name => {}
            Proof::Basic { .. } => return self.counted(Err(AccountError::InvalidToken), address),
            Proof::Console { csrf, .. } => check_csrf(&token, csrf)?,
        }
        Ok(caller)
    }

    /// What a page of ours has to send with every request that changes something.
    pub fn csrf_of(&self, cookie: &str) -> Result<String> {
        Token::parse(cookie).map(|token| token.csrf()).ok_or(AccountError::InvalidToken)
    }

    async fn holder(&self, token: &Token) -> Result<Caller> {
        let (now, hash) = (Instant::now(), token.hash());
        if let Some(caller) = self.recent.get(&hash, now) {
            return Ok(caller);
        }
        let (grant, account) = futures::try_join!(self.grant(token.user, token.grant), self.account(token.user))?;
        let (grant, account) = grant.zip(account).ok_or(AccountError::InvalidToken)?;
        let now_ms = fresh::unix_ms();
        let proof = holds(&grant, token, now_ms)?;
        if !account.admits(&grant, now_ms) {
            return Err(AccountError::InvalidToken);
        }
        self.note_use(token, &grant, now_ms);
        let caller = Caller { principal: account.principal(), device: grant.name, grant: grant.grant, proof };
        self.recent.put(now, hash, caller.clone());
        Ok(caller)
    }

    /// `None`: nobody, or disabled.
    pub async fn principal(&self, user: UserId) -> Result<Option<Principal>> {
        let account = self.account(user).await?;
        Ok(account.filter(|account| account.user.enabled).map(Account::principal))
    }

    /// In the background: the request does not wait for it.
    fn note_use(&self, token: &Token, grant: &GrantRecord, now_ms: u64) {
        if now_ms.saturating_sub(grant.used_ms) < ms(TOUCH_INTERVAL) {
            return;
        }
        let Ok(permit) = self.touches.clone().try_acquire_owned() else { return };
        let expires_ms = (grant.kind == GrantKind::Console).then(|| now_ms + ms(CONSOLE_LIFE));
        let (accounts, user) = (self.clone(), token.user);
        let change = OwnerChange::TouchGrant(TouchGrant { grant: grant.grant, expires_ms, under: None });
        tokio::spawn(async move {
            if let Err(error) = accounts.commit(user, change).await {
                tracing::debug!(%error, "the use of a grant was not noted");
            }
            drop(permit);
        });
    }
}

/// Whether the token is the grant's and has not expired.
fn holds(grant: &GrantRecord, token: &Token, now_ms: u64) -> Result<ProofKind> {
    let hash = token.hash();
    match (token.kind, &grant.kind) {
        (TokenKind::Access, GrantKind::SignIn { .. }) => {
            let access = grant.access.iter().find(|access| same(&access.token, &hash));
            // One that is not there any more made room for a younger one, or was never there: a refresh tells.
            match access.is_some_and(|access| now_ms < access.expires_ms) {
                true => Ok(ProofKind::AccessToken),
                false => Err(AccountError::ExpiredToken),
            }
        }
        (TokenKind::AppPassword, GrantKind::AppPassword) if same(&grant.token, &hash) => Ok(ProofKind::AppPassword),
        (TokenKind::Console, GrantKind::Console) if same(&grant.token, &hash) => Ok(ProofKind::Console),
        _ => Err(AccountError::InvalidToken),
    }
}

fn check_csrf(token: &Token, sent: Option<&str>) -> Result<()> {
    use subtle::ConstantTimeEq;
    let is_ours = sent.is_none_or(|sent| sent.as_bytes().ct_eq(token.csrf().as_bytes()).into());
    if is_ours { Ok(()) } else { Err(AccountError::Denied("the X-Onggi-CSRF header is not this session's")) }
}

impl Account {
    /// Whether a grant of this user still lets in.
    pub(super) fn admits(&self, grant: &GrantRecord, now_ms: u64) -> bool {
        let stands_under = self.password.as_ref().map(|password| match grant.kind {
            GrantKind::AppPassword => password.app_passwords,
            GrantKind::SignIn { .. } | GrantKind::Console | GrantKind::Code(_) => password.sign_ins,
        });
        let is_alive = grant.expires_ms.is_none_or(|expires_ms| now_ms < expires_ms);
        self.user.enabled && is_alive && stands_under == Some(grant.under)
    }

    fn principal(self) -> Principal {
        let user = self.user;
        Principal {
            user: user.id,
            name: user.name,
            admin: user.admin,
            access_key: String::new(),
            quota_bytes: user.quota_bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use onggi_cluster::id::{GrantId, UserId};
    use onggi_cluster::metadata::record::{AccessToken, PasswordHash, PasswordRecord, UserRecord};

    use super::*;

    const NOW_MS: u64 = 1_000_000;

    fn account(enabled: bool, sign_ins: u64, app_passwords: u64) -> Account {
        let user =
            UserRecord { id: UserId(2), name: "ann".into(), created_ms: 1, enabled, admin: false, quota_bytes: None };
        let hash = PasswordHash { phc: String::new() };
        Account { user, password: Some(PasswordRecord { hash, changed_ms: 1, sign_ins, app_passwords }) }
    }

    fn grant(kind: GrantKind, token: &Token) -> GrantRecord {
        GrantRecord {
            grant: GrantId(1),
            kind,
            name: String::new(),
            client: String::new(),
            created_ms: 1,
            used_ms: 1,
            expires_ms: None,
            under: 3,
            token: token.hash(),
            lineage: token.lineage(),
            replaced: None,
            access: vec![AccessToken { token: token.hash(), expires_ms: NOW_MS }],
        }
    }

    fn token(kind: TokenKind) -> Token {
        Token::generate(kind, UserId(2), GrantId(1))
    }

    #[test]
    fn a_grant_holds_for_an_enabled_user_under_the_same_password_until_it_expires() {
        let sign_in = grant(GrantKind::SignIn { rotates: true }, &token(TokenKind::Access));
        let app_password = grant(GrantKind::AppPassword, &token(TokenKind::AppPassword));
        assert!(account(true, 3, 9).admits(&sign_in, NOW_MS));
        assert!(!account(false, 3, 9).admits(&sign_in, NOW_MS), "disabled");
        assert!(!account(true, 4, 3).admits(&sign_in, NOW_MS), "the password was changed");
        assert!(account(true, 4, 3).admits(&app_password, NOW_MS), "which an app password outlives");
        assert!(!account(true, 3, 4).admits(&app_password, NOW_MS), "unless an operator set it");
        assert!(!Account { password: None, ..account(true, 3, 3) }.admits(&sign_in, NOW_MS));
        let expiring = GrantRecord { expires_ms: Some(NOW_MS), ..sign_in };
        assert!(account(true, 3, 9).admits(&expiring, NOW_MS - 1));
        assert!(!account(true, 3, 9).admits(&expiring, NOW_MS));
    }

    #[test]
    fn a_token_opens_what_it_was_made_for() {
        let kinds =
            [TokenKind::Access, TokenKind::Refresh, TokenKind::AppPassword, TokenKind::Code, TokenKind::Console];
        let opens = |kind: GrantKind| {
            let of = |token_kind| {
                let token = token(token_kind);
                holds(&grant(kind.clone(), &token), &token, NOW_MS - 1).is_ok()
            };
            kinds.map(of)
        };
        assert_eq!(opens(GrantKind::SignIn { rotates: true }), [true, false, false, false, false]);
        assert_eq!(opens(GrantKind::AppPassword), [false, false, true, false, false]);
        assert_eq!(opens(GrantKind::Console), [false, false, false, false, true]);
    }

    #[test]
    fn an_access_token_expires_before_its_sign_in() {
        let access = token(TokenKind::Access);
        let sign_in = grant(GrantKind::SignIn { rotates: true }, &access);
        assert!(matches!(holds(&sign_in, &access, NOW_MS), Err(AccountError::ExpiredToken)));
        assert!(matches!(holds(&sign_in, &token(TokenKind::Access), 1), Err(AccountError::ExpiredToken)));
    }

    #[test]
    fn only_a_page_of_ours_knows_the_csrf_text() {
        let cookie = token(TokenKind::Console);
        assert!(check_csrf(&cookie, None).is_ok());
        assert!(check_csrf(&cookie, Some(&cookie.csrf())).is_ok());
        assert!(check_csrf(&cookie, Some("")).is_err());
        assert!(check_csrf(&cookie, Some(&token(TokenKind::Console).csrf())).is_err());
    }
}
