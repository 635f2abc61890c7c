//! What becomes of a frame that turns out durable, depending on what happened meanwhile.

use std::sync::Arc;

use expect_test::{Expect, expect};

use super::index::{DurableFrame, Index, Origin};
use super::index_record::Place;
use super::index_store::MemoryIndexStore;
use super::layout::{EXTENT_HEADER_BYTES, ExtentId, frame_bytes};
use crate::env::simulated_disk::Fuse;
use crate::id::{BlobId, ChunkId, OwnerKey};

const PAYLOAD_BYTES: u32 = 1_000;

struct Bench {
    index: Index,
    chunk: ChunkId,
}

/// The place of the frame with this number in an extent.
fn place(extent: u64, number: u64) -> Place {
    let offset = EXTENT_HEADER_BYTES + number * frame_bytes(PAYLOAD_BYTES);
    Place { extent: ExtentId(extent), offset, payload_bytes: PAYLOAD_BYTES }
}

impl Bench {
    /// One chunk, durable in extent 1.
    fn new() -> Self {
        let index = Index::open(Arc::new(MemoryIndexStore::new(Fuse::never()))).expect("index");
        let bench = Self { index, chunk: BlobId::new(OwnerKey(1), 2, 3).chunk(0) };
        bench.append(place(1, 0));
        bench
    }

    fn append(&self, place: Place) {
        self.index.expect(self.chunk, place);
        self.commit(place, Origin::Appended);
    }

    fn commit(&self, place: Place, origin: Origin) {
        let frame = DurableFrame { chunk: self.chunk, place, origin };
        self.index.commit(place.extent, &[frame], place.end()).expect("commit");
    }

    fn check(&self, expected: Expect) {
        let found = self.index.find(self.chunk).expect("find");
        let at = found.map_or("nowhere".into(), |place| format!("in extent {} at {}", place.extent.0, place.offset));
        let records = self.index.records().into_iter().map(|(extent, record)| {
            format!("extent {}: {} live, {} dead", extent.0, record.live_bytes, record.dead_bytes())
        });
        expected.assert_eq(&[vec![at], records.collect()].concat().join("\n"));
    }
}

#[test]
fn a_new_copy_replaces_the_old_one() {
    let bench = Bench::new();
    bench.append(place(2, 0));
    bench.check(expect![[r#"
        in extent 2 at 4096
        extent 1: 0 live, 1072 dead
        extent 2: 1072 live, 0 dead"#]]);
}

#[test]
fn a_chunk_freed_before_it_was_durable_stays_free() {
    let bench = Bench::new();
    bench.index.expect(bench.chunk, place(2, 0));
    bench.index.free(bench.chunk.blob()).expect("free");
    bench.commit(place(2, 0), Origin::Appended);
    bench.check(expect![[r#"
        nowhere
        extent 1: 0 live, 1072 dead
        extent 2: 0 live, 1072 dead"#]]);
}

#[test]
fn the_collector_moves_what_is_still_there() {
    let bench = Bench::new();
    bench.commit(place(2, 0), Origin::Moved { from: place(1, 0) });
    bench.check(expect![[r#"
        in extent 2 at 4096
        extent 1: 0 live, 1072 dead
        extent 2: 1072 live, 0 dead"#]]);
}

#[test]
fn the_collector_does_not_bring_a_freed_chunk_back() {
    let bench = Bench::new();
    bench.index.free(bench.chunk.blob()).expect("free");
    bench.commit(place(2, 0), Origin::Moved { from: place(1, 0) });
    bench.check(expect![[r#"
        nowhere
        extent 1: 0 live, 1072 dead
        extent 2: 0 live, 1072 dead"#]]);
}

#[test]
fn the_collector_does_not_undo_a_newer_copy() {
    let bench = Bench::new();
    bench.append(place(2, 0));
    bench.commit(place(3, 0), Origin::Moved { from: place(1, 0) });
    bench.check(expect![[r#"
        in extent 2 at 4096
        extent 1: 0 live, 1072 dead
        extent 2: 1072 live, 0 dead
        extent 3: 0 live, 1072 dead"#]]);
}

#[test]
fn a_scan_does_not_replace_what_the_index_knows() {
    let bench = Bench::new();
    bench.commit(place(2, 0), Origin::Recovered);
    bench.check(expect![[r#"
        in extent 1 at 4096
        extent 1: 1072 live, 0 dead
        extent 2: 0 live, 1072 dead"#]]);
}

#[test]
fn a_scan_replaces_a_copy_whose_extent_is_gone() {
    let bench = Bench::new();
    bench.index.forget(ExtentId(1)).expect("forget");
    bench.commit(place(2, 0), Origin::Recovered);
    bench.check(expect![[r#"
        in extent 2 at 4096
        extent 2: 1072 live, 0 dead"#]]);
}
