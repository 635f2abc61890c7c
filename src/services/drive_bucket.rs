//! Drive bucket: what S3 writes to the bucket of a drive, as changes of its tree.
//! Owns: which change of the tree a write of S3 is, and how its outcome reads as one of S3.
//! Does not own: reads (`bucket_view`), what a change does (cluster's `apply`).

use onggi_cluster::id::{OwnerKey, VersionId};
use onggi_cluster::metadata::command::tree::{At, CompleteFile, NewFile, PutFile, TreeChange, WriteMode};
use onggi_cluster::metadata::command::{CompleteUpload, OwnerChange, PutObject, VersionSelector, WriteCondition};
use onggi_cluster::metadata::outcome::{EntryChanged, ObjectDeleted, ObjectWritten, Outcome, Refusal};
use onggi_cluster::metadata::query::tree as query;
use onggi_cluster::metadata::record::BucketRecord;
use onggi_cluster::metadata::record::tree::{Author, TreePath};

use super::bucket_view::{self, DriveKey};
use super::drive::mass_delete::BRAKE;
use super::error::{Error, Result};
use super::metadata_access::MetadataAccess;
use super::object_service::Deletion;
use super::principal::Principal;

/// The bucket of the principal's drive, to be written to.
pub(super) struct DriveBucket<'a> {
    pub(super) metadata: &'a MetadataAccess,
    pub(super) principal: &'a Principal,
    pub(super) owner: OwnerKey,
    pub(super) bucket: &'a BucketRecord,
}

