//! Purged record: up to where a log was purged, and the caller's marker for it.

use bytes::Bytes;

use crate::error::Result;
use crate::format::{Decoder, Encoder, Record};

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct PurgedRecord {
    pub through: u64,
    pub marker: Bytes,
}

impl Record for PurgedRecord {
    const NAME: &'static str = "purged record";
    const VERSION: u8 = 1;

    fn encode_fields(&self, encoder: &mut Encoder) {
        encoder.varint(self.through).bytes(&self.marker);
    }

    fn decode_fields(_version: u8, decoder: &mut Decoder<'_>) -> Result<Self> {
        Ok(Self { through: decoder.varint()?, marker: decoder.shared_bytes()? })
    }
}
