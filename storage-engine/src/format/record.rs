//! Record: a value with a version byte in front. A release reads every version up to its own, for ever.

use bytes::Bytes;

use super::{Decoder, Encoder};
use crate::error::{Context, Error, Result};

pub trait Record: Sized {
    /// Stands in errors: "bucket record".
    const NAME: &'static str;
    /// What this release writes, from 1. A change of the fields is a new version, and the old one stays readable.
    const VERSION: u8;

    fn encode_fields(&self, encoder: &mut Encoder);

    /// `version` is between 1 and `VERSION`; an older one is migrated here.
    fn decode_fields(version: u8, decoder: &mut Decoder<'_>) -> Result<Self>;

    fn to_bytes(&self) -> Bytes {
        let mut encoder = Encoder::new();
        self.encode(&mut encoder);
        encoder.finish()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut decoder = Decoder::new(bytes);
        let record = Self::decode(&mut decoder)?;
        decoder.finish().context(format!("read {}", Self::NAME))?;
        Ok(record)
    }

    /// Version and fields, for a record inside another one.
    fn encode(&self, encoder: &mut Encoder) {
        encoder.u8(Self::VERSION);
        self.encode_fields(encoder);
    }

    fn decode(decoder: &mut Decoder<'_>) -> Result<Self> {
        let version = decoder.u8().context(format!("read {}", Self::NAME))?;
        if version == 0 || version > Self::VERSION {
            return Err(Error::corrupt(format!(
                "read {}: version {version} is not known to this release (1 to {} are)",
                Self::NAME,
                Self::VERSION
            )));
        }
        Self::decode_fields(version, decoder).context(format!("read {}", Self::NAME))
    }
}
