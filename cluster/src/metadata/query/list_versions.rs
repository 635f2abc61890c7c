//! List versions: pages of all versions and delete markers, by key and then newest first.
//! The latest version of a key stands in `object`, the others in `version`; both are walked side by side.

use onggi_storage_engine::format::Record;

use super::cursor::Cursor;
use super::fold::Fold;
use super::list_objects::object_key;
use super::versions::version;
use crate::error::Result;
use crate::id::{BucketId, OwnerKey, VersionId};
use crate::metadata::command::VersionSelector;
use crate::metadata::key::{self, BucketKey, BucketSpace, Key};
use crate::metadata::record::VersionRecord;
use crate::metadata::view::MetadataView;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListVersions {
    pub prefix: String,
    pub delimiter: Option<String>,
    pub after: Option<VersionsAfter>,
    /// Versions and common prefixes together; 0 gives an empty, complete page.
    pub limit: usize,
}

/// Without a version, everything of `key` was listed already (or of the common prefix in which it lies).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionsAfter {
    pub key: String,
    pub version: Option<VersionId>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ListedVersion {
    pub key: String,
    pub record: VersionRecord,
    pub is_latest: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct VersionPage {
    pub versions: Vec<ListedVersion>,
    pub common_prefixes: Vec<String>,
    /// Where to go on. The version id is the true one, also of a null version: it still stands for the place in the
    /// listing when that version is gone.
    pub next: Option<VersionsAfter>,
}

pub fn list_versions(
    view: &dyn MetadataView,
    owner: OwnerKey,
    bucket: BucketId,
    list: &ListVersions,
) -> Result<VersionPage> {
    let space = BucketSpace::new(owner, bucket);
    let fold = Fold::new(&list.prefix, list.delimiter.as_deref());
    let mut objects = Cursor::new(view, space.objects(&list.prefix));
    let mut others = Cursor::new(view, space.versions(&list.prefix));
    if let Some(after) = &list.after {
        skip_listed(space, &fold, after, &mut objects, &mut others)?;
    }

    let mut page = VersionPage::default();
    let mut last = None;
    let mut key_before: Option<String> = None;
    while let Some((key, record, from_objects)) = next_of(&mut objects, &mut others)? {
        if page.versions.len() + page.common_prefixes.len() == list.limit {
            page.next = last;
            break;
        }
        if let Some(common) = fold.common_prefix(&key) {
            page.common_prefixes.push(common.to_owned());
            last = Some(VersionsAfter { key: common.to_owned(), version: None });
            objects.skip_prefix(space.object(common));
            others.skip_prefix(space.versions(common).from);
            continue;
        }
        let is_first_of_key = key_before.as_ref() != Some(&key);
        let was_begun_before = list.after.as_ref().is_some_and(|after| after.key == key);
        let is_latest = match (from_objects, is_first_of_key, was_begun_before) {
            (true, ..) => true,
            (false, true, false) => true,
            (false, true, true) => is_latest_of_key(view, space, &key, &record)?,
            (false, false, _) => false,
        };
        if from_objects {
            objects.advance()
        } else {
            others.advance()
        }
        last = Some(VersionsAfter { key: key.clone(), version: Some(record.version) });
        key_before = Some(key.clone());
        page.versions.push(ListedVersion { key, record, is_latest });
    }
    Ok(page)
}

fn skip_listed(
    space: BucketSpace,
    fold: &Fold<'_>,
    after: &VersionsAfter,
    objects: &mut Cursor<'_>,
    others: &mut Cursor<'_>,
) -> Result<()> {
    if let Some(listed) = fold.common_prefix(&after.key) {
        objects.skip_prefix(space.object(listed));
        others.skip_prefix(space.versions(listed).from);
        return Ok(());
    }
    let Some(version) = after.version else {
        objects.skip_past(space.object(&after.key));
        others.skip_to(space.versions_of(&after.key).to);
        return Ok(());
    };
    others.skip_past(space.version(&after.key, version));
    objects.skip_to(space.object(&after.key));
    if let Some((key, value)) = objects.peek()? {
        let is_listed = key == space.object(&after.key) && VersionRecord::from_bytes(value)?.version >= version;
        if is_listed {
            objects.advance();
        }
    }
    Ok(())
}

/// For the first version on a page whose key was begun on the page before.
fn is_latest_of_key(view: &dyn MetadataView, space: BucketSpace, key: &str, record: &VersionRecord) -> Result<bool> {
    let latest = version(view, space.owner, space.bucket, key, VersionSelector::Latest)?;
    Ok(latest.is_some_and(|(latest, _)| latest.version == record.version))
}

/// The lesser of both by key; the latest version of a key before its others.
fn next_of(objects: &mut Cursor<'_>, others: &mut Cursor<'_>) -> Result<Option<(String, VersionRecord, bool)>> {
    let object = match objects.peek()? {
        Some((key, value)) => Some((object_key(key)?, value)),
        None => None,
    };
    let other = match others.peek()? {
        Some((key, value)) => Some((version_key(key)?, value)),
        None => None,
    };
    let (key, value, from_objects) = match (object, other) {
        (Some((object, value)), Some((other, _))) if object <= other => (object, value, true),
        (_, Some((other, value))) => (other, value, false),
        (Some((object, value)), None) => (object, value, true),
        (None, None) => return Ok(None),
    };
    Ok(Some((key, VersionRecord::from_bytes(value)?, from_objects)))
}

fn version_key(key: &[u8]) -> Result<String> {
    match key::parse(key)? {
        Key::Bucket(_, BucketKey::Version { key, .. }) => Ok(key),
        other => Err(key::out_of_place(&other)),
    }
}
