//! Credentials cache: who is behind an access key, for the requests of the next moment.
//! Owns: how long a look-up is good for. A change made on this node counts at once (`clear`), one made elsewhere within
//! `AGE_MAX`: that is how soon a disabled user is out everywhere.
//! Invariant: only what was found is remembered, never that something was not there; at most `ENTRIES_MAX` entries.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::identity_service::Credentials;

const AGE_MAX: Duration = Duration::from_millis(500);
/// About 300 bytes each. Past it the cache starts over, which costs one look-up a key.
const ENTRIES_MAX: usize = 4096;

#[derive(Default)]
pub(super) struct CredentialsCache {
    entries: Mutex<HashMap<String, (Instant, Credentials)>>,
}

impl CredentialsCache {
    pub fn get(&self, access_key: &str, now: Instant) -> Option<Credentials> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let (read_at, credentials) = entries.get(access_key)?;
        (now.saturating_duration_since(*read_at) < AGE_MAX).then(|| credentials.clone())
    }

    /// `read_at`: before the look-up began, so that it cannot be younger than what it saw.
    pub fn put(&self, read_at: Instant, credentials: Credentials) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= ENTRIES_MAX {
            entries.clear();
        }
        entries.insert(credentials.principal.access_key.clone(), (read_at, credentials));
    }

    pub fn clear(&self) {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use onggi_cluster::id::UserId;

    use super::*;
    use crate::services::{Principal, Secret};

    fn credentials(access_key: &str) -> Credentials {
        let access_key = access_key.to_owned();
        let principal = Principal { user: UserId(1), name: String::new(), admin: false, access_key, quota_bytes: None };
        Credentials { principal, secret: Secret::new("s") }
    }

    #[test]
    fn an_entry_is_good_for_a_moment() {
        let (cache, start) = (CredentialsCache::default(), Instant::now());
        cache.put(start, credentials("a"));
        assert!(cache.get("a", start + AGE_MAX / 2).is_some());
        assert!(cache.get("a", start + AGE_MAX).is_none());
        assert!(cache.get("b", start).is_none());
        cache.clear();
        assert!(cache.get("a", start).is_none());
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let (cache, start) = (CredentialsCache::default(), Instant::now());
        (0..ENTRIES_MAX + 1).for_each(|number| cache.put(start, credentials(&number.to_string())));
        assert_eq!(cache.entries.lock().unwrap().len(), 1);
    }
}
