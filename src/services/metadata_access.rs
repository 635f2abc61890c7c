//! Metadata access: what all services do with the metadata client: resolve a bucket and authorise in one step, read
//! one state of it, commit a change to it.
//! Invariant: no service reaches an owner's records without passing `authorize` here.

use onggi_cluster::id::{OwnerKey, UserId};
use onggi_cluster::metadata::command::{Change, OwnerChange, SystemChange};
use onggi_cluster::metadata::outcome::{Outcome, Refusal};
use onggi_cluster::metadata::query;
use onggi_cluster::metadata::record::{BucketNameRecord, BucketRecord};
use onggi_cluster::metadata::view::MetadataView;
use onggi_cluster::{MetadataClient, Route};

use super::authorization::authorize;
use super::error::{Error, Result};
use super::name::BucketName;
use super::principal::Principal;

#[derive(Clone)]
pub(super) struct MetadataAccess {
    client: MetadataClient,
}

/// One state of a bucket that the principal may use, with what was asked about it.
pub(super) struct InBucket<T> {
    pub owner: OwnerKey,
    pub bucket: BucketRecord,
    pub found: T,
}

impl MetadataAccess {
    pub fn new(client: MetadataClient) -> Self {
        Self { client }
    }

    /// Reads in the bucket `name`, if it exists and the principal may use it. Most requests are about a bucket of one's own,
    /// and the owner's records alone say that it stands: only if they do not, whose the name is decides the answer.
    pub async fn read_bucket<T, Q>(&self, principal: &Principal, name: &BucketName, query: Q) -> Result<InBucket<T>>
    where
        T: Send + 'static,
        Q: Fn(&dyn MetadataView, OwnerKey, &BucketRecord) -> onggi_cluster::Result<T> + Send + 'static,
    {
        authorize(principal, principal.user)?;
        match self.read_bucket_of(principal.owner_key(), name, query).await {
            Err(Error::Refused(Refusal::NoSuchBucket)) => Err(self.why_no_bucket(principal, name).await),
            read => read,
        }
    }

    async fn why_no_bucket(&self, principal: &Principal, name: &BucketName) -> Error {
        let denied = match self.bucket_name(name).await {
            Ok(Some(standing)) => authorize(principal, standing.owner),
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        denied.err().unwrap_or(Error::Refused(Refusal::NoSuchBucket))
    }

    /// The same without a principal: for CORS preflights, which carry none.
    pub async fn read_bucket_of<T, Q>(&self, owner: OwnerKey, name: &BucketName, query: Q) -> Result<InBucket<T>>
    where
        T: Send + 'static,
        Q: Fn(&dyn MetadataView, OwnerKey, &BucketRecord) -> onggi_cluster::Result<T> + Send + 'static,
    {
        let name = name.as_str().to_owned();
        let in_bucket = self
            .read_owner(owner, move |view| {
                let Some(bucket) = query::bucket(view, owner, &name)? else {
                    return Ok(None);
                };
                let found = query(view, owner, &bucket)?;
                Ok(Some(InBucket { owner, bucket, found }))
            })
            .await?;
        in_bucket.ok_or(Error::Refused(Refusal::NoSuchBucket))
    }

    /// A name that is only reserved so far stands for no bucket.
    pub async fn bucket_name(&self, name: &BucketName) -> Result<Option<BucketNameRecord>> {
        let name = name.as_str().to_owned();
        let standing = self.read_system(move |view| query::bucket_name(view, &name)).await?;
        Ok(standing.filter(|record| !record.pending))
    }

    pub async fn create_bucket(&self, owner: UserId, name: &BucketName, location: &str) -> Result<()> {
        decided(self.client.create_bucket(owner, name.as_str().to_owned(), location.to_owned()).await?).map(drop)
    }

    /// The bucket of a drive is made by its name.
    pub async fn create_tree(&self, owner: UserId, name: String) -> Result<()> {
        decided(self.client.create_bucket(owner, name, String::new()).await?).map(drop)
    }

    pub async fn delete_bucket(&self, owner: UserId, name: &BucketName) -> Result<()> {
        decided(self.client.delete_bucket(owner, name.as_str().to_owned()).await?).map(drop)
    }

    pub async fn read_owner<T, Q>(&self, owner: OwnerKey, query: Q) -> Result<T>
    where
        T: Send + 'static,
        Q: Fn(&dyn MetadataView) -> onggi_cluster::Result<T> + Send + 'static,
    {
        Ok(self.client.read(Route::Owner(owner), query).await?)
    }

    pub async fn read_system<T, Q>(&self, query: Q) -> Result<T>
    where
        T: Send + 'static,
        Q: Fn(&dyn MetadataView) -> onggi_cluster::Result<T> + Send + 'static,
    {
        Ok(self.client.read(Route::System, query).await?)
    }

    pub async fn commit(&self, owner: OwnerKey, change: OwnerChange) -> Result<Outcome> {
        decided(self.client.commit(Change::Owner { owner, change }).await?)
    }

    pub async fn commit_system(&self, change: SystemChange) -> Result<Outcome> {
        decided(self.client.commit(Change::System(change)).await?)
    }
}

/// A refusal is an error from here on.
fn decided(outcome: Outcome) -> Result<Outcome> {
    match outcome {
        Outcome::Refused(Refusal::CopySourceGone) => Err(Error::Vanished),
        Outcome::Refused(refusal) => Err(Error::Refused(refusal)),
        Outcome::DeviceHeld => Err(Error::Refused(Refusal::DeviceHeld)),
        outcome => Ok(outcome),
    }
}
