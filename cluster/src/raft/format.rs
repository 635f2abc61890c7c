//! Format: our own bytes for what openraft asks us to keep, so that an upgrade of openraft never changes a disk.
//! Owns: vote, log id, log entry, applied position with membership. Every form begins with a version byte.

use std::collections::BTreeSet;

use bytes::Bytes;
use onggi_storage_engine::error::{Error, Result};
use onggi_storage_engine::format::{Decoder, Encoder, Record};
use openraft::impls::EmptyNode;

use super::type_config::{EncodedCommand, Entry, LeaderId, LogId, Membership, Payload, StoredMembership, Vote};

const ENTRY_VERSION: u8 = 1;
const KIND_BLANK: u8 = 0;
const KIND_COMMAND: u8 = 1;
const KIND_MEMBERSHIP: u8 = 2;
/// Version, term, node, index and kind, at their longest.
const ENTRY_HEADER_BYTES_MAX: usize = 1 + 3 * 10 + 1;

/// A vote as the drive keeps it.
#[derive(Debug, PartialEq)]
pub struct VoteRecord(pub Vote);

impl Record for VoteRecord {
    const NAME: &'static str = "vote";
    const VERSION: u8 = 1;

    fn encode_fields(&self, encoder: &mut Encoder) {
        encode_vote(encoder, &self.0);
    }

    fn decode_fields(_version: u8, decoder: &mut Decoder<'_>) -> Result<Self> {
        Ok(Self(decode_vote(decoder)?))
    }
}

/// A log id as the drive keeps it: the committed and the purged position.
#[derive(Debug, PartialEq)]
pub struct LogIdRecord(pub LogId);

impl Record for LogIdRecord {
    const NAME: &'static str = "log id";
    const VERSION: u8 = 1;

    fn encode_fields(&self, encoder: &mut Encoder) {
        encode_log_id(encoder, &self.0);
    }

    fn decode_fields(_version: u8, decoder: &mut Decoder<'_>) -> Result<Self> {
        Ok(Self(decode_log_id(decoder)?))
    }
}

/// How far a group's state has come: the last applied entry, and the last membership at or before it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AppliedRecord {
    pub last_applied: Option<LogId>,
    pub membership: StoredMembership,
}

impl Record for AppliedRecord {
    const NAME: &'static str = "applied position";
    const VERSION: u8 = 1;

    fn encode_fields(&self, encoder: &mut Encoder) {
        encoder.option(self.last_applied.as_ref(), encode_log_id);
        encoder.option(self.membership.log_id().as_ref(), encode_log_id);
        encode_membership(encoder, self.membership.membership());
    }

    fn decode_fields(_version: u8, decoder: &mut Decoder<'_>) -> Result<Self> {
        let last_applied = decoder.option(decode_log_id)?;
        let membership_log_id = decoder.option(decode_log_id)?;
        let membership = StoredMembership::new(membership_log_id, decode_membership(decoder)?);
        Ok(Self { last_applied, membership })
    }
}

/// A log entry. Not a `Record`, because its command must be shared with the input, never copied.
pub fn encode_entry(entry: &Entry) -> Bytes {
    let command = command_of(entry);
    let mut encoder = Encoder::with_capacity(ENTRY_HEADER_BYTES_MAX + command.len());
    encode_entry_front(&mut encoder, entry);
    encoder.raw(command);
    encoder.finish()
}

/// All of an entry but its command, which comes last.
pub fn encode_entry_front(encoder: &mut Encoder, entry: &Entry) {
    encoder.u8(ENTRY_VERSION);
    encode_log_id(encoder, &entry.log_id);
    match &entry.payload {
        Payload::Blank => {
            encoder.u8(KIND_BLANK);
        }
        Payload::Normal(_) => {
            encoder.u8(KIND_COMMAND);
        }
        Payload::Membership(membership) => {
            encoder.u8(KIND_MEMBERSHIP);
            encode_membership(encoder, membership);
        }
    }
}

/// Empty for an entry that is no command.
pub fn command_of(entry: &Entry) -> &Bytes {
    static NONE: Bytes = Bytes::new();
    match &entry.payload {
        Payload::Normal(command) => &command.0,
        Payload::Blank | Payload::Membership(_) => &NONE,
    }
}

pub fn decode_entry(bytes: &Bytes) -> Result<Entry> {
    let mut decoder = Decoder::new(bytes);
    let log_id = decode_entry_head(&mut decoder)?;
    let payload = match decoder.u8()? {
        KIND_BLANK => Payload::Blank,
        KIND_COMMAND => {
            let command = bytes.slice(bytes.len() - decoder.remaining()..);
            return Ok(Entry { log_id, payload: Payload::Normal(EncodedCommand(command)) });
        }
        KIND_MEMBERSHIP => Payload::Membership(decode_membership(&mut decoder)?),
        other => return Err(Error::corrupt(format!("read log entry: kind {other} is not known"))),
    };
    decoder.finish()?;
    Ok(Entry { log_id, payload })
}

/// Only the log id of an entry: what the log's state is made of.
pub fn decode_entry_log_id(bytes: &[u8]) -> Result<LogId> {
    decode_entry_head(&mut Decoder::new(bytes))
}

