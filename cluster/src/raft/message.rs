//! Message: our own bytes for what the nodes of a group say to each other, so that releases with different openrafts understand each other.
//! Owns: votes and their answers, leadership transfer, the steps of a snapshot. Appends: `append_message`.
//! Every form begins with a version byte, every request names its group next.

use bytes::Bytes;
use onggi_storage_engine::error::{Error, Result};
use onggi_storage_engine::format::{Decoder, Encoder, Record};
use openraft::raft::{TransferLeaderError, TransferLeaderRequest, TransferLeaderResponse, VoteRequest, VoteResponse};

use super::format::{decode_log_id, decode_vote, encode_log_id, encode_vote};
use super::type_config::{TypeConfig, Vote};
use crate::id::GroupId;

#[derive(Debug, PartialEq)]
pub struct VoteMessage {
    pub group: GroupId,
    pub request: VoteRequest<TypeConfig>,
}

impl Record for VoteMessage {
    const NAME: &'static str = "vote request";
    const VERSION: u8 = 1;

    fn encode_fields(&self, encoder: &mut Encoder) {
        encoder.u32(self.group.0);
        encode_vote(encoder, &self.request.vote);
        encoder.option(self.request.last_log_id.as_ref(), encode_log_id);
        encoder.bool(self.request.leadership_transfer);
    }

    fn decode_fields(_version: u8, decoder: &mut Decoder<'_>) -> Result<Self> {
        let group = GroupId(decoder.u32()?);
        let vote = decode_vote(decoder)?;
        let last_log_id = decoder.option(decode_log_id)?;
        let leadership_transfer = decoder.bool()?;
        Ok(Self { group, request: VoteRequest { vote, last_log_id, leadership_transfer } })
    }
}

#[derive(Debug, PartialEq)]
pub struct VoteAnswer(pub VoteResponse<TypeConfig>);

impl Record for VoteAnswer {
    const NAME: &'static str = "vote answer";
    const VERSION: u8 = 1;

    fn encode_fields(&self, encoder: &mut Encoder) {
        encode_vote(encoder, &self.0.vote);
        encoder.bool(self.0.vote_granted);
        encoder.option(self.0.last_log_id.as_ref(), encode_log_id);
    }

    fn decode_fields(_version: u8, decoder: &mut Decoder<'_>) -> Result<Self> {
        let vote = decode_vote(decoder)?;
        let vote_granted = decoder.bool()?;
        Ok(Self(VoteResponse { vote, vote_granted, last_log_id: decoder.option(decode_log_id)? }))
    }
}

#[derive(Debug, PartialEq)]
pub struct TransferMessage {
    pub group: GroupId,
    pub request: TransferLeaderRequest<TypeConfig>,
}

impl Record for TransferMessage {
    const NAME: &'static str = "leadership transfer";
    const VERSION: u8 = 1;

    fn encode_fields(&self, encoder: &mut Encoder) {
        encoder.u32(self.group.0);
        encode_vote(encoder, self.request.from_leader());
        encoder.varint(*self.request.to_node_id());
        encoder.option(self.request.last_log_id(), encode_log_id);
    }

    fn decode_fields(_version: u8, decoder: &mut Decoder<'_>) -> Result<Self> {
        let group = GroupId(decoder.u32()?);
        let from = decode_vote(decoder)?;
        let to = decoder.varint()?;
        let request = TransferLeaderRequest::new(from, to, decoder.option(decode_log_id)?);
        Ok(Self { group, request })
    }
}

const TRANSFER_DONE: u8 = 0;
const TRANSFER_VOTE_CHANGED: u8 = 1;
const TRANSFER_LOG_BEHIND: u8 = 2;

#[derive(Debug, PartialEq)]
pub struct TransferAnswer(pub TransferLeaderResponse<TypeConfig>);

impl Record for TransferAnswer {
    const NAME: &'static str = "leadership transfer answer";
    const VERSION: u8 = 1;

