//! Multipart service: uploads in parts.
//! Owns: what is checked before a part's bytes are taken.
//! Does not own: what makes an upload complete, and the object it becomes (cluster's `apply`).

use std::ops::Range;

use onggi_cluster::DataClient;
use onggi_cluster::id::{OwnerKey, UploadId};
use onggi_cluster::metadata::command::{CompleteUpload, NewPart, OwnerChange, PartReference, WriteCondition};
use onggi_cluster::metadata::outcome::{ObjectWritten, Outcome, Refusal};
use onggi_cluster::metadata::query;
use onggi_cluster::metadata::record::{
    BucketRecord, Checksum, ChecksumAlgorithm, ChecksumType, ObjectHeaders, Pairs, PartRecord, UploadRecord,
};

use super::body::Body;
use super::body_intake;
use super::bucket_view::{self, DriveKey};
use super::drive_bucket::DriveBucket;
use super::error::{Error, Result};
use super::found_object::FoundObject;
use super::fresh;
use super::metadata_access::MetadataAccess;
use super::name::ObjectTarget;
use super::object_service::ObjectService;
use super::principal::Principal;
use super::quota::Incoming;

#[derive(Clone)]
pub struct MultipartService {
    metadata: MetadataAccess,
    data: DataClient,
    objects: ObjectService,
}

#[derive(Clone, Debug)]
pub struct UploadTarget {
    pub target: ObjectTarget,
    pub upload: UploadId,
}

#[derive(Clone, Debug, Default)]
pub struct CreateOptions {
    pub headers: ObjectHeaders,
    pub tags: Pairs,
    pub checksum: Option<(ChecksumAlgorithm, ChecksumType)>,
}

pub struct StoredPart {
    pub md5: [u8; 16],
    pub checksum: Option<Checksum>,
    pub modified_ms: u64,
}

#[derive(Clone, Debug)]
pub struct CompleteOptions {
    pub parts: Vec<PartReference>,
    pub checksum: Option<Checksum>,
    pub checksum_type: Option<ChecksumType>,
    pub expected_bytes: Option<u64>,
    pub condition: WriteCondition,
}

pub struct PartPage {
    pub upload: UploadRecord,
    pub parts: Vec<PartRecord>,
    pub is_truncated: bool,
}

struct OpenUpload {
    owner: OwnerKey,
    bucket: BucketRecord,
    upload: UploadRecord,
}

impl MultipartService {
    pub(super) fn new(metadata: MetadataAccess, data: DataClient, objects: ObjectService) -> Self {
        Self { metadata, data, objects }
    }

    pub async fn create(
        &self,
        principal: &Principal,
        target: ObjectTarget,
        options: CreateOptions,
    ) -> Result<UploadId> {
        let in_bucket = self.metadata.read_bucket(principal, &target.bucket, |_, _, _| Ok(())).await?;
        if bucket_view::is_drive(&in_bucket.bucket) {
            // Refused now, not after the bytes are here.
            DriveKey::parse(target.key.as_str())?;
        }
        let change = OwnerChange::CreateUpload {
            bucket: in_bucket.bucket.id,
            upload: fresh::upload_id(),
            key: target.key.into_string(),
            headers: options.headers,
            tags: options.tags,
            checksum: options.checksum,
        };
        match self.metadata.commit(in_bucket.owner, change).await? {
            Outcome::UploadCreated { upload } => Ok(upload),
            outcome => Err(Error::unexpected(outcome)),
        }
    }

    /// Nothing of `body` is polled before the upload is found and the principal may write there.
    pub async fn put_part(
        &self,
        principal: &Principal,
        target: &UploadTarget,
        number: u16,
        body: Body,
    ) -> Result<StoredPart> {
        let incoming = Incoming { bytes: body.bytes, quota_bytes: principal.quota_bytes };
        let open = self.open(principal, target, Some((number, incoming))).await?;
        let bound = open.upload.checksum.map(|(algorithm, _)| algorithm);
        let claimed = body.claims.checksum.algorithm();
        if bound.is_some() && claimed.is_some() && bound != claimed {
            return Err(Error::Refused(Refusal::ChecksumAlgorithmMismatch));
        }
        let taken = body_intake::take(body, self.data.blob_writer(open.owner), bound).await?;
        let stored = StoredPart { md5: taken.md5, checksum: taken.checksum.clone(), modified_ms: fresh::unix_ms() };
        let change = OwnerChange::PutPart {
            bucket: open.bucket.id,
            key: open.upload.key,
            upload: open.upload.upload,
            part: NewPart { number, content: taken.content, md5: taken.md5, checksum: taken.checksum },
            quota_bytes: principal.quota_bytes,
        };
        self.metadata.commit(open.owner, change).await?;
        Ok(stored)
    }

