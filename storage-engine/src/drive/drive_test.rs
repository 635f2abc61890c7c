use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Drive, Health, Reserve, WriteFor};
use crate::env::{Disk, DiskFile, Environment, OpenMode, RealDisk};
use crate::error::{Error, ErrorKind, Result};

const RESERVE: Reserve = Reserve { store_bytes: 1000, change_bytes: 100, vote_bytes: 10 };

fn open(directory: &Path, cluster: Option<[u8; 16]>) -> Result<Drive> {
    Drive::open(directory, &Environment::real(), cluster, RESERVE)
}

#[test]
fn an_identity_is_made_once() {
    let directory = tempfile::tempdir().expect("directory");
    let first = *open(directory.path(), None).expect("opens").identity();
    let again = *open(directory.path(), Some(first.cluster)).expect("opens").identity();
    assert_eq!(first, again);
    let text = std::fs::read_to_string(directory.path().join("drive.json")).expect("reads");
    assert_eq!(text, first.to_string());
    let other = open(directory.path(), Some([7; 16])).err().expect("refused");
    assert!(other.to_string().contains("belongs to cluster"), "{other}");
}

#[test]
fn a_half_made_drive_is_made_again_but_never_one_with_data() {
    let directory = tempfile::tempdir().expect("directory");
    let path = directory.path().join("drive.json");
    std::fs::write(&path, "{\n  \"format\": 1,").expect("writes");
    open(directory.path(), None).expect("was never finished");
    std::fs::create_dir(directory.path().join("rocks")).expect("creates");
    std::fs::write(&path, "{\n  \"format\": 1,").expect("writes");
    assert_eq!(open(directory.path(), None).err().map(|error| error.kind), Some(ErrorKind::Corrupt));
    std::fs::remove_file(&path).expect("removes");
    assert_eq!(open(directory.path(), None).err().map(|error| error.kind), Some(ErrorKind::Corrupt));
}

#[test]
fn a_newer_format_is_refused() {
    let directory = tempfile::tempdir().expect("directory");
    let text = format!("{:?}", open(directory.path(), None).expect("opens").identity());
    assert!(text.starts_with("drive "));
    let path = directory.path().join("drive.json");
    let newer = std::fs::read_to_string(&path).expect("reads").replace("\"format\": 1", "\"format\": 2");
    std::fs::write(&path, newer).expect("writes");
    let error = open(directory.path(), None).err().expect("refused");
    assert!(error.to_string().contains("format 2 is newer than this release (1)"), "{error}");
}

#[test]
fn two_processes_never_share_a_drive() {
    let directory = tempfile::tempdir().expect("directory");
    let first = open(directory.path(), None).expect("opens");
    let second = open(directory.path(), None).err().expect("refused");
    assert!(second.to_string().contains("another process uses this data directory"), "{second}");
    drop(first);
    open(directory.path(), None).expect("opens");
}

#[test]
fn a_full_drive_still_takes_deletes_and_recovers_by_itself() {
    let disk = Arc::new(DiskWithFree(AtomicU64::new(5000)));
    let health = Health::new(disk.clone(), PathBuf::new(), RESERVE).expect("opens");
    let admitted = |free: u64| {
        disk.0.store(free, Ordering::Relaxed);
        health.refresh().expect("asks");
        (health.admit(WriteFor::Storing).is_ok(), health.admit(WriteFor::Changing).is_ok())
    };
    assert_eq!(admitted(1000), (true, true));
    assert_eq!(admitted(999), (false, true));
    assert_eq!(health.admit(WriteFor::Storing).expect_err("full").kind, ErrorKind::Full);
    assert_eq!(admitted(99), (false, false));
    assert_eq!(admitted(5000), (true, true));
    health.poison().set(Error::new(ErrorKind::DriveFailed, "sync extent"));
    assert_eq!(admitted(5000), (false, false));
    assert_eq!(health.status().failed.as_deref(), Some("sync extent"));
    assert_eq!(health.admit(WriteFor::Changing).expect_err("failed").kind, ErrorKind::DriveFailed);
}

#[test]
fn a_directory_that_vanishes_fails_the_drive() {
    let directory = tempfile::tempdir().expect("directory");
    let drive = open(&directory.path().join("data"), None).expect("opens");
    drive.health().look();
    assert!(drive.admit(WriteFor::Storing).is_ok());
    std::fs::rename(directory.path().join("data"), directory.path().join("elsewhere")).expect("renames");
    drive.health().look();
    assert!(drive.health().status().failed.is_some_and(|why| why.contains("drive.json is gone")));
    std::fs::rename(directory.path().join("elsewhere"), directory.path().join("data")).expect("renames");
    drive.health().look();
    assert!(drive.admit(WriteFor::Changing).is_err(), "until a restart");
}

struct DiskWithFree(AtomicU64);

impl Disk for DiskWithFree {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        RealDisk.open(path, mode)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<PathBuf>> {
        RealDisk.list(directory)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        RealDisk.create_directory(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        RealDisk.sync_directory(path)
    }

    fn free_bytes(&self, _path: &Path) -> io::Result<u64> {
        Ok(self.0.load(Ordering::Relaxed))
    }
}
