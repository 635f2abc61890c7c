//! Principal: who asks, once proven.

use onggi_cluster::id::{OwnerKey, UserId};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    pub user: UserId,
    pub name: String,
    /// May use the admin API. Says nothing about other users' data (see `authorization`).
    pub admin: bool,
    pub access_key: String,
    /// Bytes that the user's buckets may hold; `None` is without limit.
    pub quota_bytes: Option<u64>,
}

impl Principal {
    pub fn owner_key(&self) -> OwnerKey {
        self.user.owner_key()
    }
}
