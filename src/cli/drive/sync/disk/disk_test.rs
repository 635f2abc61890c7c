//! What was not seen is neither replaced nor removed.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::{Changed, Disk};
use crate::cli::drive::sync::scan::{identity, stamp};
use crate::cli::drive::sync::tree::{LocalFile, Stamp, Synced, SyncedItem, Tree};

struct Bed {
    dir: tempfile::TempDir,
    disk: Disk,
}

impl Bed {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::open(dir.path(), "lap/top").unwrap();
        Self { dir, disk }
    }

    fn write(&self, path: &str, contents: &str) -> Stamp {
        let path = self.dir.path().join(path);
        fs::write(&path, contents).unwrap();
        stamp(&path.symlink_metadata().unwrap())
    }

    /// Names and contents of the folder.
    fn files(&self) -> Vec<(String, String)> {
        let entries = fs::read_dir(self.dir.path()).unwrap().map(Result::unwrap);
        let mut files: Vec<_> = entries
            .filter(|entry| entry.file_type().unwrap().is_file())
            .map(|entry| {
                let name = entry.file_name().into_string().unwrap();
                (
                    name.replace(&time::OffsetDateTime::now_utc().date().to_string(), "DATE"),
                    fs::read_to_string(entry.path()).unwrap(),
                )
            })
            .collect();
        files.sort();
        files
    }
}

fn pairs(files: &[(String, String)]) -> Vec<(&str, &str)> {
    files.iter().map(|(name, contents)| (name.as_str(), contents.as_str())).collect()
}

#[test]
fn a_file_takes_the_place_of_what_was_seen() {
    let bed = Bed::new();
    let seen = bed.write("a.sh", "old");
    fs::set_permissions(bed.dir.path().join("a.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    let new = bed.disk.hidden("down-1");
    fs::write(&new, "new").unwrap();
    // Even a change of permissions alone is one.
    assert!(bed.disk.place(&new, "a.sh", Some(&seen)).unwrap_err().is::<Changed>());
    let seen = stamp(&bed.dir.path().join("a.sh").symlink_metadata().unwrap());
    let (placed, _) = bed.disk.place(&new, "a.sh", Some(&seen)).unwrap();
    assert_eq!(pairs(&bed.files()), [("a.sh", "new")]);
    let now = bed.dir.path().join("a.sh").symlink_metadata().unwrap();
    assert_eq!((stamp(&now), now.permissions().mode() & 0o777), (placed, 0o755));
    assert!(!new.exists());
    // Where nothing was seen, nothing may stand.
    fs::write(&new, "newer").unwrap();
    assert!(bed.disk.place(&new, "a.sh", None).unwrap_err().is::<Changed>());
    assert_eq!(pairs(&bed.files()), [("a.sh", "new")]);
}

#[test]
fn what_is_written_in_the_last_moment_is_kept_beside() {
    let bed = Bed::new();
    let seen = bed.write("a.txt", "old");
    let new = bed.disk.hidden("down-1");
    fs::write(&new, "new").unwrap();
    // After it was looked at, before the exchange.
    bed.write("a.txt", "of the last moment");
    bed.disk.exchange(&new, &bed.dir.path().join("a.txt"), "a.txt", &seen).unwrap();
    let expected = [("a (conflicted copy lap top DATE).txt", "of the last moment"), ("a.txt", "new")];
    assert_eq!(pairs(&bed.files()), expected);

    let seen = stamp(&bed.dir.path().join("a.txt").symlink_metadata().unwrap());
    bed.write("a.txt", "edited");
    assert!(bed.disk.remove_file("a.txt", &seen).unwrap_err().is::<Changed>());
    assert_eq!(bed.files()[1].1, "edited");
    bed.disk.set_aside("a.txt").unwrap();
    assert_eq!(bed.files()[0].0, "a (conflicted copy lap top DATE 2).txt");
}

#[test]
fn a_run_that_was_killed_while_it_removed_something() {
    let bed = Bed::new();
    let (seen, edited) = (bed.write("a.txt", "seen"), bed.write("b.txt", "edited in the last moment"));
    let local = LocalFile { stamp: seen, hash: String::new(), hashed_ns: 0 };
    let metadata = bed.dir.path().join("a.txt").symlink_metadata().unwrap();
    let synced = Synced {
        local_path: "a.txt".into(),
        remote_path: "a.txt".into(),
        identity: identity(&metadata),
        id: "id:1".into(),
        item: SyncedItem::File { rev: "1".into(), local },
    };
    for (name, inode) in [("a.txt", seen.inode), ("b.txt", edited.inode)] {
        fs::rename(bed.dir.path().join(name), bed.disk.hidden(&format!("gone-{inode}"))).unwrap();
    }
    bed.disk.recover(&Tree::from([("a.txt".to_owned(), synced)])).unwrap();
    let expected = [("recovered (conflicted copy lap top DATE)", "edited in the last moment")];
    assert_eq!(pairs(&bed.files()), expected);
}

#[test]
fn nothing_is_reached_through_a_link() {
    let (bed, outside) = (Bed::new(), tempfile::tempdir().unwrap());
    symlink(outside.path(), bed.dir.path().join("out")).unwrap();
    fs::write(outside.path().join("a.txt"), "private").unwrap();
    let seen = stamp(&outside.path().join("a.txt").symlink_metadata().unwrap());
    let new = bed.disk.hidden("down-1");
    fs::write(&new, "new").unwrap();
    assert!(bed.disk.place(&new, "out/a.txt", Some(&seen)).is_err());
    assert!(bed.disk.place(&new, "out/b.txt", None).is_err());
    assert!(bed.disk.remove_file("out/a.txt", &seen).is_err());
    assert!(bed.disk.make_folder("out/folder").is_err());
    assert!(bed.disk.open_file("out/a.txt", &seen).is_err());
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
}
