//! Faulty disk: a real disk that fails its syncs, is full or is slow when a test says so.

use std::io::{self, IoSlice, IoSliceMut};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use onggi_storage_engine::env::{Disk, DiskFile, OpenMode, RealDisk};

#[derive(Default)]
pub struct Faults {
    pub syncs_fail: AtomicBool,
    pub full: AtomicBool,
    /// Each write takes this long.
    pub write_ms: AtomicU64,
    /// Each read takes this long.
    pub read_ms: AtomicU64,
}

pub struct FaultyDisk {
    pub faults: Arc<Faults>,
}

struct FaultyFile {
    file: Arc<dyn DiskFile>,
    faults: Arc<Faults>,
}

fn sleep(ms: &AtomicU64) {
    std::thread::sleep(Duration::from_millis(ms.load(Ordering::Relaxed)));
}

impl Disk for FaultyDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        let file = RealDisk.open(path, mode)?;
        Ok(Arc::new(FaultyFile { file, faults: self.faults.clone() }))
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

    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        if self.faults.full.load(Ordering::Relaxed) { Ok(0) } else { RealDisk.free_bytes(path) }
    }
}

impl DiskFile for FaultyFile {
    fn bytes(&self) -> io::Result<u64> {
        self.file.bytes()
    }

    fn write_at(&self, slices: &[IoSlice<'_>], offset: u64) -> io::Result<()> {
        sleep(&self.faults.write_ms);
        self.file.write_at(slices, offset)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        sleep(&self.faults.read_ms);
        self.file.read_at(buffer, offset)
    }

    fn read_vectored_at(&self, buffers: &mut [IoSliceMut<'_>], offset: u64) -> io::Result<()> {
        sleep(&self.faults.read_ms);
        self.file.read_vectored_at(buffers, offset)
    }

    fn allocate(&self, bytes: u64) -> io::Result<()> {
        if self.faults.full.load(Ordering::Relaxed) {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        self.file.allocate(bytes)
    }

    fn truncate(&self, bytes: u64) -> io::Result<()> {
        self.file.truncate(bytes)
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.faults.syncs_fail.load(Ordering::Relaxed) {
            return Err(io::Error::other("the drive does not sync"));
        }
        self.file.sync_data()
    }
}
