//! Object service: objects and their versions, one method an operation.
//! Owns: the order of every write (authorise, check what can be checked, take the bytes, commit) and of every read
//! (resolve one version, then stream its bytes).
//! Does not own: what a write does to the versions of a key (cluster's `apply`), conditions on reads (each API states
//! them in its own words).

use std::ops::Range;

use futures::StreamExt;
use onggi_cluster::DataClient;
use onggi_cluster::id::OwnerKey;
use onggi_cluster::metadata::checksum::ChecksumHasher;
use onggi_cluster::metadata::command::{
    CopyObject, DeleteObject, OwnerChange, PutObject, VersionSelector, WriteCondition,
};
use onggi_cluster::metadata::outcome::{ObjectDeleted, ObjectWritten, Outcome, Refusal};
use onggi_cluster::metadata::query;
use onggi_cluster::metadata::record::{
    BucketRecord, Checksum, ChecksumAlgorithm, ChecksumType, Content, ETag, ObjectHeaders, Pairs, PartRecord,
    VersionKind, Versioning,
};
use onggi_cluster::metadata::view::MetadataView;

use super::body::Body;
use super::body_intake;
use super::bucket_view;
use super::drive_bucket::DriveBucket;
use super::error::{Error, Result};
use super::found_object::{FoundObject, ObjectBytes};
use super::fresh;
use super::metadata_access::MetadataAccess;
use super::name::{BucketName, ObjectKey, ObjectTarget};
use super::object_reader::ContentReader;
use super::principal::Principal;
use super::quota::Incoming;
use super::write_condition;

#[derive(Clone)]
pub struct ObjectService {
    metadata: MetadataAccess,
    data: DataClient,
    content: ContentReader,
}

#[derive(Clone, Debug, Default)]
pub struct PutOptions {
    pub headers: ObjectHeaders,
    pub tags: Pairs,
    pub condition: WriteCondition,
}

/// `None` keeps the source's.
#[derive(Clone, Debug, Default)]
pub struct CopyOptions {
    pub headers: Option<ObjectHeaders>,
    pub tags: Option<Pairs>,
    pub condition: WriteCondition,
    /// Computed from the bytes if the source does not have it.
    pub checksum: Option<ChecksumAlgorithm>,
}

#[derive(Clone, Debug)]
pub struct RenameOptions {
    pub source: ObjectKey,
    pub source_condition: WriteCondition,
    pub target_condition: WriteCondition,
}

#[derive(Clone, Debug)]
pub struct Deletion {
    pub key: ObjectKey,
    pub version: VersionSelector,
    pub condition: WriteCondition,
}

impl ObjectService {
    /// What S3 stores when the client names no checksum.
    const CHECKSUM_DEFAULT: ChecksumAlgorithm = ChecksumAlgorithm::Crc64Nvme;

    pub(super) fn new(metadata: MetadataAccess, data: DataClient) -> Self {
        let content = ContentReader::new(metadata.clone(), data.clone());
        Self { metadata, data, content }
    }

    /// Nothing of `body` is polled before the bucket is found, the principal may write there and the condition holds.
    pub async fn put(
        &self,
        principal: &Principal,
        target: ObjectTarget,
        options: PutOptions,
        body: Body,
    ) -> Result<ObjectWritten> {
        let incoming = Incoming { bytes: body.bytes, quota_bytes: principal.quota_bytes };
        let (owner, bucket) = self.admit(principal, &target, &options.condition, incoming).await?;
        let taken = body_intake::take(body, self.data.blob_writer(owner), Some(Self::CHECKSUM_DEFAULT)).await?;
        let put = PutObject {
            bucket: bucket.id,
            key: target.key.into_string(),
            condition: options.condition,
            content: taken.content,
            etag: ETag { md5: taken.md5, parts: None },
            checksum: taken.checksum,
            headers: options.headers,
            tags: options.tags,
            random: fresh::random(),
            quota_bytes: principal.quota_bytes,
        };
        match bucket_view::is_drive(&bucket) {
            true => self.drive_bucket(principal, owner, &bucket).put(put).await,
            false => self.write(owner, OwnerChange::PutObject(put)).await,
        }
    }

    /// The bucket to write to; refused early if the condition does not hold already, or the body cannot fit. `apply` decides it for good.
    async fn admit(
        &self,
        principal: &Principal,
        target: &ObjectTarget,
        condition: &WriteCondition,
        incoming: Incoming,
    ) -> Result<(OwnerKey, BucketRecord)> {
        let (key, condition) = (target.key.as_str().to_owned(), condition.clone());
        let admitted = self
            .metadata
            .read_bucket(principal, &target.bucket, move |view, owner, bucket| {
                let holds = write_condition::check_early(view, owner, bucket, &key, &condition)?;
                let fits = incoming.check_early(view, owner, || replaced_bytes(view, owner, bucket, &key))?;
                Ok(holds.and(fits))
            })
            .await?;
        admitted.found.map_err(Error::Refused)?;
        Ok((admitted.owner, admitted.bucket))
    }

