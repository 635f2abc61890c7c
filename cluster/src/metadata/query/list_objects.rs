//! List objects: pages of the latest versions that are not delete markers, by the unsigned bytes of their keys.

use onggi_storage_engine::format::Record;

use super::cursor::Cursor;
use super::fold::Fold;
use crate::error::Result;
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
    let fold = Fold::new(&list.prefix, list.delimiter.as_deref());
    let mut cursor = Cursor::new(view, space.objects(&list.prefix));
    match &list.after {
        Some(After::Marker(marker)) => match fold.common_prefix(marker) {
            Some(listed) => cursor.skip_prefix(space.object(listed)),
            None => cursor.skip_past(space.object(marker)),
        },
        Some(After::Key(key)) => cursor.skip_past(space.object(key)),
        None => {}
    }

    let mut page = ObjectPage::default();
    let mut last = None;
    while let Some((key, value)) = cursor.peek()? {
        if page.objects.len() + page.common_prefixes.len() == list.limit {
            page.next = last;
            break;
        }
        let name = object_key(key)?;
        match fold.common_prefix(&name) {
            Some(common) => {
                last = Some(common.to_owned());
                page.common_prefixes.push(common.to_owned());
                cursor.skip_prefix(space.object(common));
            }
            None => {
                last = Some(name.clone());
                page.objects.push((name, VersionRecord::from_bytes(value)?));
                cursor.advance();
            }
        }
    }
    Ok(page)
}

pub(super) fn object_key(key: &[u8]) -> Result<String> {
    match key::parse(key)? {
        Key::Bucket(_, BucketKey::Object { key }) => Ok(key),
        other => Err(key::out_of_place(&other)),
    }
}