    /// A part made of a range of an object. The bytes are stored anew: a part is a blob of its own.
    pub async fn copy_part(
        &self,
        principal: &Principal,
        source: &FoundObject,
        range: Range<u64>,
        target: &UploadTarget,
        number: u16,
    ) -> Result<StoredPart> {
        let bytes = range.end - range.start;
        let body = self.objects.read(source, range).await?.into_body(bytes);
        self.put_part(principal, target, number, body).await
    }

    /// Once: a replay gets the same answer. Refused: the upload stays as it is.
    pub async fn complete(
        &self,
        principal: &Principal,
        target: UploadTarget,
        options: CompleteOptions,
    ) -> Result<ObjectWritten> {
        let in_bucket = self.metadata.read_bucket(principal, &target.target.bucket, |_, _, _| Ok(())).await?;
        let complete = CompleteUpload {
            bucket: in_bucket.bucket.id,
            key: target.target.key.into_string(),
            upload: target.upload,
            condition: options.condition,
            parts: options.parts,
            checksum: options.checksum,
            checksum_type: options.checksum_type,
            expected_bytes: options.expected_bytes,
            random: fresh::random(),
        };
        if bucket_view::is_drive(&in_bucket.bucket) {
            let (metadata, owner, bucket) = (&self.metadata, in_bucket.owner, &in_bucket.bucket);
            return DriveBucket { metadata, principal, owner, bucket }.complete(complete).await;
        }
        match self.metadata.commit(in_bucket.owner, OwnerChange::CompleteUpload(complete)).await? {
            Outcome::ObjectWritten(written) => Ok(written),
            outcome => Err(Error::unexpected(outcome)),
        }
    }

    pub async fn abort(&self, principal: &Principal, target: UploadTarget) -> Result<()> {
        let open = self.open(principal, &target, None).await?;
        let change =
            OwnerChange::AbortUpload { bucket: open.bucket.id, key: open.upload.key, upload: open.upload.upload };
        self.metadata.commit(open.owner, change).await.map(drop)
    }

    /// Parts that are stored, by number from after `after` on: what a client needs to go on after an interruption.
    pub async fn parts(
        &self,
        principal: &Principal,
        target: &UploadTarget,
        after: u16,
        limit: usize,
    ) -> Result<PartPage> {
        let (key, upload) = (target.target.key.as_str().to_owned(), target.upload);
        let in_bucket = self
            .metadata
            .read_bucket(principal, &target.target.bucket, move |view, owner, bucket| {
                let Some(record) = query::upload(view, owner, bucket.id, &key, upload)? else {
                    return Ok(None);
                };
                let parts = query::parts(view, owner, bucket.id, upload, after, limit + 1)?;
                Ok(Some((record, parts)))
            })
            .await?;
        let (upload, mut parts) = in_bucket.found.ok_or(Error::Refused(Refusal::NoSuchUpload))?;
        let is_truncated = parts.len() > limit;
        parts.truncate(limit);
        Ok(PartPage { upload, parts, is_truncated })
    }

    /// `coming`: a part of that number, refused early if it cannot fit.
    async fn open(
        &self,
        principal: &Principal,
        target: &UploadTarget,
        coming: Option<(u16, Incoming)>,
    ) -> Result<OpenUpload> {
        let (key, upload) = (target.target.key.as_str().to_owned(), target.upload);
        let in_bucket = self
            .metadata
            .read_bucket(principal, &target.target.bucket, move |view, owner, bucket| {
                let Some(record) = query::upload(view, owner, bucket.id, &key, upload)? else {
                    return Ok(Err(Refusal::NoSuchUpload));
                };
                let Some((number, incoming)) = coming else {
                    return Ok(Ok(record));
                };
                let replaced = || {
                    let part = query::part(view, owner, bucket.id, upload, number)?;
                    Ok(part.map_or(0, |part| part.bytes))
                };
                Ok(incoming.check_early(view, owner, replaced)?.map(|()| record))
            })
            .await?;
        let upload = in_bucket.found.map_err(Error::Refused)?;
        Ok(OpenUpload { owner: in_bucket.owner, bucket: in_bucket.bucket, upload })
    }
}
