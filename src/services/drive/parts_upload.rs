//! Parts upload: a file whose parts go to S3 by presigned addresses, side by side, and become a revision here.
//! Owns: the S3 multipart upload behind it. Does not own: the signatures (`s3_api::presign`).

use onggi_cluster::id::UploadId;
use onggi_cluster::metadata::command::tree::{At, CompleteFile, TreeChange};
use onggi_cluster::metadata::command::{OwnerChange, PartReference};
use onggi_cluster::metadata::outcome::{Outcome, Refusal};
use onggi_cluster::metadata::query;
use onggi_cluster::metadata::record::{ObjectHeaders, Pairs, PartRecord};

use super::DriveService;
use super::actor::Actor;
use super::entries::Entry;
use super::name;
use super::new_file::FileTarget;
use crate::services::error::{Error, Result};
use crate::services::fresh;
use crate::services::quota::Incoming;

/// Amazon S3's limit.
pub const PARTS_MAX: u16 = 10_000;

/// Where the parts go.
#[derive(Clone, Debug)]
pub struct PartsUpload {
    pub bucket: String,
    pub key: String,
    pub upload: UploadId,
}

impl DriveService {
    /// Refused at once if `bytes` do not fit into the quota.
    pub async fn begin_parts(&self, actor: &Actor, target: &FileTarget, bytes: u64) -> Result<PartsUpload> {
        let owner = actor.principal.owner_key();
        let incoming = Incoming { bytes: Some(bytes), quota_bytes: actor.principal.quota_bytes };
        let (fits, bucket) = self
            .read(actor, move |view, tree| {
                let bucket = query::bucket_by_id(view, owner, tree.0.bucket)?;
                Ok((incoming.check_early(view, owner, || Ok(0))?, bucket))
            })
            .await?;
        fits.map_err(Error::Refused)?;
        let bucket = bucket.ok_or(Error::Vanished)?;
        let (upload, key) = (fresh::upload_id(), name::path_text(&target.path)[1..].to_owned());
        let change = OwnerChange::CreateUpload {
            bucket: bucket.id,
            upload,
            key: key.clone(),
            headers: ObjectHeaders { content_type: target.media_type.clone(), ..ObjectHeaders::default() },
            tags: Pairs::new(),
            checksum: None,
        };
        match self.metadata.commit(owner, change).await? {
            Outcome::UploadCreated { .. } => Ok(PartsUpload { bucket: bucket.name, key, upload }),
            outcome => Err(Error::unexpected(outcome)),
        }
    }

    /// The parts that are stored, by number. `NoSuchUpload`: it was completed, given up, or never begun.
    pub async fn stored_parts(
        &self,
        actor: &Actor,
        key: String,
        upload: UploadId,
    ) -> Result<(String, Vec<PartRecord>)> {
        let owner = actor.principal.owner_key();
        let found = self
            .read(actor, move |view, tree| {
                let bucket = tree.0.bucket;
                if query::upload(view, owner, bucket, &key, upload)?.is_none() {
                    return Ok(None);
                }
                let name = query::bucket_by_id(view, owner, bucket)?.map(|bucket| bucket.name).unwrap_or_default();
                Ok(Some((name, query::parts(view, owner, bucket, upload, 0, usize::from(PARTS_MAX))?)))
            })
            .await?;
        found.ok_or(Error::Refused(Refusal::NoSuchUpload))
    }

    /// Once: a replay gets the same answer.
    pub async fn complete_parts(
        &self,
        actor: &Actor,
        key: String,
        upload: UploadId,
        target: FileTarget,
        bytes: u64,
    ) -> Result<Entry> {
        let parts = match self.stored_parts(actor, key.clone(), upload).await {
            Ok((_, parts)) => parts,
            // Perhaps completed already: then that is answered again.
            Err(Error::Refused(Refusal::NoSuchUpload)) => Vec::new(),
            Err(error) => return Err(error),
        };
        let reference = |part: PartRecord| PartReference { number: part.number, md5: part.md5, checksum: None };
        let complete = CompleteFile {
            rename: target.rename(actor),
            path: target.path,
            key,
            upload,
            mode: target.mode,
            parts: parts.into_iter().map(reference).collect(),
            checksum: None,
            checksum_type: None,
            expected_bytes: Some(bytes),
            client_modified_ms: target.client_modified_ms,
        };
        match self.change(actor, TreeChange::CompleteUpload(complete)).await? {
            Outcome::ObjectWritten(written) => {
                let (_, entry) = written.version.revision();
                self.entry(actor, At::Entry(entry)).await
            }
            outcome => Err(Error::unexpected(outcome)),
        }
    }

    pub async fn abort_parts(&self, actor: &Actor, key: String, upload: UploadId) -> Result<()> {
        let bucket = self.read(actor, |_, tree| Ok(tree.0.bucket)).await?;
        self.metadata.commit(actor.principal.owner_key(), OwnerChange::AbortUpload { bucket, key, upload }).await?;
        Ok(())
    }
}
