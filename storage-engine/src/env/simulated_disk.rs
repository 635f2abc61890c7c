//! A disk in memory that fails the way real ones do, for tests: un-synced writes are lost, re-ordered or torn at sector
//! boundaries; syncs fail and forget; room runs out in the middle of a write; bits flip; everything stops at a chosen operation.
#![allow(clippy::expect_used)] // Only tests and simulations get here: what cannot be is their own mistake.

use std::collections::BTreeMap;
use std::io::{self, IoSlice, IoSliceMut};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::{Disk, DiskFile, OpenMode};

const SECTOR_BYTES: u64 = 512;

/// Burns down with every operation; then nothing works any more, as after a kill.
#[derive(Clone)]
pub struct Fuse(Arc<AtomicI64>);

impl Fuse {
    pub fn never() -> Self {
        Self(Arc::new(AtomicI64::new(i64::MAX)))
    }

    pub fn set(&self, operations: i64) {
        self.0.store(operations, Ordering::SeqCst);
    }

    pub fn has_blown(&self) -> bool {
        self.0.load(Ordering::SeqCst) <= 0
    }

    /// One operation that changes something.
    pub fn burn(&self) -> io::Result<()> {
        if self.0.fetch_sub(1, Ordering::SeqCst) <= 0 { Err(crashed()) } else { Ok(()) }
    }

    fn check(&self) -> io::Result<()> {
        if self.has_blown() { Err(crashed()) } else { Ok(()) }
    }
}

fn crashed() -> io::Error {
    io::Error::other("crashed")
}

/// What a crash leaves of the writes that were not synced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Crash {
    /// The process died, the kernel did not: everything written is still there, and still not durable.
    Kill,
    LoseAll,
    KeepAll,
    /// Each write is there or not, whatever their order was.
    SomeWrites,
    /// Each sector of each write is there or not.
    SomeSectors,
}

impl Crash {
    pub const ALL: [Self; 5] = [Self::Kill, Self::LoseAll, Self::KeepAll, Self::SomeWrites, Self::SomeSectors];
}

#[derive(Clone)]
pub struct SimulatedDisk {
    state: Arc<Mutex<State>>,
    pub fuse: Fuse,
    /// While it is set, syncs of files do not come to an end.
    pub hold_syncs: Arc<AtomicBool>,
}

#[derive(Clone)]
struct State {
    inodes: BTreeMap<u64, Inode>,
    names: BTreeMap<PathBuf, u64>,
    durable_names: BTreeMap<PathBuf, u64>,
    capacity_bytes: u64,
    /// Says that there is room until a write finds none, and cannot preallocate.
    hides_room: bool,
    syncs_to_fail: u64,
}

#[derive(Clone, Default)]
struct Inode {
    current: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<Change>,
}

#[derive(Clone)]
enum Change {
    Write { offset: u64, bytes: Vec<u8> },
    SetLength(u64),
}

impl SimulatedDisk {
    pub fn new(capacity_bytes: u64, fuse: Fuse) -> Self {
        let state = State {
            inodes: BTreeMap::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            capacity_bytes,
            hides_room: false,
            syncs_to_fail: 0,
        };
        Self { state: Arc::new(Mutex::new(state)), fuse, hold_syncs: Arc::default() }
    }

    /// The disk as the next process finds it. This one stays as it is.
    pub fn after_crash(&self, crash: Crash, dice: &mut dyn FnMut() -> u64, fuse: Fuse) -> Self {
        let mut state = self.state().clone();
        state.syncs_to_fail = 0;
        if crash != Crash::Kill {
            state.lose_power(crash, dice);
        }
        Self { state: Arc::new(Mutex::new(state)), fuse, hold_syncs: Arc::default() }
    }

    pub fn used_bytes(&self) -> u64 {
        self.state().used_bytes()
    }

    pub fn set_capacity(&self, bytes: u64) {
        self.state().capacity_bytes = bytes;
    }

    pub fn hide_room(&self) {
        self.state().hides_room = true;
    }

    pub fn fail_syncs(&self, count: u64) {
        self.state().syncs_to_fail = count;
    }

