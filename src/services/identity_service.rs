//! Identity service: users and their access keys.
//! Owns: how keys are made and who may still use one. Does not own: signatures (each API's auth), the sealing of
//! secrets (cluster's secret box), the rule of access (`authorization`).

use std::sync::Arc;
use std::time::Instant;

use onggi_cluster::id::UserId;
use onggi_cluster::metadata::command::SystemChange;
use onggi_cluster::metadata::outcome::{Outcome, Refusal};
use onggi_cluster::metadata::query;
use onggi_cluster::metadata::record::{AccessKeyRecord, UserRecord};
use onggi_cluster::metadata::secret_box::SecretBox;

use super::drive_key::DriveKeys;
use super::error::{Error, Result};
use super::fresh::{self, KeyPair};
use super::metadata_access::MetadataAccess;
use super::moment_cache::MomentCache;
use super::principal::Principal;
use super::secret::Secret;

#[derive(Clone)]
pub struct IdentityService {
    metadata: MetadataAccess,
    secret_box: Arc<SecretBox>,
    drive_keys: DriveKeys,
    cache: Arc<MomentCache<String, Credentials>>,
}

/// What a front end needs to check a signature.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub principal: Principal,
    pub secret: Secret,
}

pub struct NewUser {
    pub name: String,
    pub admin: bool,
    pub quota_bytes: Option<u64>,
}

impl IdentityService {
    pub(super) fn new(metadata: MetadataAccess, master_key: &[u8; 32]) -> Self {
        let (secret_box, drive_keys) = (Arc::new(SecretBox::new(master_key)), DriveKeys::derive(master_key));
        Self { metadata, secret_box, drive_keys, cache: Arc::default() }
    }

    /// With which the drive presigns addresses for this user.
    pub fn drive_key(&self, user: UserId) -> KeyPair {
        self.drive_keys.key_of(user)
    }

    /// The principal and the secret behind an access key that is enabled, of a user who is enabled.
    pub async fn credentials(&self, access_key: &str) -> Result<Credentials> {
        let now = Instant::now();
        if let Some(credentials) = self.cache.get(access_key, now) {
            return Ok(credentials);
        }
        let credentials = self.look_up(access_key).await?;
        self.cache.put(now, access_key.to_owned(), credentials.clone());
        Ok(credentials)
    }

    async fn look_up(&self, access_key: &str) -> Result<Credentials> {
        if let Some(user) = DriveKeys::user_of(access_key) {
            return self.look_up_drive_key(user).await;
        }
        let wanted = access_key.to_owned();
        let (key, user) = self
            .metadata
            .read_system(move |view| {
                let Some(key) = query::access_key(view, &wanted)? else {
                    return Ok(None);
                };
                let user = query::user(view, key.user)?;
                Ok(user.map(|user| (key, user)))
            })
            .await?
            .ok_or(Error::UnknownAccessKey)?;
        if !key.enabled || !user.enabled {
            return Err(Error::Disabled);
        }
        let secret = self.unsealed(&key)?;
        let principal = Principal {
            user: user.id,
            name: user.name,
            admin: user.admin,
            access_key: key.access_key,
            quota_bytes: user.quota_bytes,
        };
        Ok(Credentials { principal, secret })
    }

    async fn look_up_drive_key(&self, user: UserId) -> Result<Credentials> {
        let found = self.metadata.read_system(move |view| query::user(view, user)).await?;
        let user = found.ok_or(Error::UnknownAccessKey)?;
        if !user.enabled {
            return Err(Error::Disabled);
        }
        let KeyPair { access_key, secret } = self.drive_keys.key_of(user.id);
        // An address is for the drive: whoever it was given to is no administrator.
        let principal =
            Principal { user: user.id, name: user.name, admin: false, access_key, quota_bytes: user.quota_bytes };
        Ok(Credentials { principal, secret })
    }

    /// The first entry of a new cluster: the root user with this key. Done before: nothing happens, and it says so.
    pub async fn initialize(&self, cluster_name: &str, root_key: &KeyPair) -> Result<Initialized> {
        let root_key = self.sealed(UserId::ROOT, root_key, "root")?;
        let change = SystemChange::InitializeCluster { cluster_name: cluster_name.to_owned(), root_key };
        match self.commit(change).await {
            Ok(_) => Ok(Initialized::Now),
            Err(Error::Refused(Refusal::AlreadyInitialized)) => Ok(Initialized::Before),
            Err(error) => Err(error),
        }
    }

