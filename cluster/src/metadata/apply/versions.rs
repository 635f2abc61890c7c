//! Versions of a key: what a write, a delete and the removal of a version do to them.
//! Owns: the rules of Amazon S3 for buckets that never had versioning, have it, or have it suspended.
//! Invariant: `object` holds the latest version unless that is a delete marker; all others stand in `version`; a row in
//! `null_version` says that the null version stands in `version`, and where.

use super::bucket_draft::{BucketDraft, signed};
use super::references;
use crate::error::{Error, ErrorKind, Result};
use crate::id::VersionId;
use crate::metadata::command::VersionSelector;
use crate::metadata::outcome::{ObjectDeleted, ObjectWritten};
use crate::metadata::query;
use crate::metadata::record::{ETag, ObjectRecord, VersionKind, VersionRecord, Versioning};

impl BucketDraft<'_, '_> {
    /// The latest version, unless it is a delete marker.
    pub(super) fn object(&self, key: &str) -> Result<Option<VersionRecord>> {
        self.draft.get(&self.space.object(key))
    }

    /// What conditions are checked against.
    pub(super) fn current_etag(&self, key: &str) -> Result<Option<ETag>> {
        Ok(match self.object(key)? {
            Some(VersionRecord { kind: VersionKind::Object(object), .. }) => Some(object.etag),
            _ => None,
        })
    }

    /// Makes `object`, whose bytes are named already, the latest version.
    pub(super) fn write(&mut self, key: &str, object: ObjectRecord, random: u64) -> Result<ObjectWritten> {
        let is_null = self.record.versioning != Versioning::Enabled;
        self.make_room(key, is_null)?;
        let record = VersionRecord {
            version: self.draft.next_version(random),
            is_null,
            modified_ms: self.draft.time_ms,
            kind: VersionKind::Object(object),
        };
        self.count(&record, 1);
        self.change.objects += 1;
        self.draft.put(self.space.object(key), &record);
        written(&record, self.record.versioning != Versioning::Never)
    }

    /// A delete that names no version.
    pub(super) fn delete_latest(&mut self, key: &str, random: u64) -> Result<ObjectDeleted> {
        let is_null = self.record.versioning != Versioning::Enabled;
        self.make_room(key, is_null)?;
        if self.record.versioning == Versioning::Never {
            return Ok(ObjectDeleted { version: None, is_null: false, delete_marker: false });
        }
        let marker = VersionRecord {
            version: self.draft.next_version(random),
            is_null,
            modified_ms: self.draft.time_ms,
            kind: VersionKind::DeleteMarker,
        };
        self.count(&marker, 1);
        self.put_other(key, &marker);
        Ok(ObjectDeleted { version: Some(marker.version), is_null, delete_marker: true })
    }

    /// Removes one version for good. The next newest becomes the latest if this was it.
    pub(super) fn remove_version(&mut self, key: &str, selector: VersionSelector) -> Result<ObjectDeleted> {
        let (owner, bucket) = (self.space.owner, self.space.bucket);
        let Some((record, _)) = query::version(self.draft.view(), owner, bucket, key, selector)? else {
            return Ok(ObjectDeleted { version: None, is_null: false, delete_marker: false });
        };
        let stands_in_object = self.object(key)?.is_some_and(|object| object.version == record.version);
        if stands_in_object {
            self.draft.delete(self.space.object(key));
            self.change.objects -= 1;
        } else {
            self.delete_other(key, &record);
        }
        self.discard(&record)?;
        self.promote(key)?;
        Ok(ObjectDeleted {
            version: Some(record.version),
            is_null: record.is_null,
            delete_marker: record.kind == VersionKind::DeleteMarker,
        })
    }

    /// Stores a version that is there already with other contents, in its place.
    pub(super) fn replace_in_place(&mut self, key: &str, record: &VersionRecord) -> Result<()> {
        let stands_in_object = self.object(key)?.is_some_and(|object| object.version == record.version);
        let place = if stands_in_object { self.space.object(key) } else { self.space.version(key, record.version) };
        self.draft.put(place, record);
        Ok(())
    }

    /// Takes the latest object out of its place, and the null version away if a new one comes: there is at most one.
    fn make_room(&mut self, key: &str, new_is_null: bool) -> Result<()> {
        if new_is_null && let Some(null) = self.other_null(key)? {
            self.delete_other(key, &null);
            self.discard(&null)?;
        }
        let Some(current) = self.object(key)? else {
            return Ok(());
        };
        self.draft.delete(self.space.object(key));
        self.change.objects -= 1;
        if new_is_null && current.is_null {
            return self.discard(&current);
        }
        self.put_other(key, &current);
        Ok(())
    }

    /// If no object is the latest, the newest of the other versions is; if that is an object, it moves to its place.
    fn promote(&mut self, key: &str) -> Result<()> {
        if self.object(key)?.is_some() {
            return Ok(());
        }
        match query::newest_other(self.draft.view(), self.space, key)? {
            Some(newest) if newest.kind != VersionKind::DeleteMarker => {
                self.delete_other(key, &newest);
                self.draft.put(self.space.object(key), &newest);
                self.change.objects += 1;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The null version, if it stands in `version`.
    fn other_null(&self, key: &str) -> Result<Option<VersionRecord>> {
        // A bucket that never had versioning has no other versions.
        if self.record.versioning == Versioning::Never {
            return Ok(None);
        }
        let Some(version) = self.draft.get::<VersionId>(&self.space.null_version(key))? else {
            return Ok(None);
        };
        let null = self.draft.get(&self.space.version(key, version))?;
        let missing = || Error::new(ErrorKind::Corrupt, format!("null version {version} is not where it should be"));
        null.map(Some).ok_or_else(missing)
    }

    fn put_other(&mut self, key: &str, record: &VersionRecord) {
        self.draft.put(self.space.version(key, record.version), record);
        if record.is_null {
            self.draft.put(self.space.null_version(key), &record.version);
        }
    }

    fn delete_other(&mut self, key: &str, record: &VersionRecord) {
        self.draft.delete(self.space.version(key, record.version));
        if record.is_null {
            self.draft.delete(self.space.null_version(key));
        }
    }

    /// The version is gone: it counts no more, and its bytes lose a name.
    fn discard(&mut self, record: &VersionRecord) -> Result<()> {
        self.count(record, -1);
        match &record.kind {
            VersionKind::Object(object) => references::release(self.draft, self.space.owner, &object.content),
            VersionKind::DeleteMarker => Ok(()),
        }
    }

    fn count(&mut self, record: &VersionRecord, sign: i64) {
        match &record.kind {
            VersionKind::Object(object) => {
                self.change.versions += sign;
                self.change.bytes += sign * signed(object.bytes);
            }
            VersionKind::DeleteMarker => self.change.delete_markers += sign,
        }
    }
}

/// The answer to a write, from the version that it made.
pub(super) fn written(record: &VersionRecord, versioned: bool) -> Result<ObjectWritten> {
    let VersionKind::Object(object) = &record.kind else {
        return Err(Error::new(ErrorKind::Corrupt, format!("a delete marker stands as object: {}", record.version)));
    };
    Ok(ObjectWritten {
        version: record.version,
        is_null: record.is_null,
        versioned,
        etag: object.etag,
        modified_ms: record.modified_ms,
        checksum: object.checksum.clone(),
        bytes: object.bytes,
    })
}
