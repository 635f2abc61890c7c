//! What a scan sees, and what it leaves alone.

use std::os::unix::fs::symlink;

use sha2::{Digest, Sha256};

use super::{hash_file, scan, stamp};
use crate::cli::drive::sync::tree::{LocalFile, Stamp, Trees};

fn seen(trees: &Trees) -> Vec<&str> {
    trees.local.values().map(|local| local.path.as_str()).collect()
}

#[test]
fn what_cannot_be_synced_is_named_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    for path in ["A/b.txt", "a.txt", "Ä.txt", "con.txt", "ends.", ".onggi-sync/state"] {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "1").unwrap();
    }
    // Composed otherwise, and in another case: one name on the drive.
    std::fs::write(dir.path().join("a\u{308}.txt"), "2").unwrap();
    symlink("A", dir.path().join("link")).unwrap();
    let mut trees = Trees::default();
    assert!(!scan(dir.path(), "", &mut trees).unwrap());
    assert_eq!(seen(&trees), ["A", "a.txt", "A/b.txt", "a\u{308}.txt"]);
    assert_eq!(trees.twins.len(), 1);
    let why: Vec<&str> = trees.unsyncable.values().map(String::as_str).collect();
    expect_test::expect![[r#"
        [
            "con.txt: `con` is the name of a device on Windows, with any extension",
            "ends.: a name must not end in a space or a dot: Windows would drop it",
            "link: is a symbolic link",
        ]
    "#]]
    .assert_debug_eq(&why);
    assert!(scan(&dir.path().join("gone"), "", &mut trees).is_err());
    assert_eq!(trees.local.len(), 4, "a scan that failed has seen nothing");
}

#[test]
fn a_stamp_that_is_too_young_proves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    std::fs::write(&path, "1").unwrap();
    let now = stamp(&std::fs::metadata(&path).unwrap());
    let hashed = |after_ns: i64| LocalFile { stamp: now, hash: "1".into(), hashed_ns: now.changed_ns + after_ns };
    assert!(!hashed(1_000_000).is_settled());
    assert!(hashed(3_000_000_000).is_settled());
    let whole_seconds = Stamp { changed_ns: 5_000_000_000, ..now };
    let coarse = |hashed_ns: i64| LocalFile { stamp: whole_seconds, hash: "1".into(), hashed_ns };
    assert!(!coarse(6_900_000_000).is_settled());
    assert!(coarse(7_100_000_000).is_settled());
}

#[test]
fn the_hash_is_the_drives() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    for bytes in [0, 1, (4 << 20) - 1, 4 << 20, (4 << 20) + 1, 9 << 20] {
        let contents: Vec<u8> = (0..bytes).map(|at| (at * 31 + at / 4099) as u8).collect();
        std::fs::write(&path, &contents).unwrap();
        let blocks: Vec<u8> = contents.chunks(4 << 20).flat_map(|block| Sha256::digest(block).to_vec()).collect();
        assert_eq!(hash_file(&path).unwrap().0, hex::encode(Sha256::digest(&blocks)), "{bytes} bytes");
    }
}