    /// As it was given at the first start; empty before.
    pub async fn cluster_name(&self) -> Result<String> {
        let cluster = self.metadata.read_system(query::cluster).await?;
        Ok(cluster.map(|cluster| cluster.name).unwrap_or_default())
    }

    pub async fn create_user(&self, user: NewUser) -> Result<UserId> {
        let NewUser { name, admin, quota_bytes } = user;
        match self.commit(SystemChange::CreateUser { name, admin, quota_bytes }).await? {
            Outcome::UserCreated { user } => Ok(user),
            outcome => Err(Error::unexpected(outcome)),
        }
    }

    pub async fn users(&self) -> Result<Vec<UserRecord>> {
        self.metadata.read_system(query::users).await
    }

    pub async fn user_by_name(&self, name: &str) -> Result<UserRecord> {
        let name = name.to_owned();
        let user = self.metadata.read_system(move |view| query::user_by_name(view, &name)).await?;
        user.ok_or(Error::Refused(Refusal::NoSuchUser))
    }

    pub async fn set_user_enabled(&self, user: UserId, enabled: bool) -> Result<()> {
        let change = SystemChange::UpdateUser { user, enabled: Some(enabled), quota_bytes: None };
        self.commit(change).await.map(drop)
    }

    pub async fn set_quota(&self, user: UserId, quota_bytes: Option<u64>) -> Result<()> {
        let change = SystemChange::UpdateUser { user, enabled: None, quota_bytes: Some(quota_bytes) };
        self.commit(change).await.map(drop)
    }

    pub async fn delete_user(&self, user: UserId) -> Result<()> {
        self.commit(SystemChange::DeleteUser { user }).await.map(drop)
    }

    /// The secret is shown once, here.
    pub async fn create_access_key(&self, user: UserId, description: &str) -> Result<KeyPair> {
        let pair = KeyPair::generate();
        let key = self.sealed(user, &pair, description)?;
        self.commit(SystemChange::CreateAccessKey { key }).await?;
        Ok(pair)
    }

    pub async fn access_keys(&self, user: UserId) -> Result<Vec<AccessKeyRecord>> {
        self.metadata.read_system(move |view| query::access_keys(view, user)).await
    }

    pub async fn access_key(&self, access_key: &str) -> Result<AccessKeyRecord> {
        let wanted = access_key.to_owned();
        let key = self.metadata.read_system(move |view| query::access_key(view, &wanted)).await?;
        key.ok_or(Error::Refused(Refusal::NoSuchAccessKey))
    }

    pub async fn set_access_key_enabled(&self, access_key: &str, enabled: bool) -> Result<()> {
        let change = SystemChange::UpdateAccessKey { access_key: access_key.to_owned(), enabled };
        self.commit(change).await.map(drop)
    }

    pub async fn delete_access_key(&self, access_key: &str) -> Result<()> {
        let change = SystemChange::DeleteAccessKey { access_key: access_key.to_owned() };
        self.commit(change).await.map(drop)
    }

    /// What was looked up before a change does not outlive it on this node.
    async fn commit(&self, change: SystemChange) -> Result<Outcome> {
        let outcome = self.metadata.commit_system(change).await;
        self.cache.clear();
        outcome
    }

    fn unsealed(&self, key: &AccessKeyRecord) -> Result<Secret> {
        let opened =
            self.secret_box.open(&key.access_key, &key.sealed_secret).map_err(|error| Error::Secret(error.into()))?;
        let text = String::from_utf8(opened).map_err(|error| Error::Secret(error.utf8_error().into()))?;
        Ok(Secret::new(text))
    }

    fn sealed(&self, user: UserId, pair: &KeyPair, description: &str) -> Result<AccessKeyRecord> {
        let sealed_secret = self
            .secret_box
            .seal(&pair.access_key, pair.secret.expose().as_bytes())
            .map_err(|error| Error::Secret(error.into()))?;
        Ok(AccessKeyRecord {
            access_key: pair.access_key.clone(),
            user,
            created_ms: fresh::unix_ms(),
            enabled: true,
            description: description.to_owned(),
            sealed_secret,
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Initialized {
    Now,
    Before,
}