impl DriveBucket<'_> {
    /// A new revision; of a key that ends in a slash, a folder.
    pub(super) async fn put(&self, put: PutObject) -> Result<ObjectWritten> {
        let path = match DriveKey::parse(&put.key)? {
            DriveKey::File(path) => path,
            DriveKey::Folder(path) if put.content.bytes == 0 => return self.create_folder(path).await,
            DriveKey::Folder(_) => return Err(Error::Refused(Refusal::NotAFile)),
        };
        let file = NewFile {
            etag: put.etag,
            checksum: put.checksum,
            content_hash: None,
            headers: put.headers,
            tags: put.tags,
            client_modified_ms: None,
        };
        let mode = WriteMode::Replace(put.condition);
        let put = PutFile { path, mode, rename: None, content: put.content, file };
        written(self.change_entry(TreeChange::PutFile(put)).await?)
    }

    /// One that is there already is as good as made.
    async fn create_folder(&self, path: TreePath) -> Result<ObjectWritten> {
        let created_ms = match self.change_entry(TreeChange::CreateFolder { path, rename: None }).await {
            Ok(changed) => changed.entry.created_ms,
            Err(Error::Refused(Refusal::EntryExists { is_folder: true, .. })) => super::fresh::unix_ms(),
            Err(error) => return Err(error),
        };
        Ok(ObjectWritten {
            version: VersionId::new(0, 0),
            is_null: true,
            versioned: false,
            etag: bucket_view::EMPTY_ETAG,
            modified_ms: created_ms,
            checksum: None,
            bytes: 0,
        })
    }

    pub(super) async fn complete(&self, complete: CompleteUpload) -> Result<ObjectWritten> {
        let DriveKey::File(path) = DriveKey::parse(&complete.key)? else {
            return Err(Error::Refused(Refusal::NotAFile));
        };
        let complete = CompleteFile {
            path,
            key: complete.key,
            upload: complete.upload,
            mode: WriteMode::Replace(complete.condition),
            rename: None,
            parts: complete.parts,
            checksum: complete.checksum,
            checksum_type: complete.checksum_type,
            expected_bytes: complete.expected_bytes,
            client_modified_ms: None,
        };
        match self.change(TreeChange::CompleteUpload(complete)).await? {
            Outcome::ObjectWritten(written) => Ok(written),
            outcome => Err(Error::unexpected(outcome)),
        }
    }

    /// One after the other: a refusal of one key leaves the others.
    pub(super) async fn delete_many(&self, deletions: Vec<Deletion>) -> Result<Vec<Result<ObjectDeleted, Refusal>>> {
        let mut results = Vec::with_capacity(deletions.len());
        for deletion in deletions {
            results.push(match self.delete(deletion).await {
                Ok(deleted) => Ok(deleted),
                Err(Error::Refused(refusal)) => Err(refusal),
                Err(error) => return Err(error),
            });
        }
        Ok(results)
    }

    /// Without a version the file goes to the trash, with one the revision goes for good. To delete the delete marker is to
    /// take the file out of the trash.
    async fn delete(&self, deletion: Deletion) -> Result<ObjectDeleted> {
        let path = match DriveKey::parse(deletion.key.as_str()) {
            Ok(DriveKey::File(path)) => path,
            Ok(DriveKey::Folder(path)) => return self.delete_folder(path).await,
            Err(_) => return Ok(NOTHING_DELETED),
        };
        if deletion.condition != WriteCondition::None {
            return Err(Error::Refused(Refusal::WrongBucketKind));
        }
        match deletion.version {
            VersionSelector::Latest => self.trash(path).await,
            VersionSelector::Null => Ok(NOTHING_DELETED),
            VersionSelector::Id(version) => self.delete_version(path, version).await,
        }
    }

    async fn trash(&self, path: TreePath) -> Result<ObjectDeleted> {
        match self.change_entry(TreeChange::Delete { at: At::Path(path), expected_rev: None, brake: BRAKE }).await {
            Ok(changed) => Ok(ObjectDeleted {
                version: changed.trashed.map(|seq| VersionId::of_revision(seq, changed.entry.id)),
                is_null: false,
                delete_marker: true,
            }),
            Err(Error::Refused(Refusal::NoSuchEntry)) => Ok(NOTHING_DELETED),
            Err(error) => Err(error),
        }
    }

    async fn delete_version(&self, path: TreePath, version: VersionId) -> Result<ObjectDeleted> {
        let (rev, entry) = version.revision();
        let tree = bucket_view::tree_of(self.owner, self.bucket);
        let at = self.metadata.read_owner(self.owner, move |view| query::as_bucket::file_at(view, tree, &path)).await?;
        let Some(at) = at.filter(|at| at.entry.id == entry) else {
            return Ok(NOTHING_DELETED);
        };
        let is_marker = at.trashed.is_some_and(|item| item.seq == rev);
        let change = match is_marker {
            true => TreeChange::Untrash { trashed: rev, to: None, rename: None },
            false => TreeChange::RemoveRevision { entry, rev },
        };
        match self.change_entry(change).await {
            Ok(_) => Ok(ObjectDeleted { version: Some(version), is_null: false, delete_marker: is_marker }),
            Err(Error::Refused(Refusal::NoSuchRevision)) => Ok(NOTHING_DELETED),
            Err(error) => Err(error),
        }
    }

    /// The empty object of a folder: it goes if nothing is in the folder. What is in it has keys of its own.
    async fn delete_folder(&self, path: TreePath) -> Result<ObjectDeleted> {
        let (tree, at) = (bucket_view::tree_of(self.owner, self.bucket), At::Path(path));
        let sought = at.clone();
        let found = self.metadata.read_owner(self.owner, move |view| query::find(view, tree, &sought)).await?;
        let totals = found.and_then(|found| found.record.folder().map(|folder| folder.totals));
        if totals.is_some_and(|totals| totals.files + totals.folders == 0) {
            self.change_entry(TreeChange::Delete { at, expected_rev: None, brake: BRAKE }).await?;
        }
        Ok(NOTHING_DELETED)
    }

    async fn change_entry(&self, change: TreeChange) -> Result<EntryChanged> {
        match self.change(change).await? {
            Outcome::EntryChanged(changed) => Ok(changed),
            outcome => Err(Error::unexpected(outcome)),
        }
    }

    async fn change(&self, change: TreeChange) -> Result<Outcome> {
        let change = OwnerChange::Tree {
            bucket: self.bucket.id,
            author: Author { user: self.principal.user, device: "S3".to_owned() },
            quota_bytes: self.principal.quota_bytes,
            change,
        };
        self.metadata.commit(self.owner, change).await
    }
}

/// Nothing was there: as good as deleted.
const NOTHING_DELETED: ObjectDeleted = ObjectDeleted { version: None, is_null: false, delete_marker: false };

fn written(changed: EntryChanged) -> Result<ObjectWritten> {
    let head = &changed.entry.file().ok_or(Error::Refused(Refusal::NotAFile))?.head;
    Ok(ObjectWritten {
        version: VersionId::of_revision(head.rev, changed.entry.id),
        is_null: false,
        versioned: true,
        etag: head.etag,
        modified_ms: head.modified_ms,
        checksum: head.checksum.clone(),
        bytes: head.bytes,
    })
}
