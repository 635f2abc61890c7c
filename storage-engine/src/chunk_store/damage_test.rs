//! Damage: bytes of extents that change behind the store's back.

use std::sync::Arc;

use super::index_store::MemoryIndexStore;
use super::layout::frame_bytes;
use super::test_bed::{Promise, TestBed, open, open_with, options, payload};
use crate::env::Disk;
use crate::env::simulated_disk::{Crash, Fuse};
use crate::error::ErrorKind;

const PAYLOAD_BYTES: u32 = 70_000;

/// One extent with three chunks of two blocks each.
fn bed() -> TestBed {
    let mut bed = TestBed::new(1);
    bed.append(&[PAYLOAD_BYTES; 3]).expect("append");
    bed.sync().expect("sync");
    bed.store.close().expect("close");
    bed
}

/// Every part of the file, and bytes on both sides of each border.
fn offsets(file_bytes: u64) -> impl Iterator<Item = u64> {
    let frame = frame_bytes(PAYLOAD_BYTES);
    let parts = [0, 8, 40, 48, 60, 64, 70, 32_000, 65_599, 65_600, 65_603, 65_604, 70_071, 70_072, 70_075, 70_076];
    let frames = (0..3).flat_map(move |number| parts.map(|part| 4096 + number * frame + part));
    (0..60).chain([4095]).chain(frames).filter(move |offset| *offset < file_bytes)
}

#[test]
fn a_flipped_byte_is_never_served() {
    let bed = bed();
    let path = bed.extent_paths().remove(0);
    let file_bytes = bed.disk.content(&path).len() as u64;
    let (mut served, mut refused) = (0, 0);
    for offset in offsets(file_bytes) {
        for mask in [0x01, 0x80, 0xff] {
            bed.disk.flip(&path, offset, mask);
            for chunk in bed.model.keys() {
                let expected = payload(*chunk, PAYLOAD_BYTES);
                for range in [0..PAYLOAD_BYTES, 0..100, 65_536..PAYLOAD_BYTES, 65_000..66_000] {
                    match bed.store.read(*chunk, range.clone()) {
                        Ok(read) => {
                            assert_eq!(read, expected.slice(range.start as usize..range.end as usize));
                            served += 1;
                        }
                        Err(error) => {
                            assert_eq!(error.kind, ErrorKind::Corrupt, "{error}");
                            refused += 1;
                        }
                    }
                }
            }
            bed.disk.flip(&path, offset, mask);
        }
    }
    assert!(served > 1000 && refused > 100, "{served} served, {refused} refused");
}

#[test]
fn a_rebuild_past_damage_gives_right_bytes_or_none() {
    let bed = bed();
    let path = bed.extent_paths().remove(0);
    let file_bytes = bed.disk.content(&path).len() as u64;
    for offset in offsets(file_bytes) {
        // A new index every time: everything has to come from the extent.
        let index = Arc::new(MemoryIndexStore::new(Fuse::never()));
        let disk = bed.disk.after_crash(Crash::Kill, &mut || 0, Fuse::never());
        disk.flip(&path, offset, 0x10);
        let (store, _) = open(&disk, &index).expect("opens, damage or not");
        let mut lost = 0;
        for chunk in bed.model.keys() {
            match store.read(*chunk, 0..PAYLOAD_BYTES) {
                Ok(read) => assert_eq!(read, payload(*chunk, PAYLOAD_BYTES)),
                Err(error) => {
                    assert!(matches!(error.kind, ErrorKind::NotFound | ErrorKind::Corrupt));
                    lost += 1;
                }
            }
        }
        assert!(lost <= 1, "one flipped byte at {offset} costs one chunk at most, not {lost}");
    }
}

