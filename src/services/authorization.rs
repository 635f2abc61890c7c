//! Authorization: the one function that every front end's every operation passes.
//!
//! The rule: a user may do everything in the buckets of their own, and nothing in anybody else's. Admins are no
//! exception: they manage users, they do not read their data. Nobody is anonymous: without a principal there is nothing
//! to call services with.

use onggi_cluster::id::UserId;

use super::error::{Error, Result};
use super::principal::Principal;

pub fn authorize(principal: &Principal, bucket_owner: UserId) -> Result<()> {
    if principal.user == bucket_owner { Ok(()) } else { Err(Error::AccessDenied) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn principal(user: u64, admin: bool) -> Principal {
        Principal { user: UserId(user), name: String::new(), admin, access_key: String::new(), quota_bytes: None }
    }

    #[test]
    fn only_the_owner_is_let_in() {
        assert!(authorize(&principal(2, false), UserId(2)).is_ok());
        assert!(matches!(authorize(&principal(3, false), UserId(2)), Err(Error::AccessDenied)));
        assert!(matches!(authorize(&principal(1, true), UserId(2)), Err(Error::AccessDenied)));
    }
}
