//! What a listing costs: seeks and records read, not time.

use std::cell::Cell;
use std::ops::{ControlFlow, Range};

use bytes::Bytes;
use onggi_storage_engine::format::Record;

use super::{ListObjects, ListUploads, ListVersions, list_objects, list_uploads, list_versions};
use crate::error::Result;
use crate::id::{BucketId, OwnerKey, UploadId, VersionId};
use crate::metadata::key::BucketSpace;
use crate::metadata::record::{ObjectHeaders, UploadRecord, VersionKind, VersionRecord};
use crate::metadata::view::{MemoryView, MetadataView, Visit};

const PREFIXES: usize = 10;
const KEYS_PER_PREFIX: usize = 2_000;

/// Counts what is asked of the view behind it.
struct Counting {
    records: MemoryView,
    scans: Cell<usize>,
    visited: Cell<usize>,
}

impl MetadataView for Counting {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>> {
        self.records.get(key)
    }

    fn scan(&self, range: Range<&[u8]>, visit: Visit<'_>) -> Result<()> {
        self.scans.set(self.scans.get() + 1);
        self.records.scan(range, &mut |key, value| -> ControlFlow<()> {
            self.visited.set(self.visited.get() + 1);
            visit(key, value)
        })
    }

    fn scan_reverse(&self, range: Range<&[u8]>, visit: Visit<'_>) -> Result<()> {
        self.records.scan_reverse(range, visit)
    }
}

fn space() -> BucketSpace {
    BucketSpace::new(OwnerKey(7), BucketId(1))
}

fn keys() -> impl Iterator<Item = String> {
    (0..PREFIXES).flat_map(|prefix| (0..KEYS_PER_PREFIX).map(move |key| format!("{prefix:02}/{key:05}")))
}

fn counting(records: MemoryView) -> Counting {
    Counting { records, scans: Cell::new(0), visited: Cell::new(0) }
}

fn assert_cost(view: &Counting, scans_max: usize, visited_max: usize) {
    let (scans, visited) = (view.scans.get(), view.visited.get());
    assert!(scans <= scans_max && visited <= visited_max, "{scans} scans, {visited} records");
}

fn with_objects() -> Counting {
    let mut records = MemoryView::default();
    for key in keys() {
        let version = VersionId::new(1, 1);
        // What kind of version it is does not matter to a listing of objects.
        let record = VersionRecord { version, is_null: false, modified_ms: 1, kind: VersionKind::DeleteMarker };
        records.put(space().object(&key), record.to_bytes());
        records.put(space().version(&key, VersionId::new(0, 1)), record.to_bytes());
    }
    counting(records)
}

#[test]
fn common_prefixes_of_objects_are_skipped_by_a_seek_each() {
    let view = with_objects();
    let list = ListObjects { delimiter: Some("/".to_owned()), limit: 1_000, ..ListObjects::default() };
    let page = list_objects(&view, space().owner, space().bucket, &list).unwrap();
    assert_eq!((page.common_prefixes.len(), page.objects.len(), page.next), (PREFIXES, 0, None));
    assert_cost(&view, PREFIXES + 1, PREFIXES * 4);
}

#[test]
fn common_prefixes_of_versions_are_skipped_by_a_seek_each() {
    let view = with_objects();
    let list = ListVersions { delimiter: Some("/".to_owned()), limit: 1_000, ..ListVersions::default() };
    let page = list_versions(&view, space().owner, space().bucket, &list).unwrap();
    assert_eq!((page.common_prefixes.len(), page.versions.len(), page.next), (PREFIXES, 0, None));
    assert_cost(&view, 2 * (PREFIXES + 1), 2 * PREFIXES * 4);
}

#[test]
fn common_prefixes_of_uploads_are_skipped_by_a_seek_each() {
    let mut records = MemoryView::default();
    for key in keys() {
        let upload = UploadId([1; 16]);
        let headers = ObjectHeaders::default();
        let record =
            UploadRecord { upload, key: key.clone(), initiated_ms: 1, headers, tags: Vec::new(), checksum: None };
        records.put(space().upload(&key, upload), record.to_bytes());
    }
    let view = counting(records);
    let list = ListUploads { delimiter: Some("/".to_owned()), limit: 1_000, ..ListUploads::default() };
    let page = list_uploads(&view, space().owner, space().bucket, &list).unwrap();
    assert_eq!((page.common_prefixes.len(), page.uploads.len(), page.next), (PREFIXES, 0, None));
    assert_cost(&view, PREFIXES + 1, PREFIXES * 4);
}

#[test]
fn a_page_reads_little_more_than_it_shows() {
    let view = with_objects();
    let list = ListObjects { limit: 1_000, ..ListObjects::default() };
    let page = list_objects(&view, space().owner, space().bucket, &list).unwrap();
    assert_eq!(page.objects.len(), 1_000);
    assert_cost(&view, 6, 1_400);
}
