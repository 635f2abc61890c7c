//! Append message: log entries on their way to a follower, and heartbeats, which are appends of nothing.
//! Owns: their bytes. Commands are neither copied by the sender nor by the receiver, unless they are small.
//!
//! ```text
//! request = version u8 ‖ group u32 ‖ vote ‖ previous log id? ‖ committed log id? ‖ count ‖ (length ‖ entry)*
//! answer  = version u8 ‖ kind u8 ‖ [last log id? of a partial success | vote of a higher one]
//! ```

use bytes::Bytes;
use onggi_storage_engine::error::{Error, Result};
use onggi_storage_engine::format::{Decoder, Encoder, Record};
use openraft::raft::{AppendEntriesRequest, AppendEntriesResponse};

use super::format::{
    command_of, decode_entry, decode_log_id, decode_vote, encode_entry_front, encode_log_id, encode_vote,
};
use super::type_config::{LogId, TypeConfig};
use crate::id::GroupId;
use crate::peer::Payload;

const VERSION: u8 = 1;
/// A command of this size is a piece of its own; copying a smaller one costs less than another piece.
const SHARED_BYTES_MIN: usize = 4096;

pub type AppendRequest = AppendEntriesRequest<TypeConfig>;

pub fn encode_append(group: GroupId, request: &AppendRequest) -> Payload {
    let mut payload = Vec::new();
    let mut encoder = Encoder::new();
    encoder.u8(VERSION).u32(group.0);
    encode_vote(&mut encoder, &request.vote);
    encode_optional_log_id(&mut encoder, request.prev_log_id.as_ref());
    encode_optional_log_id(&mut encoder, request.leader_commit.as_ref());
    encoder.varint(request.entries.len() as u64);
    for entry in &request.entries {
        let mut front = Encoder::new();
        encode_entry_front(&mut front, entry);
        let command = command_of(entry);
        encoder.varint((front.len() + command.len()) as u64).raw(&front.finish());
        if command.len() < SHARED_BYTES_MIN {
            encoder.raw(command);
        } else {
            payload.push(std::mem::take(&mut encoder).finish());
            payload.push(command.clone());
        }
    }
    payload.push(encoder.finish());
    payload
}

pub fn decode_append(bytes: &Bytes) -> Result<(GroupId, AppendRequest)> {
    let mut decoder = Decoder::shared(bytes);
    match decoder.u8()? {
        VERSION => {}
        other => return Err(Error::corrupt(format!("read append: version {other} is not known to this release"))),
    }
    let group = GroupId(decoder.u32()?);
    let vote = decode_vote(&mut decoder)?;
    let prev_log_id = decoder.option(decode_log_id)?;
    let leader_commit = decoder.option(decode_log_id)?;
    let entries = decoder.list(|decoder| decode_entry(&decoder.shared_bytes()?))?;
    decoder.finish()?;
    let mut expected = prev_log_id.map_or(0, |log_id| log_id.index + 1)..;
    if entries.iter().any(|entry| Some(entry.log_id.index) != expected.next()) {
        return Err(Error::corrupt("read append: its entries do not follow each other"));
    }
    Ok((group, AppendRequest { vote, prev_log_id, entries, leader_commit }))
}

const KIND_SUCCESS: u8 = 0;
const KIND_PARTIAL_SUCCESS: u8 = 1;
const KIND_CONFLICT: u8 = 2;
const KIND_HIGHER_VOTE: u8 = 3;

#[derive(Debug, PartialEq)]
pub struct AppendAnswer(pub AppendEntriesResponse<TypeConfig>);

impl Record for AppendAnswer {
    const NAME: &'static str = "append answer";
    const VERSION: u8 = 1;

    fn encode_fields(&self, encoder: &mut Encoder) {
        match &self.0 {
            AppendEntriesResponse::Success => {
                encoder.u8(KIND_SUCCESS);
            }
            AppendEntriesResponse::PartialSuccess(last) => {
                encoder.u8(KIND_PARTIAL_SUCCESS);
                encode_optional_log_id(encoder, last.as_ref());
            }
            AppendEntriesResponse::Conflict => {
                encoder.u8(KIND_CONFLICT);
            }
            AppendEntriesResponse::HigherVote(vote) => {
                encoder.u8(KIND_HIGHER_VOTE);
                encode_vote(encoder, vote);
            }
        }
    }

