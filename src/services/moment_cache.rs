//! Moment cache: who is behind an access key or a token, for the requests of the next moment.
//! Owns: how long a look-up is good for. A change made on this node counts at once (`clear`), one made elsewhere within
//! `AGE_MAX`: that is how soon a disabled user is out everywhere.
//! Invariant: only what was found is remembered, never that something was not there; at most `ENTRIES_MAX` entries.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const AGE_MAX: Duration = Duration::from_millis(500);
/// About 300 bytes each. Past it the cache starts over, which costs one look-up a key.
const ENTRIES_MAX: usize = 4096;

pub(super) struct MomentCache<K, V> {
    entries: Mutex<HashMap<K, (Instant, V)>>,
}

impl<K, V> Default for MomentCache<K, V> {
    fn default() -> Self {
        Self { entries: Mutex::new(HashMap::new()) }
    }
}

impl<K: Hash + Eq, V: Clone> MomentCache<K, V> {
    pub fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q, now: Instant) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let (read_at, value) = entries.get(key)?;
        (now.saturating_duration_since(*read_at) < AGE_MAX).then(|| value.clone())
    }

    /// `read_at`: before the look-up began, so that it cannot be younger than what it saw.
    pub fn put(&self, read_at: Instant, key: K, value: V) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= ENTRIES_MAX {
            entries.clear();
        }
        entries.insert(key, (read_at, value));
    }

    pub fn clear(&self) {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_good_for_a_moment() {
        let (cache, start) = (MomentCache::<String, u32>::default(), Instant::now());
        cache.put(start, "a".to_owned(), 1);
        assert_eq!(cache.get("a", start + AGE_MAX / 2), Some(1));
        assert_eq!(cache.get("a", start + AGE_MAX), None);
        assert_eq!(cache.get("b", start), None);
        cache.clear();
        assert_eq!(cache.get("a", start), None);
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let (cache, start) = (MomentCache::<String, u32>::default(), Instant::now());
        (0..ENTRIES_MAX + 1).for_each(|number| cache.put(start, number.to_string(), 1));
        assert_eq!(cache.entries.lock().unwrap().len(), 1);
    }
}
