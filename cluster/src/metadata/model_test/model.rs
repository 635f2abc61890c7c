//! Model: the versions of each key in a list, oldest first, and nothing clever.

use std::collections::BTreeMap;

use crate::id::{UploadId, VersionId};
use crate::metadata::command::WriteCondition;
use crate::metadata::outcome::Refusal;
use crate::metadata::record::{ETag, VersionKind, VersionRecord, Versioning};

#[derive(Clone, Debug)]
struct Version {
    is_null: bool,
    /// None: a delete marker.
    object: Option<(u64, ETag)>,
    upload: Option<UploadId>,
}

struct Upload {
    bucket: u64,
    key: String,
    parts: BTreeMap<u16, (u64, u8)>,
}

pub(super) struct Model {
    versioning: BTreeMap<u64, Versioning>,
    keys: BTreeMap<(u64, String), Vec<Version>>,
    uploads: BTreeMap<UploadId, Upload>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Listed {
    pub(super) key: String,
    pub(super) is_null: bool,
    pub(super) is_latest: bool,
    pub(super) object: Option<(u64, ETag)>,
}

impl Model {
    pub(super) fn new(buckets: u64) -> Self {
        let versioning = (1..=buckets).map(|bucket| (bucket, Versioning::Never)).collect();
        Self { versioning, keys: BTreeMap::new(), uploads: BTreeMap::new() }
    }

    pub(super) fn set_versioning(&mut self, bucket: u64, versioning: Versioning) {
        self.versioning.insert(bucket, versioning);
    }

    pub(super) fn put(
        &mut self,
        bucket: u64,
        key: &str,
        condition: &WriteCondition,
        bytes: u64,
        etag: ETag,
    ) -> Result<(), Refusal> {
        self.check(bucket, key, condition)?;
        self.push(bucket, key, Some((bytes, etag)), None);
        Ok(())
    }

    pub(super) fn copy(
        &mut self,
        from: (u64, &str),
        pick: usize,
        to: (u64, &str),
        condition: &WriteCondition,
    ) -> Result<(), Refusal> {
        let source = self.newest_first(from.0, from.1).nth(pick).cloned();
        let source = source.filter(|source| source.object.is_some()).ok_or(Refusal::CopySourceGone)?;
        self.check(to.0, to.1, condition)?;
        self.push(to.0, to.1, source.object, source.upload);
        Ok(())
    }

    pub(super) fn rename(&mut self, bucket: u64, source: &str, target: &str) -> Result<(), Refusal> {
        let latest = self.newest_first(bucket, source).next().cloned();
        let latest = latest.filter(|latest| latest.object.is_some()).ok_or(Refusal::NoSuchKey)?;
        if source != target {
            self.push(bucket, target, latest.object, latest.upload);
            self.delete(bucket, source, None, &WriteCondition::None)?;
        }
        Ok(())
    }

    /// `pick`: a version by its place, newest first; past the last, the null version.
    pub(super) fn delete(
        &mut self,
        bucket: u64,
        key: &str,
        pick: Option<usize>,
        condition: &WriteCondition,
    ) -> Result<(), Refusal> {
        self.check(bucket, key, condition)?;
        match pick {
            None if self.versioning[&bucket] == Versioning::Never => self.remove_null(bucket, key),
            None => self.push(bucket, key, None, None),
            Some(pick) => {
                let versions = self.keys.entry((bucket, key.to_owned())).or_default();
                match versions.len().checked_sub(pick + 1) {
                    Some(place) => drop(versions.remove(place)),
                    None => self.remove_null(bucket, key),
                }
            }
        }
        Ok(())
    }

    pub(super) fn create_upload(&mut self, bucket: u64, key: &str, upload: UploadId) {
        self.uploads.insert(upload, Upload { bucket, key: key.to_owned(), parts: BTreeMap::new() });
    }

    pub(super) fn pick_upload(&self, pick: usize) -> Option<(u64, String, UploadId)> {
        let (id, upload) = self.uploads.iter().nth(pick)?;
        Some((upload.bucket, upload.key.clone(), *id))
    }

    pub(super) fn put_part(&mut self, upload: UploadId, number: u16, bytes: u64, letter: u8) {
        self.uploads.get_mut(&upload).unwrap().parts.insert(number, (bytes, letter));
    }

    pub(super) fn part_letter(&self, upload: UploadId, number: u16) -> u8 {
        self.uploads[&upload].parts.get(&number).map_or(0, |(_, letter)| *letter)
    }