    fn encode_fields(&self, encoder: &mut Encoder) {
        match &self.0 {
            Ok(()) => {
                encoder.u8(TRANSFER_DONE);
            }
            Err(TransferLeaderError::VoteChanged { expected, actual }) => {
                encoder.u8(TRANSFER_VOTE_CHANGED);
                encode_vote(encoder, expected);
                encode_vote(encoder, actual);
            }
            Err(TransferLeaderError::LogNotFlushed { expected, actual }) => {
                encoder.u8(TRANSFER_LOG_BEHIND);
                encoder.option(expected.as_ref(), encode_log_id);
                encoder.option(actual.as_ref(), encode_log_id);
            }
        }
    }

    fn decode_fields(_version: u8, decoder: &mut Decoder<'_>) -> Result<Self> {
        Ok(Self(match decoder.u8()? {
            TRANSFER_DONE => Ok(()),
            TRANSFER_VOTE_CHANGED => {
                let expected = decode_vote(decoder)?;
                Err(TransferLeaderError::VoteChanged { expected, actual: decode_vote(decoder)? })
            }
            TRANSFER_LOG_BEHIND => {
                let expected = decoder.option(decode_log_id)?;
                Err(TransferLeaderError::LogNotFlushed { expected, actual: decoder.option(decode_log_id)? })
            }
            other => return Err(Error::corrupt(format!("read leadership transfer answer: kind {other} is not known"))),
        }))
    }
}

/// The first step of a snapshot: its blocks will follow.
#[derive(Debug, PartialEq)]
pub struct SnapshotBegin {
    pub group: GroupId,
    pub vote: Vote,
    pub file_bytes: u64,
}

impl Record for SnapshotBegin {
    const NAME: &'static str = "begin of a snapshot";
    const VERSION: u8 = 1;

    fn encode_fields(&self, encoder: &mut Encoder) {
        encoder.u32(self.group.0);
        encode_vote(encoder, &self.vote);
        encoder.varint(self.file_bytes);
    }

    fn decode_fields(_version: u8, decoder: &mut Decoder<'_>) -> Result<Self> {
        let group = GroupId(decoder.u32()?);
        let vote = decode_vote(decoder)?;
        Ok(Self { group, vote, file_bytes: decoder.varint()? })
    }
}

/// The answer to `SnapshotBegin`: what the receiver calls this transfer.
#[derive(Debug, PartialEq)]
pub struct SnapshotBegun(pub u64);

impl Record for SnapshotBegun {
    const NAME: &'static str = "begun snapshot";
    const VERSION: u8 = 1;

    fn encode_fields(&self, encoder: &mut Encoder) {
        encoder.varint(self.0);
    }

    fn decode_fields(_version: u8, decoder: &mut Decoder<'_>) -> Result<Self> {
        Ok(Self(decoder.varint()?))
    }
}

/// Some bytes of the snapshot file; the payload follows the message.
#[derive(Debug, PartialEq)]
pub struct SnapshotBlock {
    pub group: GroupId,
    pub transfer: u64,
    pub offset: u64,
    pub bytes: Bytes,
}

const SNAPSHOT_BLOCK_VERSION: u8 = 1;

impl SnapshotBlock {
    pub fn to_payload(&self) -> Vec<Bytes> {
        let mut encoder = Encoder::new();
        encoder.u8(SNAPSHOT_BLOCK_VERSION).u32(self.group.0).varint(self.transfer).varint(self.offset);
        vec![encoder.finish(), self.bytes.clone()]
    }

    pub fn from_payload(payload: &Bytes) -> Result<Self> {
        let mut decoder = Decoder::new(payload);
        match decoder.u8()? {
            SNAPSHOT_BLOCK_VERSION => {}
            other => return Err(Error::corrupt(format!("read snapshot block: version {other} is not known"))),
        }
        let group = GroupId(decoder.u32()?);
        let transfer = decoder.varint()?;
        let offset = decoder.varint()?;
        let bytes = payload.slice(payload.len() - decoder.remaining()..);
        Ok(Self { group, transfer, offset, bytes })
    }
}

