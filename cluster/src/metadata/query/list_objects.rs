//! List objects: pages of the latest versions that are not delete markers, by the unsigned bytes of their keys.

use onggi_storage_engine::format::Record;

use super::cursor::Cursor;
use super::fold::Fold;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{BucketId, OwnerKey};
use crate::metadata::key::{self, BucketKey, BucketSpace, Key};
use crate::metadata::record::VersionRecord;
use crate::metadata::view::MetadataView;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListObjects {
    pub prefix: String,
    pub delimiter: Option<String>,
    pub after: Option<After>,
    /// Objects and common prefixes together; 0 gives an empty, complete page.
    pub limit: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// `start-after`: keys greater than this. A common prefix that holds such a key is listed.
    Key(String),
    /// `marker`, or `ObjectPage::next`: the common prefix in which the marker lies was listed already.
    Marker(String),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ObjectPage {
    pub objects: Vec<(String, VersionRecord)>,
    pub common_prefixes: Vec<String>,
    /// Where to go on (`After::Marker`): the last key or common prefix of this page. `None`: this page is the last.
    pub next: Option<String>,
}

pub fn list_objects(
    view: &dyn MetadataView,
    owner: OwnerKey,
    bucket: BucketId,
    list: &ListObjects,
) -> Result<ObjectPage> {
    let space = BucketSpace::new(owner, bucket);
    let mut objects = Objects { space, cursor: Cursor::new(view, space.objects(&list.prefix)) };
    list_keys(&mut objects, list)
}

/// Keys in order, and what stands under them: a bucket's, or those of a tree.
pub(super) trait ObjectKeys {
    /// The next one.
    fn key(&mut self) -> Result<Option<String>>;
    /// What stands under it; goes on behind it.
    fn take(&mut self) -> Result<VersionRecord>;
    fn skip_past(&mut self, key: &str) -> Result<()>;
    /// Past all keys that begin with `prefix`.
    fn skip_prefix(&mut self, prefix: &str) -> Result<()>;
}

pub(super) fn list_keys(keys: &mut impl ObjectKeys, list: &ListObjects) -> Result<ObjectPage> {
    let fold = Fold::new(&list.prefix, list.delimiter.as_deref());
    match &list.after {
        Some(After::Marker(marker)) => match fold.common_prefix(marker) {
            Some(listed) => keys.skip_prefix(listed)?,
            None => keys.skip_past(marker)?,
        },
        Some(After::Key(key)) => keys.skip_past(key)?,
        None => {}
    }

    let mut page = ObjectPage::default();
    let mut last = None;
    while let Some(key) = keys.key()? {
        if page.objects.len() + page.common_prefixes.len() == list.limit {
            page.next = last;
            break;
        }
        match fold.common_prefix(&key) {
            Some(common) => {
                last = Some(common.to_owned());
                page.common_prefixes.push(common.to_owned());
                keys.skip_prefix(common)?;
            }
            None => {
                last = Some(key.clone());
                page.objects.push((key, keys.take()?));
            }
        }
    }
    Ok(page)
}

struct Objects<'a> {
    space: BucketSpace,
    cursor: Cursor<'a>,
}

impl ObjectKeys for Objects<'_> {
    fn key(&mut self) -> Result<Option<String>> {
        self.cursor.peek()?.map(|(key, _)| object_key(key)).transpose()
    }

    fn take(&mut self) -> Result<VersionRecord> {
        let missing = || Error::new(ErrorKind::Internal, "no object stands here");
        let record = VersionRecord::from_bytes(self.cursor.peek()?.ok_or_else(missing)?.1)?;
        self.cursor.advance();
        Ok(record)
    }

    fn skip_past(&mut self, key: &str) -> Result<()> {
        self.cursor.skip_past(self.space.object(key));
        Ok(())
    }

    fn skip_prefix(&mut self, prefix: &str) -> Result<()> {
        self.cursor.skip_prefix(self.space.object(prefix));
        Ok(())
    }
}

pub(super) fn object_key(key: &[u8]) -> Result<String> {
    match key::parse(key)? {
        Key::Bucket(_, BucketKey::Object { key }) => Ok(key),
        other => Err(key::out_of_place(&other)),
    }
}