    pub(super) fn remove_upload(&mut self, upload: UploadId) {
        self.uploads.remove(&upload);
    }

    pub(super) fn complete(
        &mut self,
        bucket: u64,
        key: &str,
        upload: UploadId,
        numbers: &[u16],
        condition: &WriteCondition,
    ) -> Result<(), Refusal> {
        self.check(bucket, key, condition)?;
        let parts = &self.uploads[&upload].parts;
        if let Some(missing) = numbers.iter().find(|number| !parts.contains_key(number)) {
            return Err(Refusal::InvalidPart { number: *missing });
        }
        let small = numbers[..numbers.len() - 1].iter().find(|number| parts[number].0 < 5 << 20);
        if let Some(number) = small {
            return Err(Refusal::PartTooSmall { number: *number, bytes: parts[number].0 });
        }
        let bytes = numbers.iter().map(|number| parts[number].0).sum();
        self.uploads.remove(&upload);
        self.push(bucket, key, Some((bytes, ETag { md5: [0; 16], parts: None })), Some(upload));
        Ok(())
    }

    /// The ETag of parts has tests of its own; here it is taken as answered.
    pub(super) fn set_latest_etag(&mut self, bucket: u64, upload: UploadId, etag: ETag) {
        let of_bucket = self.keys.iter_mut().filter(|((of, _), _)| *of == bucket);
        for version in of_bucket.flat_map(|(_, versions)| versions).filter(|version| version.upload == Some(upload)) {
            version.object = version.object.map(|(bytes, _)| (bytes, etag));
        }
    }

    pub(super) fn objects(&self, bucket: u64) -> Vec<(String, u64, ETag)> {
        let of_bucket = self.keys.iter().filter(|((of, _), _)| *of == bucket);
        of_bucket
            .filter_map(|((_, key), versions)| {
                let (bytes, etag) = versions.last()?.object?;
                Some((key.clone(), bytes, etag))
            })
            .collect()
    }

    pub(super) fn versions(&self, bucket: u64) -> Vec<Listed> {
        let of_bucket = self.keys.iter().filter(|((of, _), _)| *of == bucket);
        let listed = |key: &String, place: usize, version: &Version| Listed {
            key: key.clone(),
            is_null: version.is_null,
            is_latest: place == 0,
            object: version.object,
        };
        of_bucket
            .flat_map(|((_, key), versions)| {
                let newest_first = versions.iter().rev().enumerate();
                newest_first.map(|(place, version)| listed(key, place, version)).collect::<Vec<_>>()
            })
            .collect()
    }

    pub(super) fn has_versions(&self, bucket: u64, key: &str) -> bool {
        self.newest_first(bucket, key).next().is_some()
    }

    fn check(&self, bucket: u64, key: &str, condition: &WriteCondition) -> Result<(), Refusal> {
        let current = self.newest_first(bucket, key).next().and_then(|latest| latest.object);
        match (condition, current) {
            (WriteCondition::MustNotExist, Some(_)) => Err(Refusal::PreconditionFailed),
            (WriteCondition::MustExist | WriteCondition::MustMatch(_), None) => Err(Refusal::NoSuchKey),
            (WriteCondition::MustMatch(accepted), Some((_, etag))) if !accepted.contains(&etag) => {
                Err(Refusal::PreconditionFailed)
            }
            _ => Ok(()),
        }
    }

    fn newest_first(&self, bucket: u64, key: &str) -> impl Iterator<Item = &Version> {
        self.keys.get(&(bucket, key.to_owned())).into_iter().flatten().rev()
    }

    fn push(&mut self, bucket: u64, key: &str, object: Option<(u64, ETag)>, upload: Option<UploadId>) {
        let is_null = self.versioning[&bucket] != Versioning::Enabled;
        if is_null {
            self.remove_null(bucket, key);
        }
        self.keys.entry((bucket, key.to_owned())).or_default().push(Version { is_null, object, upload });
    }

    fn remove_null(&mut self, bucket: u64, key: &str) {
        self.keys.entry((bucket, key.to_owned())).or_default().retain(|version| !version.is_null);
    }
}

pub(super) fn described(record: &VersionRecord) -> Option<(VersionId, u64, ETag)> {
    match &record.kind {
        VersionKind::DeleteMarker => None,
        VersionKind::Object(object) => Some((record.version, object.bytes, object.etag)),
    }
}
