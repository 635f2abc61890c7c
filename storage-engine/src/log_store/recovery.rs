//! Recovery: the state of all logs from the database, once, at open.
//! Invariant: a log with a hole is refused as corrupt. Every key of the logs is visited: what is not purged is at most
//! about two flushes' worth of entries, well under a second.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;

use bytes::Bytes;

use super::group_log::GroupLog;
use super::key::{self, State};
use super::purged_record::PurgedRecord;
use crate::error::{Error, Result};
use crate::format::Record;
use crate::rocks::{ColumnFamily, Direction, KeyRange, Rocks};

pub(super) struct Recovered {
    pub groups: HashMap<u32, GroupLog>,
    /// The last round of the writer that is in the log.
    pub round: u64,
}

#[derive(Default)]
struct GroupState {
    vote: Option<Bytes>,
    committed: Option<Bytes>,
    purged: Option<PurgedRecord>,
    promised: Option<Bytes>,
}

pub(super) fn recover(rocks: &Rocks) -> Result<Recovered> {
    let (mut states, round) = read_states(rocks)?;
    let entries = read_entries(rocks)?;
    for group in entries.keys() {
        states.entry(*group).or_default();
    }
    let mut groups = HashMap::new();
    for (group, state) in states {
        groups.insert(group, assemble(group, state, entries.get(&group).cloned())?);
    }
    Ok(Recovered { groups, round })
}

fn assemble(group: u32, state: GroupState, entries: Option<Range<u64>>) -> Result<GroupLog> {
    let after_purged = state.purged.as_ref().map(|purged| purged.through.saturating_add(1));
    let entries = match (entries, after_purged) {
        (Some(entries), Some(first)) if entries.start != first => {
            return Err(Error::corrupt(format!(
                "log of group {group}: purged up to {first}, but its first entry is {}",
                entries.start
            )));
        }
        (Some(entries), _) => entries,
        (None, first) => first.unwrap_or(0)..first.unwrap_or(0),
    };
    let mut log = GroupLog::recovered(entries);
    log.vote = state.vote;
    log.committed = state.committed;
    log.promised = state.promised;
    log.purged = state.purged.map(|purged| purged.marker);
    Ok(log)
}

fn read_states(rocks: &Rocks) -> Result<(HashMap<u32, GroupState>, u64)> {
    let mut states: HashMap<u32, GroupState> = HashMap::new();
    let mut round = 0;
    let mut scan = rocks.scan(ColumnFamily::RaftState, &KeyRange::all(), Direction::Forward);
    while let Some((key, value)) = scan.next_entry()? {
        if key == key::ROUND {
            let bytes = value.try_into().map_err(|_| Error::corrupt("number of the last round"))?;
            round = u64::from_be_bytes(bytes);
            continue;
        }
        let Some((group, what)) = key::parse_state(key) else {
            return Err(Error::corrupt(format!("unknown key {key:02x?} in the state of logs")));
        };
        let state = states.entry(group).or_default();
        match what {
            State::Vote => state.vote = Some(Bytes::copy_from_slice(value)),
            State::Committed => state.committed = Some(Bytes::copy_from_slice(value)),
            State::Purged => state.purged = Some(PurgedRecord::from_bytes(value)?),
            State::Promised => state.promised = Some(Bytes::copy_from_slice(value)),
        }
    }
    Ok((states, round))
}

fn read_entries(rocks: &Rocks) -> Result<HashMap<u32, Range<u64>>> {
    let mut groups: HashMap<u32, Range<u64>> = HashMap::new();
    let mut scan = rocks.scan(ColumnFamily::RaftLog, &KeyRange::all(), Direction::Forward);
    while let Some((key, _)) = scan.next_entry()? {
        let Some((group, index)) = key::parse_entry(key) else {
            return Err(Error::corrupt(format!("unknown key {key:02x?} in the log")));
        };
        match groups.entry(group) {
            Entry::Vacant(entry) => {
                entry.insert(index..index + 1);
            }
            Entry::Occupied(mut entry) if entry.get().end == index => entry.get_mut().end += 1,
            Entry::Occupied(entry) => {
                let missing = entry.get().end;
                return Err(Error::corrupt(format!("log of group {group}: entry {missing} is missing before {index}")));
            }
        }
    }
    Ok(groups)
}
