//! Snapshot file: one group's state as a file in the drive's `snapshots/` directory. Blocking, but for `SnapshotFiles::write`.
//! Owns: its bytes, and proving that a file is whole before anything is replaced by it.
//!
//! ```text
//! file   = magic "ONGGISNP" ‖ block (header) ‖ block ‖ … ‖ block (end)
//! block  = kind u8 ‖ payload bytes u32 ‖ payload ‖ crc32 u32 of all before in this block
//! header = version u8 ‖ group u32 ‖ applied record          records, payloads = (key, value) pairs, in key order
//! end    = number of pairs u64: without it the file is torn
//! ```

use std::io::IoSlice;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use onggi_storage_engine::env::{Disk, DiskFile, OpenMode, spawn_blocking};
use onggi_storage_engine::error::{Context, Error, Result};
use onggi_storage_engine::format::{Decoder, Encoder, Record};
use onggi_storage_engine::rocks::{Direction, KeyRange};

use super::format::AppliedRecord;
use super::snapshot::GroupState;
use crate::error;
use crate::id::{GroupId, NodeId};
use crate::metadata::key::GroupSpace;
use crate::metadata::record::RangeRecord;

const HEADER_VERSION: u8 = 1;
const MAGIC: &[u8; 8] = b"ONGGISNP";
const BLOCK_HEAD_BYTES: usize = 5;
/// A block is closed when it holds this much.
const BLOCK_BYTES: usize = 1024 * 1024;
/// No block is longer: its last pair may stand over `BLOCK_BYTES`, and no record or payload comes near this.
const BLOCK_BYTES_MAX: usize = 64 * 1024 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockKind {
    Header = 1,
    Records = 2,
    Payloads = 3,
    End = 4,
}

/// Where staging files stand.
#[derive(Clone)]
pub struct SnapshotFiles {
    pub disk: Arc<dyn Disk>,
    pub directory: PathBuf,
}

/// A whole file: its header was read and every checksum verified.
pub struct SnapshotFile {
    path: PathBuf,
    group: GroupId,
    applied: AppliedRecord,
    range: Option<RangeRecord>,
}

impl SnapshotFiles {
    /// Writes `state` to a file and reads it back to prove it.
    pub async fn write(&self, state: Arc<GroupState>, path: &Path) -> error::Result<Arc<SnapshotFile>> {
        let (files, path) = (self.clone(), path.to_owned());
        let written = spawn_blocking(move || {
            write(&*files.disk, &path, &state)?;
            files.open(&path)
        });
        let file = written
            .await
            .map_err(|panic| error::Error::caused_by(error::ErrorKind::Internal, "write snapshot", panic))??;
        Ok(Arc::new(file))
    }

    /// What will be installed. One per group: a new one replaces an old one.
    pub fn staging_path(&self, group: GroupId) -> PathBuf {
        self.directory.join(format!("group-{}.snapshot", group.0))
    }

    /// What is sent to a peer; `number` tells it from the one before, which may still be written.
    pub fn outgoing_path(&self, group: GroupId, peer: NodeId, number: u64) -> PathBuf {
        self.directory.join(format!("group-{}.to-{}.{number}", group.0, peer.0))
    }

    /// Removes all files of a group: those of transfers that were cut short, when no install was.
    pub fn remove_all(&self, group: GroupId) -> Result<()> {
        let own = format!("group-{}.", group.0);
        for path in self.disk.list(&self.directory).context("list snapshots")? {
            let name = path.file_name().and_then(|name| name.to_str());
            if name.is_some_and(|name| name.starts_with(&own)) {
                self.disk.remove(&path).context("remove snapshot")?;
            }
        }
        Ok(())
    }

