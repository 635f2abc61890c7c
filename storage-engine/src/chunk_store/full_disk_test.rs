//! A full disk: appends are refused, nothing is lost, reads and deletes go on, and room that comes back is used.

use super::test_bed::{Promise, TestBed};
use crate::error::ErrorKind;

/// Appends until there is no room. Gives the number of blobs that fit.
fn fill(bed: &mut TestBed) -> usize {
    for blobs in 0..1_000 {
        if let Err(error) = bed.append(&[50_000]) {
            assert_eq!(error.kind, ErrorKind::Full, "{error}");
            return blobs;
        }
        bed.sync().expect("sync");
    }
    panic!("the disk does not fill up");
}

fn durable(bed: &TestBed) -> usize {
    bed.model.values().filter(|(_, promise)| *promise == Promise::Durable).count()
}

#[test]
fn a_full_disk_refuses_appends_and_recovers_when_room_is_freed() {
    let mut bed = TestBed::with_capacity(1, 2_000_000);
    let blobs = fill(&mut bed);
    assert!(blobs >= 30, "{blobs} blobs of 50 kB fit on 2 MB");
    assert!(bed.disk.used_bytes() <= 2_000_000);
    bed.verify();
    assert_eq!(durable(&bed), blobs);

    for at in 0..blobs {
        bed.free(at).expect("free on a full disk");
    }
    bed.collect_garbage(100).expect("collect");
    bed.verify();
    assert!(bed.disk.used_bytes() < 500_000, "{} bytes are still used", bed.disk.used_bytes());
    assert!(fill(&mut bed) >= 25, "the room came back");
    bed.verify();
}

#[test]
fn a_write_that_runs_out_of_room_leaves_a_valid_extent() {
    let mut bed = TestBed::new(1);
    bed.disk.hide_room();
    bed.append(&[50_000]).expect("append");
    bed.sync().expect("sync");
    // The store thinks there is room: the write itself hits the end, in the middle of a frame.
    for room in [10, 70, 5_000, 49_000] {
        bed.disk.set_capacity(1 << 40);
        bed.append(&[1_000]).expect("append");
        bed.disk.set_capacity(bed.disk.used_bytes() + room);
        let error = (0..20).find_map(|_| bed.append(&[50_000]).err()).expect("no room");
        assert_eq!(error.kind, ErrorKind::Full, "{error}");
        bed.sync().expect("what was appended before can be synced");
        bed.verify();
    }
    bed.disk.set_capacity(1 << 40);
    bed.append(&[50_000]).expect("works again");
    bed.sync().expect("sync");
    bed.reopen().expect("reopen");
    bed.verify();
}

#[test]
fn the_reserve_is_left_for_others() {
    let mut options = super::test_bed::options();
    options.reserve_bytes = 500_000;
    let mut bed = TestBed::with_options(1, 2_000_000, options);
    fill(&mut bed);
    assert!(bed.disk.used_bytes() <= 1_500_000, "{} bytes are used", bed.disk.used_bytes());
    bed.verify();
}