#[test]
fn a_scrub_finds_each_damaged_chunk_and_a_new_copy_heals_it() {
    let mut bed = bed();
    let path = bed.extent_paths().remove(0);
    assert_eq!(bed.scrub().expect("scrub"), 0);
    bed.disk.flip(&path, 4096 + 64 + 500, 0x04);
    assert_eq!(bed.scrub().expect("scrub"), 1);
    let (chunk, _) = bed.model.iter().next().expect("a chunk");
    let chunk = *chunk;
    let damaged = bed.store.status().damaged;
    assert_eq!(damaged.iter().map(|damaged| damaged.chunk).collect::<Vec<_>>(), vec![chunk]);

    let again = bed.store.append(chunk, vec![payload(chunk, PAYLOAD_BYTES)]).expect("append");
    bed.store.sync(&[again]).expect("sync");
    assert!(bed.store.status().damaged.is_empty());
    assert_eq!(bed.scrub().expect("scrub"), 0, "the damaged copy is dead");
    bed.reopen().expect("reopen");
    bed.verify();
}

#[test]
fn a_damaged_header_hides_nothing_from_scrub_and_collector() {
    let bed = bed();
    let path = bed.extent_paths().remove(0);
    bed.disk.flip(&path, 4096 + frame_bytes(PAYLOAD_BYTES) + 20, 0x04);
    assert_eq!(bed.scrub().expect("scrub"), 1, "the header is an error");
    assert!(bed.store.status().damaged.is_empty(), "the chunk behind it is intact");
    bed.verify();

    // Enough garbage that the extent is rewritten.
    let chunks: Vec<_> = bed.model.keys().copied().collect();
    let again: Vec<_> = [chunks[0], chunks[2]]
        .map(|chunk| bed.store.append(chunk, vec![payload(chunk, PAYLOAD_BYTES)]).expect("append"))
        .into();
    bed.store.sync(&again).expect("sync");
    bed.collect_garbage(20).expect("collect");
    assert!(!bed.extent_paths().contains(&path), "the extent was emptied and removed");
    bed.verify();
    assert_eq!(bed.scrub().expect("scrub"), 0);
}

#[test]
fn the_collector_leaves_an_extent_with_damage_alone() {
    let bed = bed();
    let path = bed.extent_paths().remove(0);
    let chunks: Vec<_> = bed.model.keys().copied().collect();
    bed.disk.flip(&path, 4096 + 64 + 500, 0x04);
    let again: Vec<_> = [chunks[1], chunks[2]]
        .map(|chunk| bed.store.append(chunk, vec![payload(chunk, PAYLOAD_BYTES)]).expect("append"))
        .into();
    bed.store.sync(&again).expect("sync");
    bed.collect_garbage(20).expect("collect");
    assert!(bed.extent_paths().contains(&path), "the last copy, damaged as it is, must not be thrown away");
    assert_eq!(bed.store.status().damaged[0].chunk, chunks[0]);
    // Its second block can still be read.
    let rest = bed.store.read(chunks[0], 65_536..PAYLOAD_BYTES).expect("intact block");
    assert_eq!(rest, payload(chunks[0], PAYLOAD_BYTES).slice(65_536..));
}

#[test]
fn a_missing_extent_is_reported_not_invented() {
    let mut bed = bed();
    let path = bed.extent_paths().remove(0);
    bed.disk.remove(&path).expect("remove");
    (bed.store, bed.recovery) = open(&bed.disk, &bed.index).expect("opens");
    assert_eq!(bed.recovery.extents_missing, 1);
    for chunk in bed.model.keys() {
        let error = bed.store.read(*chunk, 0..1).expect_err("the bytes are gone");
        assert_eq!(error.kind, ErrorKind::Corrupt);
    }
    bed.free(0).expect("free");
    bed.collect_garbage(5).expect("collect");
    assert!(bed.model.values().all(|(_, promise)| *promise == Promise::Freed));
    assert!(bed.store.status().extents == 0, "nothing points into it any more");
}

#[test]
fn an_extent_of_another_drive_is_refused() {
    let bed = bed();
    let mut options = options();
    options.drive = *b"another drive...";
    let index = Arc::new(MemoryIndexStore::new(Fuse::never()));
    let opened = open_with(options, &bed.disk, &index);
    assert_eq!(opened.err().map(|error| error.kind), Some(ErrorKind::Corrupt));
}
