//! Reads of a log: from the tail in memory, or else from the database on a blocking thread.

use std::ops::Range;

use bytes::Bytes;

use super::group_log::GroupLog;
use super::{Shared, counters, key, lock};
use crate::error::{Context, Error, Result};
use crate::rocks::{ColumnFamily, Direction, KeyRange, Rocks};

pub(super) async fn read(
    shared: &Shared,
    group: u32,
    range: Range<u64>,
    bytes_max: usize,
) -> Result<Vec<(u64, Bytes)>> {
    let log = shared.group(group);
    let (from_disk, deletions) = {
        let log = lock(&log);
        let start = range.start.max(log.first);
        let end = range.end.min(log.next());
        if start >= log.tail.start() || start >= end {
            return Ok(from_tail(&log, start..end, bytes_max));
        }
        (start..end.min(log.tail.start()), log.deletions)
    };
    counters::add(&shared.counters.disk_reads, 1);
    let wanted = from_disk.clone();
    let entries = shared.rocks.blocking(move |rocks| read_database(rocks, group, wanted, bytes_max)).await;
    let entries = entries.context("read log")?;
    let complete = entries.first().is_some_and(|(index, _)| *index == from_disk.start);
    if complete || lock(&log).deletions != deletions {
        // Entries that were deleted meanwhile may be missing at the front: then there is nothing from there on.
        return Ok(if complete { entries } else { Vec::new() });
    }
    Err(Error::corrupt(format!("read log of group {group}: entry {} is missing", from_disk.start)))
}

fn from_tail(log: &GroupLog, range: Range<u64>, bytes_max: usize) -> Vec<(u64, Bytes)> {
    let mut entries = Vec::new();
    let mut bytes = 0;
    for index in range {
        let Some(entry) = log.tail.get(index) else { break };
        bytes += entry.len();
        if bytes > bytes_max && !entries.is_empty() {
            break;
        }
        entries.push((index, entry.clone()));
    }
    entries
}

/// Entries with consecutive indexes, up to the first that is missing.
fn read_database(rocks: &Rocks, group: u32, range: Range<u64>, bytes_max: usize) -> Result<Vec<(u64, Bytes)>> {
    let keys = KeyRange::new(key::entry(group, range.start), key::entry(group, range.end));
    let mut scan = rocks.scan(ColumnFamily::RaftLog, &keys, Direction::Forward);
    let mut entries: Vec<(u64, Bytes)> = Vec::new();
    let mut bytes = 0;
    while let Some((key, value)) = scan.next_entry()? {
        let Some((_, index)) = key::parse_entry(key) else {
            return Err(Error::corrupt(format!("key of {} bytes in the log", key.len())));
        };
        let follows = entries.last().is_none_or(|(last, _)| last + 1 == index);
        bytes += value.len();
        if !follows || (bytes > bytes_max && !entries.is_empty()) {
            break;
        }
        entries.push((index, Bytes::copy_from_slice(value)));
    }
    Ok(entries)
}
