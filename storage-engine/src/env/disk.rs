//! Disk: the file operations that extents need, blocking. Call them on blocking threads only.
//! A write may be lost, re-ordered or torn until `sync_data` that began after it has returned (what tests inject).

use std::io::{self, IoSlice, IoSliceMut};
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpenMode {
    /// Must not exist yet; opened for reading and writing.
    CreateNew,
    ReadWrite,
    Read,
}

pub trait Disk: Send + Sync {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>>;
    /// Paths of the files in a directory, in no order.
    fn list(&self, directory: &Path) -> io::Result<Vec<PathBuf>>;
    fn remove(&self, path: &Path) -> io::Result<()>;
    fn create_directory(&self, path: &Path) -> io::Result<()>;
    /// Makes created, renamed and removed names of a directory durable.
    fn sync_directory(&self, path: &Path) -> io::Result<()>;
    /// Bytes that may still be written to the file system of `path`.
    fn free_bytes(&self, path: &Path) -> io::Result<u64>;
}

pub trait DiskFile: Send + Sync {
    fn bytes(&self) -> io::Result<u64>;
    /// Writes all slices, one after the other, from `offset` on.
    fn write_at(&self, slices: &[IoSlice<'_>], offset: u64) -> io::Result<()>;
    /// Fills `buffer` from `offset`; `UnexpectedEof` if the file ends before.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;
    /// Fills all buffers, one after the other, from `offset` on; `UnexpectedEof` if the file ends before.
    fn read_vectored_at(&self, buffers: &mut [IoSliceMut<'_>], offset: u64) -> io::Result<()>;
    /// Reserves room up to `bytes` in all, which then reads as zeros; `StorageFull` if there is none.
    fn allocate(&self, bytes: u64) -> io::Result<()>;
    fn truncate(&self, bytes: u64) -> io::Result<()>;
    /// Returns after everything written before the call is durable.
    fn sync_data(&self) -> io::Result<()>;
}
