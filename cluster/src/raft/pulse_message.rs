//! Pulse message: what a node says to another one about all groups that it leads and the other follows, in one message.
//! Owns: its bytes, and those of the answer.

use onggi_storage_engine::error::{Error, Result};
use onggi_storage_engine::format::{Decoder, Encoder, Record};

use crate::id::GroupId;

/// "I lead this group."
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beat {
    pub group: GroupId,
    pub term: u64,
    /// One more than the index of the last entry that was committed when the pulse before this one was sent; 0 for none.
    pub committed_next: u64,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Pulse {
    pub beats: Vec<Beat>,
}

impl Record for Pulse {
    const NAME: &'static str = "pulse";
    const VERSION: u8 = 1;

    fn encode_fields(&self, encoder: &mut Encoder) {
        encoder.list(&self.beats, |encoder, beat| {
            encoder.varint(u64::from(beat.group.0)).varint(beat.term).varint(beat.committed_next);
        });
    }

    fn decode_fields(_version: u8, decoder: &mut Decoder<'_>) -> Result<Self> {
        let beats = decoder.list(|decoder| {
            let (group, term) = (decode_group(decoder)?, decoder.varint()?);
            Ok(Beat { group, term, committed_next: decoder.varint()? })
        })?;
        Ok(Self { beats })
    }
}

/// The groups in which the other node does not follow as it should, so that their leader speaks to it itself. Groups that it does
/// not have are not among them: there is nobody to speak to.
#[derive(Debug, PartialEq, Eq)]
pub struct PulseAnswer {
    pub astray: Vec<GroupId>,
}

impl Record for PulseAnswer {
    const NAME: &'static str = "pulse answer";
    const VERSION: u8 = 1;

    fn encode_fields(&self, encoder: &mut Encoder) {
        encoder.list(&self.astray, |encoder, group| {
            encoder.varint(u64::from(group.0));
        });
    }

    fn decode_fields(_version: u8, decoder: &mut Decoder<'_>) -> Result<Self> {
        Ok(Self { astray: decoder.list(decode_group)? })
    }
}

fn decode_group(decoder: &mut Decoder<'_>) -> Result<GroupId> {
    let group = decoder.varint()?;
    u32::try_from(group).map(GroupId).map_err(|_| Error::corrupt(format!("read pulse: group {group}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_version_1() {
        let beat = |group, term, committed_next| Beat { group: GroupId(group), term, committed_next };
        let pulse = Pulse { beats: vec![beat(0, 3, 0), beat(200, 300, 7)] };
        let bytes = [1, 2, 0, 3, 0, 0xC8, 1, 0xAC, 2, 7];
        assert_eq!(pulse.to_bytes().as_ref(), bytes);
        assert_eq!(Pulse::from_bytes(&bytes).expect("decodes"), pulse);
        let answer = PulseAnswer { astray: vec![GroupId(200)] };
        assert_eq!(answer.to_bytes().as_ref(), [1, 1, 0xC8, 1]);
        assert_eq!(PulseAnswer::from_bytes(&answer.to_bytes()).expect("decodes"), answer);
        assert!(Pulse::from_bytes(&[1, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0x1F, 1, 0]).is_err(), "no such group");
    }
}
