use super::MetadataStore;
use crate::drive::Poison;
use crate::id::{BlobId, OwnerKey};
use crate::rocks::{Direction, KeyRange, Rocks, RocksOptions};

fn open(directory: &tempfile::TempDir) -> MetadataStore {
    let rocks = Rocks::open(directory.path(), &RocksOptions::default(), Poison::default());
    MetadataStore::new(rocks.expect("opens"))
}

fn blob(number: u64) -> BlobId {
    BlobId::new(OwnerKey(1), 1, number)
}

#[tokio::test]
async fn a_batch_is_seen_whole_and_a_snapshot_never_sees_a_later_one() {
    let directory = tempfile::tempdir().expect("directory");
    let store = open(&directory);
    let mut batch = store.batch();
    batch.put(b"record", b"1");
    batch.put_inline(blob(1), b"payload");
    store.apply(batch).expect("applies");
    let snapshot = store.snapshot();
    let mut batch = store.batch();
    batch.delete(b"record");
    batch.delete_inline(blob(1));
    store.apply_async(batch).await.expect("applies");
    assert_eq!(store.get(b"record").await.expect("reads"), None);
    assert_eq!(store.inline_payload(blob(1)).await.expect("reads"), None);
    assert_eq!(snapshot.get(b"record").expect("reads").as_deref(), Some(&b"1"[..]));
    assert_eq!(snapshot.inline_payload(blob(1)).expect("reads").as_deref(), Some(&b"payload"[..]));
    let mut payloads = snapshot.scan_inline(&KeyRange::prefix(OwnerKey(1).to_bytes()));
    assert_eq!(payloads.next_entry().expect("scans"), Some((&blob(1).as_bytes()[..], &b"payload"[..])));
}

#[tokio::test]
async fn the_flushed_position_follows_a_flush() {
    let directory = tempfile::tempdir().expect("directory");
    let store = open(&directory);
    let mut batch = store.batch();
    batch.put(b"applied", b"5");
    store.apply(batch).expect("applies");
    assert_eq!(store.persisted(b"applied").await.expect("reads"), None);
    store.flush().await.expect("flushes");
    assert_eq!(store.persisted(b"applied").await.expect("reads").as_deref(), Some(&b"5"[..]));
}

#[tokio::test]
async fn a_range_of_records_goes_at_once() {
    let directory = tempfile::tempdir().expect("directory");
    let store = open(&directory);
    let mut batch = store.batch();
    for key in ["a", "b", "c", "d"] {
        batch.put(key.as_bytes(), b"");
    }
    batch.put_inline(blob(1), b"one");
    batch.put_inline(blob(2), b"two");
    batch.delete_range(b"b", b"d");
    batch.delete_inline_range(blob(2).as_bytes(), blob(3).as_bytes());
    store.apply(batch).expect("applies");
    let mut left = store.scan(&KeyRange::all(), Direction::Forward);
    assert_eq!(left.next_entry().expect("scans").map(|(key, _)| key), Some(&b"a"[..]));
    assert_eq!(left.next_entry().expect("scans").map(|(key, _)| key), Some(&b"d"[..]));
    assert_eq!(left.next_entry().expect("scans"), None);
    assert_eq!(store.inline_payload(blob(2)).await.expect("reads"), None);
    assert!(store.inline_payload(blob(1)).await.expect("reads").is_some());
}
