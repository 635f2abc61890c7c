//! First start: the root user and its key.
//! Invariant: interrupted anywhere, the next start goes on: the file is written before the cluster knows the key.

use std::path::Path;

use anyhow::{Context, Result};

use crate::root_credentials;
use crate::services::KeyPair;
use crate::services::identity_service::{IdentityService, Initialized};

pub struct RootKey {
    /// `None`: given by the environment at an earlier start.
    pub credentials: Option<KeyPair>,
    /// Made at this start, so it is shown.
    pub created: bool,
}

pub async fn prepare(identity: &IdentityService, cluster_name: &str, data_dir: &Path) -> Result<RootKey> {
    let found = root_credentials::find(data_dir)?;
    let created = match found {
        Some(_) => None,
        None if identity.users().await.context("read the users")?.is_empty() => {
            Some(root_credentials::create(data_dir)?)
        }
        None => return Ok(RootKey { credentials: None, created: false }),
    };
    let was_created = created.is_some();
    let Some(credentials) = found.or(created) else { return Ok(RootKey { credentials: None, created: false }) };
    let initialized = identity.initialize(cluster_name, &credentials).await.context("make the root user")?;
    if initialized == Initialized::Before {
        warn_if_unknown(identity, &credentials).await;
    }
    Ok(RootKey { credentials: Some(credentials), created: was_created })
}

/// Credentials count at first start only; others given later would be refused request by request, without a word here.
async fn warn_if_unknown(identity: &IdentityService, given: &KeyPair) {
    let known = identity.credentials(&given.access_key).await.is_ok_and(|known| known.secret == given.secret);
    if !known {
        tracing::warn!(
            access_key = given.access_key,
            "the root credentials given to this start are not those of the cluster and are not taken; make other keys with \
             `onggi admin key create root`"
        );
    }
}