    fn decode_fields(_version: u8, decoder: &mut Decoder<'_>) -> Result<Self> {
        Ok(Self(match decoder.u8()? {
            KIND_SUCCESS => AppendEntriesResponse::Success,
            KIND_PARTIAL_SUCCESS => AppendEntriesResponse::PartialSuccess(decoder.option(decode_log_id)?),
            KIND_CONFLICT => AppendEntriesResponse::Conflict,
            KIND_HIGHER_VOTE => AppendEntriesResponse::HigherVote(decode_vote(decoder)?),
            other => return Err(Error::corrupt(format!("read append answer: kind {other} is not known"))),
        }))
    }
}

fn encode_optional_log_id(encoder: &mut Encoder, log_id: Option<&LogId>) {
    encoder.option(log_id, encode_log_id);
}

#[cfg(test)]
mod tests {
    use super::super::type_config::{EncodedCommand, Entry, LeaderId, Payload as EntryPayload, Vote};
    use super::*;
    use crate::peer::concatenate;

    fn log_id(index: u64) -> LogId {
        LogId { leader_id: LeaderId { term: 2, node_id: 1 }, index }
    }

    fn entry(index: u64, command: Bytes) -> Entry {
        Entry { log_id: log_id(index), payload: EntryPayload::Normal(EncodedCommand(command)) }
    }

    fn request(entries: Vec<Entry>) -> AppendRequest {
        let vote = Vote { leader_id: LeaderId { term: 2, node_id: 1 }, committed: true };
        AppendRequest { vote, prev_log_id: Some(log_id(4)), entries, leader_commit: Some(log_id(3)) }
    }

    /// openraft's request has no equality.
    fn parts(request: &AppendRequest) -> (Vote, Option<LogId>, Option<LogId>, Vec<Entry>) {
        (request.vote, request.prev_log_id, request.leader_commit, request.entries.clone())
    }

    fn decoded(bytes: &Bytes) -> (Vote, Option<LogId>, Option<LogId>, Vec<Entry>) {
        let (group, request) = decode_append(bytes).expect("decodes");
        assert_eq!(group, GroupId(7));
        parts(&request)
    }

    /// What the first release sends: it must decode for ever.
    #[test]
    fn bytes_of_version_1() {
        let request = request(vec![entry(5, Bytes::from_static(b"c"))]);
        let bytes = concatenate(encode_append(GroupId(7), &request));
        let vote = [2, 1, 1];
        let (previous, committed) = ([1, 2, 1, 4], [1, 2, 1, 3]);
        let entries = [1, 6, 1, 2, 1, 5, 1, b'c'];
        assert_eq!(bytes, [&[1, 0, 0, 0, 7], &vote[..], &previous, &committed, &entries].concat());
        assert_eq!(decoded(&bytes), parts(&request));
        for end in 0..bytes.len() {
            assert!(decode_append(&bytes.slice(..end)).is_err(), "cut at {end}");
        }
        let higher = Vote { leader_id: LeaderId { term: 9, node_id: 3 }, committed: false };
        for (answer, bytes) in [
            (AppendEntriesResponse::Success, &[1, 0][..]),
            (AppendEntriesResponse::PartialSuccess(Some(log_id(5))), &[1, 1, 1, 2, 1, 5]),
            (AppendEntriesResponse::Conflict, &[1, 2]),
            (AppendEntriesResponse::HigherVote(higher), &[1, 3, 9, 3, 0]),
        ] {
            let answer = AppendAnswer(answer);
            assert_eq!(answer.to_bytes().as_ref(), bytes);
            assert_eq!(AppendAnswer::from_bytes(bytes).expect("decodes"), answer);
        }
    }

    #[test]
    fn a_large_command_is_sent_and_received_without_a_copy() {
        let large = Bytes::from(vec![7; SHARED_BYTES_MIN]);
        let request = request(vec![entry(5, large.clone()), entry(6, Bytes::from_static(b"small"))]);
        let payload = encode_append(GroupId(7), &request);
        assert!(payload.iter().any(|piece| piece.as_ptr() == large.as_ptr()));
        let bytes = concatenate(payload);
        assert_eq!(decoded(&bytes), parts(&request));
        let (_, received) = decode_append(&bytes).expect("decodes");
        let received = command_of(&received.entries[0]);
        assert!(bytes.as_ptr_range().contains(&received.as_ptr()));
    }

    #[test]
    fn entries_with_a_gap_are_refused() {
        let request = request(vec![entry(5, Bytes::new()), entry(7, Bytes::new())]);
        assert!(decode_append(&concatenate(encode_append(GroupId(7), &request))).is_err());
    }
}
