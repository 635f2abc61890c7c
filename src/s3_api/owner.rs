//! Owners: how documents and headers name a user.

use onggi_cluster::id::UserId;

use crate::s3_api::xml::elements::Owner;
use crate::services::Principal;

/// Whoever may see a bucket owns it, and everything in it.
pub fn of(principal: &Principal) -> Owner {
    Owner { id: canonical_id(principal.user), display_name: principal.name.clone() }
}

/// 64 hex digits, as Amazon's canonical ids.
pub fn canonical_id(user: UserId) -> String {
    format!("{:064x}", user.0)
}

/// 12 digits, as Amazon's account numbers.
pub fn account_id(user: UserId) -> String {
    format!("{:012}", user.0)
}
