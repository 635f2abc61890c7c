//! Changes of passwords and of what lets users in without them.

use crate::id::{GrantId, UserId};
use crate::metadata::record::{AccessToken, PasswordHash, TokenHash};

/// Every sign-in of the user is over with it.
#[derive(Clone, Debug, PartialEq)]
pub struct SetPassword {
    pub user: UserId,
    pub hash: PasswordHash,
    /// Their app passwords are over, too.
    pub ends_app_passwords: bool,
    /// Refused unless the record that stands has this number of `sign_ins`: the old password was checked against it.
    pub expected: Option<u64>,
}

/// A refresh token or a code is exchanged for an access token. One that the grant does not stand for any more was used twice, by
/// two parties: then the grant is over.
#[derive(Clone, Debug, PartialEq)]
pub struct RenewGrant {
    pub grant: GrantId,
    pub presented: TokenHash,
    /// Of the one that was presented. Not the grant's: it was made up, and means nothing.
    pub lineage: TokenHash,
    /// The refresh token from now on; `None`: the one that was presented.
    pub token: Option<TokenHash>,
    pub access: AccessToken,
    pub expires_ms: u64,
}

/// It was used; `None` leaves as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct TouchGrant {
    pub grant: GrantId,
    pub expires_ms: Option<u64>,
    /// It outlives the change of the password that its owner made with it.
    pub under: Option<u64>,
}