    /// The version of a key that is asked for, if it is an object.
    pub async fn find(
        &self,
        principal: &Principal,
        target: &ObjectTarget,
        selector: VersionSelector,
    ) -> Result<FoundObject> {
        let key = target.key.as_str().to_owned();
        let in_bucket = self
            .metadata
            .read_bucket(principal, &target.bucket, move |view, owner, bucket| {
                let Some((version, is_latest)) = bucket_view::version(view, owner, bucket, &key, selector)? else {
                    return Ok(None);
                };
                let manifest = match &version.kind {
                    VersionKind::Object(object) => match object.content {
                        Content::Parts { bucket, upload } => query::manifest(view, owner, bucket, upload)?,
                        _ => None,
                    },
                    VersionKind::DeleteMarker => None,
                };
                Ok(Some((version, is_latest, manifest)))
            })
            .await?;
        let missing = match selector {
            VersionSelector::Latest => Refusal::NoSuchKey,
            VersionSelector::Null | VersionSelector::Id(_) => Refusal::NoSuchVersion,
        };
        let (version, is_latest, manifest) = in_bucket.found.ok_or(Error::Refused(missing))?;
        let VersionKind::Object(object) = version.kind else {
            let named = selector != VersionSelector::Latest;
            return Err(Error::DeleteMarker { marker: Box::new(version), named });
        };
        Ok(FoundObject {
            owner: in_bucket.owner,
            bucket: in_bucket.bucket,
            key: target.key.clone(),
            version: version.version,
            is_null: version.is_null,
            is_latest,
            modified_ms: version.modified_ms,
            object,
            manifest,
        })
    }

    /// The bytes of a version. `Vanished`: the version was replaced since it was found.
    pub async fn read(&self, found: &FoundObject, range: Range<u64>) -> Result<ObjectBytes> {
        self.content.read(&found.stored(), range).await
    }

    /// Parts of a completed multipart upload, by number from after `after` on.
    pub async fn parts(&self, found: &FoundObject, after: u16, limit: usize) -> Result<Vec<PartRecord>> {
        let Content::Parts { bucket, upload } = found.object.content else {
            return Ok(Vec::new());
        };
        let owner = found.owner;
        self.metadata.read_owner(owner, move |view| query::parts(view, owner, bucket, upload, after, limit)).await
    }

    /// One owner's copy moves no bytes: both versions name the same blobs. (`authorize` lets nobody read another's.)
    /// `Vanished`: the source was replaced since it was found.
    pub async fn copy(
        &self,
        principal: &Principal,
        source: &FoundObject,
        target: ObjectTarget,
        options: CopyOptions,
    ) -> Result<ObjectWritten> {
        let incoming = Incoming { bytes: Some(source.object.bytes), quota_bytes: principal.quota_bytes };
        let (owner, bucket) = self.admit(principal, &target, &options.condition, incoming).await?;
        let checksum = match options.checksum {
            Some(algorithm) => Some(self.checksum(source, algorithm).await?),
            None => None,
        };
        if bucket_view::is_drive(&bucket) || bucket_view::is_drive(&source.bucket) {
            return self.copy_bytes(principal, source, target, options).await;
        }
        let copy = CopyObject {
            source_bucket: source.bucket.id,
            source_key: source.key.as_str().to_owned(),
            source_version: source.version,
            bucket: bucket.id,
            key: target.key.into_string(),
            condition: options.condition,
            headers: options.headers,
            tags: options.tags,
            checksum,
            random: fresh::random(),
            quota_bytes: principal.quota_bytes,
        };
        self.write(owner, OwnerChange::CopyObject(copy)).await
    }

    /// A drive and a bucket of objects, or two drives, have no records in common: the bytes are stored anew.
    async fn copy_bytes(
        &self,
        principal: &Principal,
        source: &FoundObject,
        target: ObjectTarget,
        options: CopyOptions,
    ) -> Result<ObjectWritten> {
        let bytes = source.object.bytes;
        let put = PutOptions {
            headers: options.headers.unwrap_or_else(|| source.object.headers.clone()),
            tags: options.tags.unwrap_or_else(|| source.object.tags.clone()),
            condition: options.condition,
        };
        let body = self.read(source, 0..bytes).await?.into_body(bytes);
        // Boxed: the future of a copy would hold that of a PUT.
        Box::pin(self.put(principal, target, put, body)).await
    }

