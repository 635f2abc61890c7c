//! Share service: links that let people in who have no account (docs/share-links.md).
//! Owns: making, changing and ending them, and who is let in by one.
//! Does not own: what the tree does (`drive`), what is decided in `apply`, the forms on the wire.
//! Invariant: a visitor gets nothing that does not lie below what the link names, now.

mod error;
mod link_token;
mod links;
mod unlock;
mod visit;

pub use error::{Result, ShareError};
pub(super) use link_token::ShareKey;
pub use links::{LinkTerms, Shared, SharedPage};
pub use unlock::UNLOCKED_FOR;
pub use visit::{Arriving, Visit};

use super::account_service::AccountService;
use super::drive::DriveService;

/// Cheap to clone.
#[derive(Clone)]
pub struct ShareService {
    drive: DriveService,
    accounts: AccountService,
    key: ShareKey,
}

impl ShareService {
    pub(super) fn new(drive: DriveService, accounts: AccountService, key: ShareKey) -> Self {
        Self { drive, accounts, key }
    }
}
