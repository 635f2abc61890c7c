//! Keys of the log store. Big endian, so that a group's entries stand together in the order of their indexes.

/// In `raft_log`: group (4) ‖ index (8).
pub(super) fn entry(group: u32, index: u64) -> [u8; 12] {
    let mut key = [0; 12];
    key[..4].copy_from_slice(&group.to_be_bytes());
    key[4..].copy_from_slice(&index.to_be_bytes());
    key
}

pub(super) fn parse_entry(key: &[u8]) -> Option<(u32, u64)> {
    let (group, index) = key.split_first_chunk()?;
    Some((u32::from_be_bytes(*group), u64::from_be_bytes(index.try_into().ok()?)))
}

/// In `raft_state`: the number of the last round, one for the drive. No group's key has one byte.
pub(super) const ROUND: [u8; 1] = [0];

/// In `raft_state`: group (4) ‖ what (1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum State {
    Vote = 1,
    Committed = 2,
    Purged = 3,
    Promised = 4,
}

pub(super) fn state(group: u32, state: State) -> [u8; 5] {
    let mut key = [0; 5];
    key[..4].copy_from_slice(&group.to_be_bytes());
    key[4] = state as u8;
    key
}

pub(super) fn parse_state(key: &[u8]) -> Option<(u32, State)> {
    let (group, what) = key.split_first_chunk()?;
    let state = match what {
        [1] => State::Vote,
        [2] => State::Committed,
        [3] => State::Purged,
        [4] => State::Promised,
        _ => return None,
    };
    Some((u32::from_be_bytes(*group), state))
}