pub fn encode_membership(encoder: &mut Encoder, membership: &Membership) {
    encoder.list(membership.get_joint_config(), |encoder, voters| {
        encoder.list(&voters.iter().copied().collect::<Vec<_>>(), |encoder, node| {
            encoder.varint(*node);
        });
    });
    let nodes: Vec<u64> = membership.nodes().map(|(node, _)| *node).collect();
    encoder.list(&nodes, |encoder, node| {
        encoder.varint(*node);
    });
}

pub fn decode_membership(decoder: &mut Decoder<'_>) -> Result<Membership> {
    let configs = decoder.list(|decoder| Ok(decoder.list(Decoder::varint)?.into_iter().collect::<BTreeSet<u64>>()))?;
    let nodes = decoder.list(Decoder::varint)?;
    if configs.is_empty() && nodes.is_empty() {
        return Ok(Membership::default());
    }
    let nodes = nodes.into_iter().map(|node| (node, EmptyNode::new()));
    Membership::new(configs, nodes.collect::<std::collections::BTreeMap<_, _>>())
        .map_err(|source| Error::corrupt("read membership").with_source(source))
}

fn decode_entry_head(decoder: &mut Decoder<'_>) -> Result<LogId> {
    match decoder.u8()? {
        ENTRY_VERSION => decode_log_id(decoder),
        other => Err(Error::corrupt(format!("read log entry: version {other} is not known to this release"))),
    }
}

pub fn encode_vote(encoder: &mut Encoder, vote: &Vote) {
    encoder.varint(vote.leader_id.term).varint(vote.leader_id.node_id).bool(vote.committed);
}

pub fn decode_vote(decoder: &mut Decoder<'_>) -> Result<Vote> {
    Ok(Vote { leader_id: decode_leader_id(decoder)?, committed: decoder.bool()? })
}

pub fn encode_log_id(encoder: &mut Encoder, log_id: &LogId) {
    encoder.varint(log_id.leader_id.term).varint(log_id.leader_id.node_id).varint(log_id.index);
}

pub fn decode_log_id(decoder: &mut Decoder<'_>) -> Result<LogId> {
    let leader_id = decode_leader_id(decoder)?;
    Ok(LogId { leader_id, index: decoder.varint()? })
}

fn decode_leader_id(decoder: &mut Decoder<'_>) -> Result<LeaderId> {
    Ok(LeaderId { term: decoder.varint()?, node_id: decoder.varint()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log_id(term: u64, node_id: u64, index: u64) -> LogId {
        LogId { leader_id: LeaderId { term, node_id }, index }
    }

    fn membership() -> Membership {
        let voters = vec![BTreeSet::from([1]), BTreeSet::from([1, 2, 3])];
        Membership::new_with_defaults(voters, [1, 2, 3, 9])
    }

    #[test]
    fn everything_comes_back() {
        let vote = VoteRecord(Vote { leader_id: LeaderId { term: 300, node_id: 7 }, committed: true });
        assert_eq!(VoteRecord::from_bytes(&vote.to_bytes()).expect("decodes"), vote);

        let applied = AppliedRecord {
            last_applied: Some(log_id(5, 1, 1 << 40)),
            membership: StoredMembership::new(Some(log_id(4, 1, 3)), membership()),
        };
        assert_eq!(AppliedRecord::from_bytes(&applied.to_bytes()).expect("decodes"), applied);
        let empty = AppliedRecord::default();
        assert_eq!(AppliedRecord::from_bytes(&empty.to_bytes()).expect("decodes"), empty);

        for payload in [
            Payload::Blank,
            Payload::Normal(EncodedCommand(Bytes::from_static(b"\x01command"))),
            Payload::Membership(membership()),
        ] {
            let entry = Entry { log_id: log_id(2, 1, 77), payload };
            let bytes = encode_entry(&entry);
            assert_eq!(decode_entry(&bytes).expect("decodes"), entry);
            assert_eq!(decode_entry_log_id(&bytes).expect("decodes"), entry.log_id);
        }
    }

    /// Bytes of the first release: they must decode for ever.
    #[test]
    fn bytes_of_version_1() {
        let entry =
            Entry { log_id: log_id(2, 1, 300), payload: Payload::Normal(EncodedCommand(Bytes::from_static(b"c"))) };
        assert_eq!(encode_entry(&entry).as_ref(), [1, 2, 1, 0xAC, 0x02, KIND_COMMAND, b'c']);
        let vote = VoteRecord(Vote { leader_id: LeaderId { term: 2, node_id: 1 }, committed: true });
        assert_eq!(vote.to_bytes().as_ref(), [1, 2, 1, 1]);
    }

    #[test]
    fn broken_bytes_are_errors() {
        let bytes = encode_entry(&Entry { log_id: log_id(1, 1, 1), payload: Payload::Membership(membership()) });
        for end in 0..bytes.len() {
            assert!(decode_entry(&bytes.slice(..end)).is_err(), "cut at {end}");
        }
        let mut unknown = bytes.to_vec();
        unknown[0] = 2;
        assert!(decode_entry(&unknown.into()).is_err());
    }
}
