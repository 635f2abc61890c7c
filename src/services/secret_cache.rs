//! Secret cache: unsealed secrets of access keys, so that a request costs no decryption.
//! Invariant: an entry counts only for the sealed bytes it was made from, so a replaced key is never served stale; at
//! most `ENTRIES_MAX` secrets are in memory.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use onggi_cluster::metadata::record::AccessKeyRecord;
use onggi_cluster::metadata::secret_box::SecretBox;

use super::error::{Error, Result};

/// About 200 bytes each. Past it the cache starts over, which costs one decryption a key.
const ENTRIES_MAX: usize = 4096;

/// Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    pub fn new(secret: impl Into<Arc<str>>) -> Self {
        Self(secret.into())
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[derive(Default)]
pub(super) struct SecretCache {
    entries: Mutex<HashMap<String, (Bytes, Secret)>>,
}

impl SecretCache {
    pub fn unseal(&self, secret_box: &SecretBox, key: &AccessKeyRecord) -> Result<Secret> {
        if let Some(secret) = self.remembered(key) {
            return Ok(secret);
        }
        let opened =
            secret_box.open(&key.access_key, &key.sealed_secret).map_err(|error| Error::Secret(error.into()))?;
        let text = String::from_utf8(opened).map_err(|error| Error::Secret(error.utf8_error().into()))?;
        let secret = Secret::new(text);
        self.remember(key, secret.clone());
        Ok(secret)
    }

    fn remembered(&self, key: &AccessKeyRecord) -> Option<Secret> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let (sealed, secret) = entries.get(&key.access_key)?;
        (*sealed == key.sealed_secret).then(|| secret.clone())
    }

    fn remember(&self, key: &AccessKeyRecord, secret: Secret) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= ENTRIES_MAX {
            entries.clear();
        }
        entries.insert(key.access_key.clone(), (key.sealed_secret.clone(), secret));
    }
}