    /// Reads the whole file; an error if a bit of it is wrong.
    pub fn open(&self, path: &Path) -> Result<SnapshotFile> {
        let mut blocks = Blocks::open(&*self.disk, path)?;
        let (kind, header) = blocks.next_block()?;
        if kind != BlockKind::Header {
            return Err(Error::corrupt("read snapshot: no header"));
        }
        let (group, applied) = decode_header(&header)?;
        let (mut pairs, mut range, range_key) = (0_u64, None, GroupSpace(group).range());
        loop {
            let (kind, payload) = blocks.next_block()?;
            match kind {
                BlockKind::Header => return Err(Error::corrupt("read snapshot: a second header")),
                BlockKind::Records | BlockKind::Payloads => for_each_pair(&payload, &mut |key, value| {
                    pairs += 1;
                    if key == range_key {
                        range = Some(RangeRecord::from_bytes(value));
                    }
                })?,
                BlockKind::End if Decoder::new(&payload).u64()? == pairs => break,
                BlockKind::End => return Err(Error::corrupt(format!("read snapshot: it does not hold {pairs} pairs"))),
            }
        }
        Ok(SnapshotFile { path: path.to_owned(), group, applied, range: range.transpose()? })
    }
}

impl SnapshotFile {
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn group(&self) -> GroupId {
        self.group
    }

    pub fn applied(&self) -> &AppliedRecord {
        &self.applied
    }

    /// What the state in the file says of its own range.
    pub fn range(&self) -> Option<RangeRecord> {
        self.range
    }

    /// Gives the blocks of pairs to `take`, in order.
    pub fn for_each_block(&self, disk: &dyn Disk, mut take: impl FnMut(BlockKind, Bytes) -> Result<()>) -> Result<()> {
        let mut blocks = Blocks::open(disk, &self.path)?;
        loop {
            match blocks.next_block()? {
                (BlockKind::Header, _) => {}
                (BlockKind::End, _) => return Ok(()),
                (kind, payload) => take(kind, payload)?,
            }
        }
    }
}

/// Calls `visit` with each key and value of a block.
pub fn for_each_pair(payload: &[u8], visit: &mut dyn FnMut(&[u8], &[u8])) -> Result<()> {
    let mut decoder = Decoder::new(payload);
    while decoder.remaining() > 0 {
        let key = decoder.bytes()?;
        visit(key, decoder.bytes()?);
    }
    Ok(())
}

fn write(disk: &dyn Disk, path: &Path, state: &GroupState) -> Result<()> {
    let mut writer = BlockWriter::create(disk, path)?;
    writer.block(BlockKind::Header, &encode_header(state))?;
    let keys = state.keys.of_state(&state.view)?;
    for range in &keys.records {
        let mut scan = state.view.scan(&KeyRange::new(&*range.from, &*range.to), Direction::Forward);
        while let Some((key, value)) = scan.next_entry()? {
            writer.pair(BlockKind::Records, key, value)?;
        }
    }
    for range in &keys.payloads {
        let mut scan = state.view.scan_inline(&KeyRange::new(&*range.from, &*range.to));
        while let Some((blob, payload)) = scan.next_entry()? {
            writer.pair(BlockKind::Payloads, blob, payload)?;
        }
    }
    writer.finish()
}

fn encode_header(state: &GroupState) -> Vec<u8> {
    let mut encoder = Encoder::new();
    encoder.u8(HEADER_VERSION).u32(state.keys.group().0);
    state.applied.encode(&mut encoder);
    encoder.into_vec()
}

fn decode_header(header: &[u8]) -> Result<(GroupId, AppliedRecord)> {
    let mut decoder = Decoder::new(header);
    let version = decoder.u8()?;
    if version != HEADER_VERSION {
        return Err(Error::corrupt(format!("read snapshot: version {version} is not known to this release")));
    }
    let group = GroupId(decoder.u32()?);
    let applied = AppliedRecord::decode(&mut decoder)?;
    decoder.finish()?;
    Ok((group, applied))
}

struct BlockWriter {
    file: Arc<dyn DiskFile>,
    offset: u64,
    kind: BlockKind,
    pending: Encoder,
    pairs: u64,
}

