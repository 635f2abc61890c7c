//! Process lock: a file that one process holds, so that two never share a drive.
//! The kernel releases it when the process ends, however it ends; the file itself stays.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

pub struct ProcessLock {
    _file: File,
}

impl ProcessLock {
    /// `ResourceBusy` if another process holds it.
    pub fn take(path: &Path) -> io::Result<Self> {
        let file = File::options().create(true).truncate(false).write(true).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => {
                Err(io::Error::new(io::ErrorKind::ResourceBusy, "another process uses this data directory"))
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}
