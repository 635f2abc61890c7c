//! Walk: the blobs that the records of some owners name, page by page, all of one moment. Blocking.
//! Does not own: what is stored (the chunk index).

use std::collections::VecDeque;
use std::ops::ControlFlow;

use onggi_storage_engine::format::Record;

use crate::data::blob_layout::BlobLayout;
use crate::error::Result;
use crate::id::OwnerKey;
use crate::metadata::key::{self, BucketKey, Key, OwnerSpace, TreeKey};
use crate::metadata::record::tree::{EntryKind, EntryRecord, RevisionRecord, TrashRecord};
use crate::metadata::record::{Content, PartRecord, VersionKind, VersionRecord};
use crate::metadata::view::{KeyRange, MetadataView};

/// Records of one page: some milliseconds of work.
const PAGE_RECORDS: usize = 2000;

pub struct Walk<V> {
    view: V,
    ranges: VecDeque<KeyRange>,
}

impl<V: MetadataView> Walk<V> {
    /// `owners`: first and last of each range.
    pub fn new(view: V, owners: &[(OwnerKey, OwnerKey)]) -> Self {
        let range = |(first, last): &(OwnerKey, OwnerKey)| KeyRange {
            from: OwnerSpace(*first).all().from,
            to: OwnerSpace(*last).all().to,
        };
        Self { view, ranges: owners.iter().map(range).collect() }
    }

    /// What the next records name; `None` behind the last one. A blob comes as often as it is named.
    pub fn next_page(&mut self) -> Result<Option<Vec<BlobLayout>>> {
        let Some(range) = self.ranges.front_mut() else { return Ok(None) };
        let (mut blobs, mut records, mut last, mut damage) = (Vec::new(), 0, None, Ok(()));
        self.view.scan(range.bounds(), &mut |key, value| {
            match named_by(key, value) {
                Ok(named) => blobs.extend(named),
                Err(error) => {
                    damage = Err(error);
                    return ControlFlow::Break(());
                }
            }
            records += 1;
            if records < PAGE_RECORDS {
                return ControlFlow::Continue(());
            }
            last = Some(key.to_vec());
            ControlFlow::Break(())
        })?;
        damage?;
        match last {
            // The least key behind the last one.
            Some(mut last) => {
                last.push(0);
                range.from = last;
            }
            None => drop(self.ranges.pop_front()),
        }
        Ok(Some(blobs))
    }
}

fn named_by(key: &[u8], value: &[u8]) -> Result<Option<BlobLayout>> {
    let Key::Bucket(_, key) = key::parse(key)? else { return Ok(None) };
    let (content, bytes) = match key {
        BucketKey::Object { .. } | BucketKey::Version { .. } => match VersionRecord::from_bytes(value)?.kind {
            VersionKind::Object(object) => (object.content, object.bytes),
            VersionKind::DeleteMarker => return Ok(None),
        },
        BucketKey::Part { .. } => {
            let part = PartRecord::from_bytes(value)?;
            (part.content, part.bytes)
        }
        BucketKey::Tree(key) => match named_by_tree(&key, value)? {
            Some(named) => named,
            None => return Ok(None),
        },
        BucketKey::Bucket
        | BucketKey::Counters
        | BucketKey::NullVersion { .. }
        | BucketKey::Upload { .. }
        | BucketKey::Manifest { .. }
        | BucketKey::CompletedUpload { .. } => return Ok(None),
    };
    match content {
        Content::Blob { blob, chunk_bytes } => Ok(Some(BlobLayout { blob, bytes, chunk_bytes }.check()?)),
        // The parts have records of their own.
        Content::Empty | Content::Inline { .. } | Content::Parts { .. } => Ok(None),
    }
}

/// What a revision names. A finished session only remembers what it became.
fn named_by_tree(key: &TreeKey, value: &[u8]) -> Result<Option<(Content, u64)>> {
    let revision = match key {
        TreeKey::Entry { .. } => head(EntryRecord::from_bytes(value)?),
        TreeKey::Trash { .. } => head(TrashRecord::from_bytes(value)?.entry),
        TreeKey::Revision { .. } => Some(RevisionRecord::from_bytes(value)?),
        TreeKey::Tree
        | TreeKey::Name { .. }
        | TreeKey::Place(_)
        | TreeKey::Change { .. }
        | TreeKey::Vacated { .. }
        | TreeKey::Session(_)
        | TreeKey::SessionPart { .. }
        | TreeKey::Link(_)
        | TreeKey::Stood { .. }
        | TreeKey::Moment { .. }
        | TreeKey::Brake => None,
    };
    Ok(revision.map(|revision| (revision.content, revision.bytes)))
}

fn head(entry: EntryRecord) -> Option<RevisionRecord> {
    match entry.kind {
        EntryKind::File(file) => Some(file.head),
        EntryKind::Folder(_) => None,
    }
}