impl BlockWriter {
    fn create(disk: &dyn Disk, path: &Path) -> Result<Self> {
        match disk.remove(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::io("replace snapshot", error));
            }
            _ => {}
        }
        let file = disk.open(path, OpenMode::CreateNew).context("create snapshot")?;
        file.write_at(&[IoSlice::new(MAGIC)], 0).context("write snapshot")?;
        Ok(Self { file, offset: MAGIC.len() as u64, kind: BlockKind::Records, pending: Encoder::new(), pairs: 0 })
    }

    fn pair(&mut self, kind: BlockKind, key: &[u8], value: &[u8]) -> Result<()> {
        if kind != self.kind || self.pending.len() >= BLOCK_BYTES {
            self.close_block()?;
            self.kind = kind;
        }
        self.pending.bytes(key).bytes(value);
        self.pairs += 1;
        Ok(())
    }

    fn finish(mut self) -> Result<()> {
        self.close_block()?;
        let pairs = self.pairs.to_be_bytes();
        self.block(BlockKind::End, &pairs)?;
        self.file.sync_data().context("sync snapshot")
    }

    fn close_block(&mut self) -> Result<()> {
        let pending = std::mem::take(&mut self.pending).into_vec();
        if pending.is_empty() { Ok(()) } else { self.block(self.kind, &pending) }
    }

    fn block(&mut self, kind: BlockKind, payload: &[u8]) -> Result<()> {
        assert!(payload.len() <= BLOCK_BYTES_MAX, "a block of {} bytes", payload.len());
        let mut head = [0; BLOCK_HEAD_BYTES];
        head[0] = kind as u8;
        head[1..].copy_from_slice(&(payload.len() as u32).to_be_bytes());
        let checksum = checksum(&head, payload).to_be_bytes();
        let slices = [IoSlice::new(&head), IoSlice::new(payload), IoSlice::new(&checksum)];
        self.file.write_at(&slices, self.offset).context("write snapshot")?;
        self.offset += (head.len() + payload.len() + checksum.len()) as u64;
        Ok(())
    }
}

/// Reads verified blocks from front to back.
struct Blocks {
    file: Arc<dyn DiskFile>,
    offset: u64,
}

impl Blocks {
    fn open(disk: &dyn Disk, path: &Path) -> Result<Self> {
        let file = disk.open(path, OpenMode::Read).context("open snapshot")?;
        let mut magic = [0; MAGIC.len()];
        file.read_at(&mut magic, 0).context("read snapshot")?;
        if magic != *MAGIC {
            return Err(Error::corrupt("read snapshot: not a snapshot file"));
        }
        Ok(Self { file, offset: MAGIC.len() as u64 })
    }

    fn next_block(&mut self) -> Result<(BlockKind, Bytes)> {
        let mut head = [0; BLOCK_HEAD_BYTES];
        self.file.read_at(&mut head, self.offset).context("read snapshot")?;
        let [kind, length @ ..] = head;
        let payload_bytes = u32::from_be_bytes(length) as usize;
        if payload_bytes > BLOCK_BYTES_MAX {
            return Err(Error::corrupt(format!("read snapshot: a block of {payload_bytes} bytes")));
        }
        let mut payload = vec![0; payload_bytes];
        let mut stored = [0; 4];
        let payload_offset = self.offset + BLOCK_HEAD_BYTES as u64;
        self.file.read_at(&mut payload, payload_offset).context("read snapshot")?;
        self.file.read_at(&mut stored, payload_offset + payload_bytes as u64).context("read snapshot")?;
        if checksum(&head, &payload) != u32::from_be_bytes(stored) {
            return Err(Error::corrupt(format!("read snapshot: the block at {} is damaged", self.offset)));
        }
        self.offset = payload_offset + payload_bytes as u64 + stored.len() as u64;
        let kind = match kind {
            1 => BlockKind::Header,
            2 => BlockKind::Records,
            3 => BlockKind::Payloads,
            4 => BlockKind::End,
            other => return Err(Error::corrupt(format!("read snapshot: block kind {other} is not known"))),
        };
        Ok((kind, payload.into()))
    }
}

fn checksum(head: &[u8], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(head);
    hasher.update(payload);
    hasher.finalize()
}