    /// Whether some file would still have these bytes after a loss of power.
    pub fn holds_durably(&self, bytes: &[u8]) -> bool {
        let state = self.state();
        let files = state.durable_names.values().filter_map(|inode| state.inodes.get(inode));
        files.into_iter().any(|inode| {
            let starts = inode.durable.iter().enumerate().filter(|(_, byte)| **byte == bytes[0]);
            starts.into_iter().any(|(at, _)| inode.durable[at..].starts_with(bytes))
        })
    }

    pub fn content(&self, path: &Path) -> Vec<u8> {
        let state = self.state();
        state.inodes[&state.names[path]].current.clone()
    }

    /// Damages a byte as the drive would: behind everybody's back, for good.
    pub fn flip(&self, path: &Path, offset: u64, mask: u8) {
        let mut state = self.state();
        let inode = state.names[path];
        let inode = state.inodes.get_mut(&inode).expect("a name has an inode");
        inode.current[offset as usize] ^= mask;
        if let Some(byte) = inode.durable.get_mut(offset as usize) {
            *byte ^= mask;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics inside the disk")
    }
}

impl Disk for SimulatedDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        self.fuse.check()?;
        let mut state = self.state();
        let inode = match (state.names.get(path).copied(), mode) {
            (Some(_), OpenMode::CreateNew) => return Err(io::ErrorKind::AlreadyExists.into()),
            (Some(inode), _) => inode,
            (None, OpenMode::CreateNew) => {
                self.fuse.burn()?;
                let inode = state.inodes.last_key_value().map_or(1, |(last, _)| last + 1);
                state.inodes.insert(inode, Inode::default());
                state.names.insert(path.to_owned(), inode);
                inode
            }
            (None, _) => return Err(io::ErrorKind::NotFound.into()),
        };
        Ok(Arc::new(SimulatedFile { disk: self.clone(), inode }))
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<PathBuf>> {
        self.fuse.check()?;
        Ok(self.state().names.keys().filter(|path| path.parent() == Some(directory)).cloned().collect())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.fuse.burn()?;
        self.state().names.remove(path).map(|_| ()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn create_directory(&self, _path: &Path) -> io::Result<()> {
        self.fuse.check()
    }

    fn sync_directory(&self, _path: &Path) -> io::Result<()> {
        self.fuse.burn()?;
        let mut state = self.state();
        state.begin_sync()?;
        state.durable_names = state.names.clone();
        Ok(())
    }

    fn free_bytes(&self, _path: &Path) -> io::Result<u64> {
        self.fuse.check()?;
        let state = self.state();
        let free_bytes = state.capacity_bytes.saturating_sub(state.used_bytes());
        Ok(if state.hides_room { u64::MAX } else { free_bytes })
    }
}

struct SimulatedFile {
    disk: SimulatedDisk,
    inode: u64,
}

impl SimulatedFile {
    fn with<T>(&self, work: impl FnOnce(&mut State, u64) -> io::Result<T>) -> io::Result<T> {
        work(&mut self.disk.state(), self.inode)
    }
}

impl DiskFile for SimulatedFile {
    fn bytes(&self) -> io::Result<u64> {
        self.disk.fuse.check()?;
        self.with(|state, inode| Ok(state.inodes[&inode].current.len() as u64))
    }

    fn write_at(&self, slices: &[IoSlice<'_>], offset: u64) -> io::Result<()> {
        let mut bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
        let burnt = self.disk.fuse.burn();
        self.with(|state, inode| {
            let room = state.room_at(inode, offset);
            let fits = bytes.len() as u64 <= room;
            bytes.truncate(room as usize);
            if burnt.is_err() {
                bytes.truncate(bytes.len() / 2);
            }
            state.change(inode, Change::Write { offset, bytes });
            burnt?;
            if fits { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
        })
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.read_vectored_at(&mut [IoSliceMut::new(buffer)], offset)
    }

    fn read_vectored_at(&self, buffers: &mut [IoSliceMut<'_>], offset: u64) -> io::Result<()> {
        self.disk.fuse.check()?;
        self.with(|state, inode| {
            let mut rest = state.inodes[&inode].current.get(offset as usize..).unwrap_or_default();
            for buffer in buffers {
                let (filled, after) = rest.split_at_checked(buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
                buffer.copy_from_slice(filled);
                rest = after;
            }
            Ok(())
        })
    }

    fn allocate(&self, bytes: u64) -> io::Result<()> {
        self.disk.fuse.burn()?;
        self.with(|state, inode| {
            let present = state.inodes[&inode].current.len() as u64;
            if state.hides_room {
                return Err(io::ErrorKind::Unsupported.into());
            }
            if bytes <= present {
                return Ok(());
            }
            if state.room_at(inode, present) < bytes - present {
                return Err(io::ErrorKind::StorageFull.into());
            }
            state.change(inode, Change::SetLength(bytes));
            Ok(())
        })
    }

    fn truncate(&self, bytes: u64) -> io::Result<()> {
        self.disk.fuse.burn()?;
        self.with(|state, inode| {
            state.change(inode, Change::SetLength(bytes));
            Ok(())
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        while self.disk.hold_syncs.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.disk.fuse.burn()?;
        self.with(|state, inode| {
            let synced = state.begin_sync();
            let inode = state.inodes.get_mut(&inode).ok_or(io::ErrorKind::NotFound)?;
            let changes = std::mem::take(&mut inode.unsynced);
            // As Linux does: a failed sync marks the pages clean, so the next one reports success without them.
            synced?;
            changes.iter().for_each(|change| change.apply(&mut inode.durable));
            Ok(())
        })
    }
}

impl State {
    fn change(&mut self, inode: u64, change: Change) {
        let inode = self.inodes.get_mut(&inode).expect("an open file has an inode");
        change.apply(&mut inode.current);
        inode.unsynced.push(change);
    }

    fn begin_sync(&mut self) -> io::Result<()> {
        if self.syncs_to_fail == 0 {
            return Ok(());
        }
        self.syncs_to_fail -= 1;
        Err(io::Error::other("injected sync failure"))
    }

    fn used_bytes(&self) -> u64 {
        self.names.values().map(|inode| self.inodes[inode].current.len() as u64).sum()
    }

    /// Bytes that a write at `offset` may have before the disk is full.
    fn room_at(&self, inode: u64, offset: u64) -> u64 {
        let present = (self.inodes[&inode].current.len() as u64).saturating_sub(offset);
        present + self.capacity_bytes.saturating_sub(self.used_bytes())
    }

    fn lose_power(&mut self, crash: Crash, dice: &mut dyn FnMut() -> u64) {
        for inode in self.inodes.values_mut() {
            let mut survives = std::mem::take(&mut inode.durable);
            for change in std::mem::take(&mut inode.unsynced) {
                change.survive(crash, &mut survives, dice);
            }
            inode.durable = survives.clone();
            inode.current = survives;
        }
        let mut names = std::mem::take(&mut self.durable_names);
        let seen = std::mem::take(&mut self.names);
        let uncertain: Vec<PathBuf> = names.keys().chain(seen.keys()).cloned().collect();
        for path in uncertain {
            let change_survives = match crash {
                Crash::LoseAll => false,
                Crash::KeepAll | Crash::Kill => true,
                Crash::SomeWrites | Crash::SomeSectors => dice().is_multiple_of(2),
            };
            match seen.get(&path) {
                Some(inode) if change_survives => {
                    names.insert(path, *inode);
                }
                None if change_survives => {
                    names.remove(&path);
                }
                _ => {}
            }
        }
        self.names = names.clone();
        self.durable_names = names;
    }
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => {
                let (start, end) = (*offset as usize, *offset as usize + bytes.len());
                content.resize(content.len().max(end), 0);
                content[start..end].copy_from_slice(bytes);
            }
            Self::SetLength(length) => content.resize(*length as usize, 0),
        }
    }

    fn survive(&self, crash: Crash, content: &mut Vec<u8>, dice: &mut dyn FnMut() -> u64) {
        match (crash, self) {
            (Crash::LoseAll, _) => {}
            (Crash::Kill | Crash::KeepAll, _) => self.apply(content),
            (Crash::SomeSectors, Self::Write { offset, bytes }) => {
                let mut at = 0;
                while at < bytes.len() {
                    let position = offset + at as u64;
                    let sector_left = (SECTOR_BYTES - position % SECTOR_BYTES) as usize;
                    let end = bytes.len().min(at + sector_left);
                    if !dice().is_multiple_of(4) {
                        Self::Write { offset: position, bytes: bytes[at..end].to_vec() }.apply(content);
                    }
                    at = end;
                }
            }
            (Crash::SomeWrites | Crash::SomeSectors, _) => {
                if dice().is_multiple_of(2) {
                    self.apply(content);
                }
            }
        }
    }
}
