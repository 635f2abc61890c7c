//! Drive: a file system of its own in a file, that can lose power: everything that was not synced is gone.
//! ext4's shutdown (what xfstests crash with) stops it without writing its journal; the mount after it recovers what a power
//! loss would have left. Needs root and loop devices; without them the tests that ask for a drive say so and end.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

const SHUTDOWN: &str = "import fcntl, os, struct, sys
EXT4_IOC_SHUTDOWN, NOLOGFLUSH = 0x8004587D, 2
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), EXT4_IOC_SHUTDOWN, struct.pack('I', NOLOGFLUSH))";

pub struct Drive {
    directory: TempDir,
}

impl Drive {
    /// `None`: this machine does not let the test mount anything. Sparse: costs what is written to it.
    pub fn new(bytes: u64) -> Option<Self> {
        let directory = TempDir::new().unwrap();
        let image = std::fs::File::create(directory.path().join("image")).unwrap();
        image.set_len(bytes).unwrap();
        std::fs::create_dir(directory.path().join("mount")).unwrap();
        let drive = Self { directory };
        let made = run(Command::new("mkfs.ext4").args(["-q", "-F", "-m", "0"]).arg(drive.image()));
        match made.and_then(|()| drive.try_mount()) {
            Ok(()) => Some(drive),
            Err(error) => {
                eprintln!(
                    "NOT TESTED: a file system of its own cannot be mounted here (root and loop devices): {error}"
                );
                None
            }
        }
    }

    pub fn path(&self) -> PathBuf {
        self.directory.path().join("mount")
    }

    /// From now on nothing is written or synced any more, and everything that tries gets an error.
    pub fn lose_power(&self) {
        run(Command::new("python3").args(["-c", SHUTDOWN]).arg(self.path())).unwrap();
    }

    /// Nothing may have a file open.
    pub fn regain_power(&self) {
        run(Command::new("umount").arg(self.path())).unwrap();
        self.try_mount().unwrap();
    }

    fn image(&self) -> PathBuf {
        self.directory.path().join("image")
    }

    fn try_mount(&self) -> Result<(), String> {
        run(Command::new("mount").args(["-o", "loop"]).arg(self.image()).arg(self.path()))
    }
}

impl Drop for Drive {
    fn drop(&mut self) {
        if let Err(error) = run(Command::new("umount").args(["-l"]).arg(self.path())) {
            eprintln!("{error}");
        }
    }
}

/// Files that take room away from the drive, and no time.
pub fn allocate(path: &Path, bytes: u64) {
    let file = std::fs::File::create(path).unwrap();
    rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, bytes).unwrap();
}

/// Takes what is left, but for what the file system needs for itself.
pub fn fill(path: &Path) {
    let file = std::fs::File::create(path).unwrap();
    for bytes in [256 << 20, 16 << 20, 1 << 20] {
        let mut end = file.metadata().unwrap().len();
        while rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), end, bytes).is_ok() {
            end += bytes;
        }
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim())),
    }
}