    /// Of the whole object: the stored one, or computed by reading all bytes.
    async fn checksum(&self, found: &FoundObject, algorithm: ChecksumAlgorithm) -> Result<Checksum> {
        let stored = found.object.checksum.as_ref();
        let is_stored =
            |checksum: &&Checksum| checksum.algorithm == algorithm && checksum.kind == ChecksumType::FullObject;
        if let Some(checksum) = stored.filter(is_stored) {
            return Ok(checksum.clone());
        }
        let bytes = self.read(found, 0..found.object.bytes).await?;
        let mut hasher = ChecksumHasher::new(algorithm);
        hasher.update(&bytes.first);
        let mut rest = futures::stream::iter(bytes.rest).flatten();
        while let Some(piece) = rest.next().await {
            hasher.update(&piece?);
        }
        Ok(hasher.finish())
    }

    /// Within one bucket, in one entry: no moment shows both keys, or neither.
    pub async fn rename(
        &self,
        principal: &Principal,
        target: ObjectTarget,
        options: RenameOptions,
    ) -> Result<ObjectWritten> {
        let (owner, bucket) = self.admit(principal, &target, &options.target_condition, Incoming::NOTHING).await?;
        let rename = OwnerChange::RenameObject {
            bucket: bucket.id,
            source: options.source.into_string(),
            target: target.key.into_string(),
            source_condition: options.source_condition,
            target_condition: options.target_condition,
            random: fresh::random(),
        };
        self.write(owner, rename).await
    }

    pub async fn delete(
        &self,
        principal: &Principal,
        bucket: &BucketName,
        deletion: Deletion,
    ) -> Result<ObjectDeleted> {
        let mut results = self.delete_many(principal, bucket, vec![deletion]).await?;
        results.pop().unwrap_or(Err(Refusal::NoSuchKey)).map_err(Error::Refused)
    }

    /// One entry for all; each key has its own result, in order.
    pub async fn delete_many(
        &self,
        principal: &Principal,
        bucket: &BucketName,
        deletions: Vec<Deletion>,
    ) -> Result<Vec<Result<ObjectDeleted, Refusal>>> {
        let in_bucket = self.metadata.read_bucket(principal, bucket, |_, _, _| Ok(())).await?;
        if bucket_view::is_drive(&in_bucket.bucket) {
            return self.drive_bucket(principal, in_bucket.owner, &in_bucket.bucket).delete_many(deletions).await;
        }
        let deletes = deletions
            .into_iter()
            .map(|Deletion { key, version, condition }| DeleteObject {
                key: key.into_string(),
                version,
                condition,
                random: fresh::random(),
            })
            .collect();
        let change = OwnerChange::DeleteObjects { bucket: in_bucket.bucket.id, deletes };
        match self.metadata.commit(in_bucket.owner, change).await? {
            Outcome::ObjectsDeleted(results) => Ok(results),
            outcome => Err(Error::unexpected(outcome)),
        }
    }

    /// Empty removes them. Answers which version has them now.
    pub async fn set_tags(
        &self,
        principal: &Principal,
        target: &ObjectTarget,
        version: VersionSelector,
        tags: Pairs,
    ) -> Result<FoundObject> {
        let found = self.find(principal, target, version).await?;
        let change = OwnerChange::SetObjectTags {
            bucket: found.bucket.id,
            key: found.key.as_str().to_owned(),
            version: VersionSelector::Id(found.version),
            tags,
        };
        self.metadata.commit(found.owner, change).await?;
        Ok(found)
    }

    fn drive_bucket<'a>(
        &'a self,
        principal: &'a Principal,
        owner: OwnerKey,
        bucket: &'a BucketRecord,
    ) -> DriveBucket<'a> {
        DriveBucket { metadata: &self.metadata, principal, owner, bucket }
    }

    async fn write(&self, owner: OwnerKey, change: OwnerChange) -> Result<ObjectWritten> {
        match self.metadata.commit(owner, change).await? {
            Outcome::ObjectWritten(written) => Ok(written),
            outcome => Err(Error::unexpected(outcome)),
        }
    }
}

/// Of the version that a write of `key` takes the place of: the null version, unless every write makes a version of its own.
fn replaced_bytes(
    view: &dyn MetadataView,
    owner: OwnerKey,
    bucket: &BucketRecord,
    key: &str,
) -> onggi_cluster::Result<u64> {
    if matches!(bucket.versioning, Versioning::Enabled | Versioning::Revisions) {
        return Ok(0);
    }
    let replaced = query::version(view, owner, bucket.id, key, VersionSelector::Null)?;
    Ok(replaced.map_or(0, |(version, _)| match version.kind {
        VersionKind::Object(object) => object.bytes,
        VersionKind::DeleteMarker => 0,
    }))
}
