//! Accounts: a user's password, and what lets the user in without it (docs/accounts.md).
//! Invariant: nothing here opens a door by itself: only hashes are kept.

use std::fmt;

use crate::id::GrantId;

/// SHA-256 of a token's whole text. A token has 256 random bits, so that a slow hash would add nothing.
pub type TokenHash = [u8; 32];

/// Stands in the system group, apart from the user's record: what is looked up for every request stays small.
#[derive(Clone, Debug, PartialEq)]
pub struct PasswordRecord {
    pub hash: PasswordHash,
    pub changed_ms: u64,
    /// Sign-ins that were made under another number are over. Raised by every change of the password.
    pub sign_ins: u64,
    /// The same for app passwords; raised when an operator sets the password.
    pub app_passwords: u64,
}

/// Argon2id with its salt and parameters, as a PHC string.
#[derive(Clone, PartialEq)]
pub struct PasswordHash {
    pub phc: String,
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// What lets its owner in without a password, until it expires or is revoked.
#[derive(Clone, Debug, PartialEq)]
pub struct GrantRecord {
    pub grant: GrantId,
    pub kind: GrantKind,
    /// For its owner to tell it from others: the name of an app password, the device of a sign-in.
    pub name: String,
    /// The OAuth client that it was made for; empty for first-party clients.
    pub client: String,
    pub created_ms: u64,
    /// To within an hour.
    pub used_ms: u64,
    /// `None`: until it is revoked.
    pub expires_ms: Option<u64>,
    /// The number in the password record (`sign_ins` or `app_passwords`) that it was made under.
    pub under: u64,
    /// Of the refresh token, the code, the cookie or the app password.
    pub token: TokenHash,
    /// Of what all refresh tokens of the grant, and the code before them, have in common: whoever does not know it never had one.
    pub lineage: TokenHash,
    /// The refresh token before, taken for a moment more: the answer with the new one may have been lost.
    pub replaced: Option<ReplacedToken>,
    /// Got with the refresh token, the oldest first.
    pub access: Vec<AccessToken>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum GrantKind {
    /// A refresh token, and the access tokens got with it.
    SignIn {
        /// Each use of the refresh token replaces it.
        rotates: bool,
    },
    /// The cookie of a browser.
    Console,
    AppPassword,
    /// Becomes a sign-in when it is redeemed, once.
    Code(CodeTerms),
}

/// What has to come with a code (RFC 7636), and what becomes of it.
#[derive(Clone, Debug, PartialEq)]
pub struct CodeTerms {
    /// SHA-256 of the verifier.
    pub challenge: [u8; 32],
    /// `None`: the code was shown to the user.
    pub redirect_uri: Option<String>,
    /// A refresh token was asked for.
    pub offline: bool,
    pub rotates: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ReplacedToken {
    pub token: TokenHash,
    pub until_ms: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AccessToken {
    pub token: TokenHash,
    pub expires_ms: u64,
}