/// The last step: the file is complete, install it. Answered by the receiver's vote.
#[derive(Debug, PartialEq)]
pub struct SnapshotEnd {
    pub group: GroupId,
    pub transfer: u64,
}

impl Record for SnapshotEnd {
    const NAME: &'static str = "end of a snapshot";
    const VERSION: u8 = 1;

    fn encode_fields(&self, encoder: &mut Encoder) {
        encoder.u32(self.group.0).varint(self.transfer);
    }

    fn decode_fields(_version: u8, decoder: &mut Decoder<'_>) -> Result<Self> {
        let group = GroupId(decoder.u32()?);
        Ok(Self { group, transfer: decoder.varint()? })
    }
}

#[cfg(test)]
mod tests {
    use super::super::type_config::{LeaderId, LogId};
    use super::*;

    const GROUP: GroupId = GroupId(7);

    fn vote(committed: bool) -> Vote {
        Vote { leader_id: LeaderId { term: 300, node_id: 2 }, committed }
    }

    fn log_id() -> LogId {
        LogId { leader_id: LeaderId { term: 299, node_id: 1 }, index: 5 }
    }

    /// What the first release sends: it must decode for ever.
    #[track_caller]
    fn check<R: Record + PartialEq + std::fmt::Debug>(message: &R, bytes: &[u8]) {
        assert_eq!(message.to_bytes().as_ref(), bytes);
        assert_eq!(&R::from_bytes(bytes).expect("decodes"), message);
        for end in 0..bytes.len() {
            assert!(R::from_bytes(&bytes[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn bytes_of_version_1() {
        let request = VoteRequest { vote: vote(false), last_log_id: Some(log_id()), leadership_transfer: true };
        check(&VoteMessage { group: GROUP, request }, &[1, 0, 0, 0, 7, 0xAC, 2, 2, 0, 1, 0xAB, 2, 1, 5, 1]);
        let answer = VoteResponse { vote: vote(true), vote_granted: true, last_log_id: None };
        check(&VoteAnswer(answer), &[1, 0xAC, 2, 2, 1, 1, 0]);
        let request = TransferLeaderRequest::new(vote(true), 3, Some(log_id()));
        check(&TransferMessage { group: GROUP, request }, &[1, 0, 0, 0, 7, 0xAC, 2, 2, 1, 3, 1, 0xAB, 2, 1, 5]);
        check(&TransferAnswer(Ok(())), &[1, 0]);
        let changed = TransferLeaderError::VoteChanged { expected: vote(false), actual: vote(true) };
        check(&TransferAnswer(Err(changed)), &[1, 1, 0xAC, 2, 2, 0, 0xAC, 2, 2, 1]);
        let behind = TransferLeaderError::LogNotFlushed { expected: Some(log_id()), actual: None };
        check(&TransferAnswer(Err(behind)), &[1, 2, 1, 0xAB, 2, 1, 5, 0]);
        let begin = SnapshotBegin { group: GROUP, vote: vote(true), file_bytes: 128 };
        check(&begin, &[1, 0, 0, 0, 7, 0xAC, 2, 2, 1, 0x80, 1]);
        check(&SnapshotBegun(9), &[1, 9]);
        check(&SnapshotEnd { group: GROUP, transfer: 9 }, &[1, 0, 0, 0, 7, 9]);
    }

    #[test]
    fn a_block_comes_back_with_its_bytes() {
        let block = SnapshotBlock { group: GROUP, transfer: 9, offset: 300, bytes: Bytes::from_static(b"block") };
        let payload: Bytes = block.to_payload().concat().into();
        assert_eq!(payload.as_ref(), b"\x01\x00\x00\x00\x07\x09\xAC\x02block");
        assert_eq!(SnapshotBlock::from_payload(&payload).expect("decodes"), block);
        assert!(SnapshotBlock::from_payload(&payload.slice(..7)).is_err());
    }
}
