//! Bucket service: buckets and their settings.
//! Owns: who may see and change which bucket.
//! Does not own: how a name and its bucket come and go together (cluster's metadata client).

use bytes::Bytes;
use onggi_cluster::id::OwnerKey;
use onggi_cluster::metadata::command::OwnerChange;
use onggi_cluster::metadata::outcome::Refusal;
use onggi_cluster::metadata::query;
use onggi_cluster::metadata::record::{BucketRecord, Counters, Pairs, Versioning};

use super::drive;
use super::error::{Error, Result};
use super::metadata_access::MetadataAccess;
use super::name::BucketName;
use super::principal::Principal;

#[derive(Clone)]
pub struct BucketService {
    metadata: MetadataAccess,
}

/// A page of ListBuckets, in order of names.
pub struct BucketPage {
    pub buckets: Vec<BucketRecord>,
    pub is_truncated: bool,
}

impl BucketService {
    pub(super) fn new(metadata: MetadataAccess) -> Self {
        Self { metadata }
    }

    pub async fn create(&self, principal: &Principal, name: &BucketName, location: &str) -> Result<()> {
        // A drive is made at its first use; this is one.
        if name.is_of_drive() && !drive::bucket_names(principal).contains(&name.to_string()) {
            return Err(Error::InvalidBucketName("the suffix --drive is reserved for the buckets of drives"));
        }
        self.metadata.create_bucket(principal.user, name, location).await
    }

    /// Only if it holds no version, no delete marker and no upload.
    pub async fn delete(&self, principal: &Principal, name: &BucketName) -> Result<()> {
        self.get(principal, name).await?;
        self.metadata.delete_bucket(principal.user, name).await
    }

    pub async fn get(&self, principal: &Principal, name: &BucketName) -> Result<BucketRecord> {
        Ok(self.get_with_owner(principal, name).await?.1)
    }

    /// The settings that a CORS preflight is answered from; it carries no principal.
    pub async fn cors_for_preflight(&self, name: &BucketName) -> Result<Bytes> {
        let standing = self.metadata.bucket_name(name).await?.ok_or(Error::Refused(Refusal::NoSuchBucket))?;
        let owner = standing.owner.owner_key();
        Ok(self.metadata.read_bucket_of(owner, name, |_, _, _| Ok(())).await?.bucket.cors)
    }

    /// The caller's own buckets whose name begins with `prefix` and is greater than `after`.
    pub async fn list(
        &self,
        principal: &Principal,
        prefix: &str,
        after: Option<String>,
        limit: usize,
    ) -> Result<BucketPage> {
        let (owner, prefix) = (principal.owner_key(), prefix.to_owned());
        let mut buckets = self
            .metadata
            .read_owner(owner, move |view| query::buckets(view, owner, &prefix, after.as_deref(), limit + 1))
            .await?;
        let is_truncated = buckets.len() > limit;
        buckets.truncate(limit);
        Ok(BucketPage { buckets, is_truncated })
    }

    pub async fn counters(&self, principal: &Principal, name: &BucketName) -> Result<Counters> {
        let in_bucket = self
            .metadata
            .read_bucket(principal, name, |view, owner, bucket| query::counters(view, owner, bucket.id))
            .await?;
        Ok(in_bucket.found)
    }

    pub async fn set_versioning(&self, principal: &Principal, name: &BucketName, versioning: Versioning) -> Result<()> {
        let (owner, bucket) = self.get_with_owner(principal, name).await?;
        let change = OwnerChange::SetVersioning { bucket: bucket.id, versioning };
        self.metadata.commit(owner, change).await.map(drop)
    }

    /// Empty removes them.
    pub async fn set_tags(&self, principal: &Principal, name: &BucketName, tags: Pairs) -> Result<()> {
        let (owner, bucket) = self.get_with_owner(principal, name).await?;
        self.metadata.commit(owner, OwnerChange::SetBucketTags { bucket: bucket.id, tags }).await.map(drop)
    }

    /// Checked, canonical XML; empty removes it.
    pub async fn set_cors(&self, principal: &Principal, name: &BucketName, cors: Bytes) -> Result<()> {
        let (owner, bucket) = self.get_with_owner(principal, name).await?;
        self.metadata.commit(owner, OwnerChange::SetBucketCors { bucket: bucket.id, cors }).await.map(drop)
    }

    async fn get_with_owner(&self, principal: &Principal, name: &BucketName) -> Result<(OwnerKey, BucketRecord)> {
        let in_bucket = self.metadata.read_bucket(principal, name, |_, _, _| Ok(())).await?;
        Ok((in_bucket.owner, in_bucket.bucket))
    }
}
