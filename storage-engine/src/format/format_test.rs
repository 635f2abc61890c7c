use bytes::Bytes;
use proptest::prelude::{Strategy, any, prop};
use proptest::{prop_assert, prop_assert_eq, proptest};

use super::{Decoder, Encoder, Record};
use crate::error::Result;

/// One of everything that the codec knows.
#[derive(Clone, PartialEq, Debug)]
struct Sample {
    byte: u8,
    flag: bool,
    short: u16,
    word: u32,
    long: u64,
    number: u64,
    blob: Vec<u8>,
    text: String,
    maybe: Option<u64>,
    list: Vec<String>,
}

impl Record for Sample {
    const NAME: &'static str = "sample";
    const VERSION: u8 = 3;

    fn encode_fields(&self, encoder: &mut Encoder) {
        encoder.u8(self.byte).bool(self.flag).u16(self.short).u32(self.word).u64(self.long).varint(self.number);
        encoder.bytes(&self.blob).str(&self.text);
        encoder.option(self.maybe, |encoder, value| {
            encoder.varint(value);
        });
        encoder.list(&self.list, |encoder, text| {
            encoder.str(text);
        });
    }

    fn decode_fields(_version: u8, decoder: &mut Decoder<'_>) -> Result<Self> {
        Ok(Self {
            byte: decoder.u8()?,
            flag: decoder.bool()?,
            short: decoder.u16()?,
            word: decoder.u32()?,
            long: decoder.u64()?,
            number: decoder.varint()?,
            blob: decoder.bytes()?.to_vec(),
            text: decoder.str()?.to_owned(),
            maybe: decoder.option(Decoder::varint)?,
            list: decoder.list(|decoder| Ok(decoder.str()?.to_owned()))?,
        })
    }
}

fn samples() -> impl Strategy<Value = Sample> {
    let numbers = (any::<u8>(), any::<bool>(), any::<u16>(), any::<u32>(), any::<u64>());
    let number = (any::<u64>(), 0..64_u32).prop_map(|(number, shift)| number >> shift);
    let rest = (
        prop::collection::vec(any::<u8>(), 0..300),
        "\\PC{0,40}",
        prop::option::of(any::<u64>()),
        prop::collection::vec("[a-z]{0,9}", 0..20),
    );
    (numbers, number, rest).prop_map(|((byte, flag, short, word, long), number, (blob, text, maybe, list))| Sample {
        byte,
        flag,
        short,
        word,
        long,
        number,
        blob,
        text,
        maybe,
        list,
    })
}

proptest! {
    #[test]
    fn what_was_written_is_read(sample in samples()) {
        prop_assert_eq!(Sample::from_bytes(&sample.to_bytes())?, sample);
    }

    #[test]
    fn a_cut_record_is_an_error(sample in samples(), cut in any::<prop::sample::Index>()) {
        let bytes = sample.to_bytes();
        prop_assert!(Sample::from_bytes(&bytes[..cut.index(bytes.len())]).is_err());
    }

    #[test]
    fn any_bytes_are_read_or_refused_and_what_is_read_has_one_form(mut bytes in prop::collection::vec(any::<u8>(), 1..200)) {
        bytes[0] = Sample::VERSION;
        if let Ok(sample) = Sample::from_bytes(&bytes) {
            prop_assert_eq!(sample.to_bytes(), Bytes::from(bytes));
        }
    }
}

#[test]
fn unknown_versions_are_refused_by_name() {
    let newer = Sample::from_bytes(&[4]).expect_err("version 4 of 3");
    assert_eq!(newer.to_string(), "read sample: version 4 is not known to this release (1 to 3 are)");
    assert!(Sample::from_bytes(&[0]).is_err());
}

#[test]
fn a_length_beyond_the_input_allocates_nothing() {
    let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    assert!(Decoder::new(&huge).bytes().is_err());
    assert!(Decoder::new(&huge).list(Decoder::u8).is_err());
}

#[test]
fn numbers_have_one_form() {
    assert!(Decoder::new(&[0x80, 0x00]).varint().is_err(), "overlong zero");
    assert!(Decoder::new(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02]).varint().is_err(), "65 bits");
    let mut encoder = Encoder::new();
    encoder.varint(u64::MAX);
    assert_eq!(Decoder::new(&encoder.finish()).varint().ok(), Some(u64::MAX));
}

#[test]
fn shared_bytes_point_into_the_input() {
    let mut encoder = Encoder::new();
    encoder.bytes(b"payload");
    let input = encoder.finish();
    let payload = Decoder::shared(&input).shared_bytes().expect("decodes");
    assert_eq!(payload.as_ptr(), input[1..].as_ptr());
}
