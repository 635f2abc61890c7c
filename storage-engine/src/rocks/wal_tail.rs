//! WAL tail: cuts what would make RocksDB read a damaged write-ahead log for ever.
//!
//! RocksDB 11.8.1, `log::Reader::ReadPhysicalRecord`: a header of a recycled kind in a log that is not recycled is a bad record, but
//! is not consumed, and recovery meets it again without end. We do not recycle logs, so such a header is always damage; it
//! takes one wrong byte in a torn tail. Replay would end at the damage anyway, so nothing that could be recovered is cut.
//! Found by `log_store/crash_test.rs`. Works on RocksDB's own files, hence not through `env::Disk`.
//!
//! A log is blocks of 32 KiB, a block is records that do not cross its end: crc (4) ‖ length (2, little endian) ‖ kind (1) ‖ bytes.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::{Context, Result};

const BLOCK_BYTES: usize = 32 * 1024;
const HEADER_BYTES: usize = 7;
/// The kinds of `db/log_format.h` whose names begin with `Recycl`.
const RECYCLED_KINDS: [u8; 6] = [5, 6, 7, 8, 11, 131];

/// To be called before the database in `directory` is opened.
pub(super) fn cut_endless(directory: &Path) -> Result<()> {
    if !directory.is_dir() {
        return Ok(());
    }
    for entry in std::fs::read_dir(directory).context("list rocksdb directory")? {
        let path = entry.context("list rocksdb directory")?.path();
        if path.extension().is_some_and(|extension| extension == "log") {
            cut_file(&path).context(format!("check {}", path.display()))?;
        }
    }
    Ok(())
}

/// What is cut stays in a copy of the file, for whoever has to find out what happened.
fn cut_file(path: &Path) -> Result<()> {
    let Some(end) = endless_header(path)? else { return Ok(()) };
    tracing::warn!(path = %path.display(), offset = end, "cut a damaged write-ahead log; the whole is in a copy beside it");
    std::fs::copy(path, path.with_extension("log.damaged")).context("copy damaged log")?;
    let file = File::options().write(true).open(path).context("open damaged log")?;
    file.set_len(end).context("cut damaged log")?;
    file.sync_all().context("sync damaged log")
}

/// Where the first such header stands. Visits every header that RocksDB may visit: it goes on behind a record with a wrong
/// checksum, where RocksDB skips to the next block, but there replay has ended already.
fn endless_header(path: &Path) -> Result<Option<u64>> {
    let mut file = File::open(path).context("open log")?;
    let mut block = Vec::with_capacity(BLOCK_BYTES);
    let mut block_start = 0;
    loop {
        block.clear();
        file.by_ref().take(BLOCK_BYTES as u64).read_to_end(&mut block).context("read log")?;
        if block.is_empty() {
            return Ok(None);
        }
        if let Some(offset) = endless_header_in(&block) {
            return Ok(Some(block_start + offset as u64));
        }
        block_start += block.len() as u64;
    }
}

fn endless_header_in(block: &[u8]) -> Option<usize> {
    let mut offset = 0;
    while let Some(header) = block.get(offset..offset + HEADER_BYTES) {
        let length = usize::from(u16::from_le_bytes([header[4], header[5]]));
        if RECYCLED_KINDS.contains(&header[6]) {
            return Some(offset);
        }
        if length == 0 && header[6] == 0 {
            return None;
        }
        offset += HEADER_BYTES + length;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drive::Poison;
    use crate::rocks::{ColumnFamily, Durability, Rocks, RocksOptions};

    fn open(directory: &Path) -> Rocks {
        Rocks::open(directory, &RocksOptions::default(), Poison::default()).expect("opens")
    }

    #[test]
    fn a_log_with_a_header_of_a_recycled_kind_is_opened_up_to_there() {
        for kind in RECYCLED_KINDS {
            let directory = tempfile::tempdir().expect("directory");
            let crashed = tempfile::tempdir().expect("directory");
            let rocks = open(directory.path());
            for key in [b"a", b"b", b"c"] {
                let mut batch = rocks.batch();
                batch.put(ColumnFamily::RaftLog, key, b"value");
                rocks.write(batch, Durability::Synced).expect("writes");
            }
            copy_with_kind_of_third_record(directory.path(), crashed.path(), kind);
            let rocks = open(crashed.path());
            let present = [b"a", b"b", b"c"].map(|key| rocks.get(ColumnFamily::RaftLog, key).expect("reads").is_some());
            assert_eq!(present, [true, true, false], "kind {kind}");
        }
    }

    fn copy_with_kind_of_third_record(from: &Path, to: &Path, kind: u8) {
        for entry in std::fs::read_dir(from).expect("lists") {
            let path = entry.expect("entry").path();
            let mut bytes = std::fs::read(&path).expect("reads");
            if path.extension().is_some_and(|extension| extension == "log") && !bytes.is_empty() {
                // The last record: all three are of one length.
                let record = bytes.len() / 3;
                let last = bytes.len() - record;
                bytes[last + 6] = kind;
            }
            std::fs::write(to.join(path.file_name().expect("name")), bytes).expect("writes");
        }
    }
}
