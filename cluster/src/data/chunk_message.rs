//! Chunk message: the bytes of the calls that carry chunks between nodes (docs/replication.md).
//! Owns: their form, and the checksum that ties an answer to its question.
//! Invariant: payload that comes out of here is what went in on the other node, under the same id.

use std::ops::Range;

use bytes::{Buf, Bytes};
use onggi_storage_engine::format::{Decoder, Encoder};

use super::blob_layout::BlobLayout;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{BlobId, ChunkId};
use crate::peer::Payload;

/// What this release writes and understands. A node of a newer release writes this too, until all nodes know the next one.
const VERSION: u8 = 1;
/// End of a read that takes all there is.
const TO_THE_END: u32 = u32::MAX;

/// A piece of a chunk that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChunkPiece {
    pub chunk: ChunkId,
    pub start: u32,
    /// `None` is the end of the chunk, wherever that is.
    pub end: Option<u32>,
}

impl ChunkPiece {
    pub fn of_range(chunk: ChunkId, range: Range<u32>) -> Self {
        Self { chunk, start: range.start, end: Some(range.end) }
    }

    pub fn whole(chunk: ChunkId) -> Self {
        Self { chunk, start: 0, end: None }
    }

    fn checksum(&self, bytes: &[Bytes]) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(self.chunk.as_bytes());
        hasher.update(&self.start.to_be_bytes());
        bytes.iter().for_each(|piece| hasher.update(piece));
        hasher.finalize()
    }
}

/// Of a whole chunk: computed once, sent to every replica.
pub fn chunk_checksum(chunk: ChunkId, payload: &[Bytes]) -> u32 {
    ChunkPiece::whole(chunk).checksum(payload)
}

pub fn append_request(chunk: ChunkId, checksum: u32, payload: &[Bytes]) -> Payload {
    let mut head = Encoder::with_capacity(31);
    head.u8(VERSION).raw(chunk.as_bytes()).u32(checksum);
    let mut request = Vec::with_capacity(1 + payload.len());
    request.push(head.finish());
    request.extend_from_slice(payload);
    request
}

pub fn read_append_request(message: Bytes) -> Result<(ChunkId, Bytes)> {
    let mut decoder = versioned(&message)?;
    let chunk = ChunkId::from_bytes(decoder.array()?);
    let checksum = decoder.u32()?;
    let payload = rest(&message, &decoder);
    verify(checksum, chunk_checksum(chunk, std::slice::from_ref(&payload)), || format!("append of {chunk:?}"))?;
    Ok((chunk, payload))
}

pub fn sync_request(layout: &BlobLayout) -> Payload {
    let mut request = Encoder::with_capacity(35);
    request.u8(VERSION).raw(layout.blob.as_bytes()).u32(layout.chunk_bytes).u64(layout.bytes);
    vec![request.finish()]
}

pub fn read_sync_request(message: &Bytes) -> Result<BlobLayout> {
    let mut decoder = versioned(message)?;
    let blob = BlobId::from_bytes(decoder.array()?);
    let (chunk_bytes, bytes) = (decoder.u32()?, decoder.u64()?);
    decoder.finish()?;
    BlobLayout { blob, bytes, chunk_bytes }.check()
}

pub fn read_request(piece: &ChunkPiece) -> Payload {
    let mut request = Encoder::with_capacity(35);
    request.u8(VERSION).raw(piece.chunk.as_bytes()).u32(piece.start).u32(piece.end.unwrap_or(TO_THE_END));
    vec![request.finish()]
}

pub fn read_read_request(message: &Bytes) -> Result<ChunkPiece> {
    let mut decoder = versioned(message)?;
    let chunk = ChunkId::from_bytes(decoder.array()?);
    let (start, end) = (decoder.u32()?, decoder.u32()?);
    decoder.finish()?;
    Ok(ChunkPiece { chunk, start, end: (end != TO_THE_END).then_some(end) })
}

pub fn read_answer(piece: &ChunkPiece, bytes: Bytes) -> Payload {
    let checksum = piece.checksum(std::slice::from_ref(&bytes));
    answer(checksum, bytes)
}

/// The bytes of the piece: of the asked length, and verified.
pub fn read_read_answer(piece: &ChunkPiece, message: &Bytes) -> Result<Bytes> {
    let (checksum, bytes) = read_answer_parts(message)?;
    verify(checksum, piece.checksum(std::slice::from_ref(&bytes)), || format!("read of {:?}", piece.chunk))?;
    match piece.end {
        Some(end) if bytes.len() as u64 != u64::from(end.saturating_sub(piece.start)) => {
            let context = format!("read of {:?}: {} bytes came for {}..{end}", piece.chunk, bytes.len(), piece.start);
            Err(Error::new(ErrorKind::Corrupt, context))
        }
        _ => Ok(bytes),
    }
}

pub fn inline_request(blob: BlobId) -> Payload {
    let mut request = Encoder::with_capacity(23);
    request.u8(VERSION).raw(blob.as_bytes());
    vec![request.finish()]
}

pub fn read_inline_request(message: &Bytes) -> Result<BlobId> {
    let mut decoder = versioned(message)?;
    let blob = BlobId::from_bytes(decoder.array()?);
    decoder.finish()?;
    Ok(blob)
}

pub fn inline_answer(blob: BlobId, bytes: Bytes) -> Payload {
    let checksum = inline_checksum(blob, &bytes);
    answer(checksum, bytes)
}

pub fn read_inline_answer(blob: BlobId, message: &Bytes) -> Result<Bytes> {
    let (checksum, bytes) = read_answer_parts(message)?;
    verify(checksum, inline_checksum(blob, &bytes), || format!("inline payload {blob:?}"))?;
    Ok(bytes)
}

fn inline_checksum(blob: BlobId, bytes: &Bytes) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(blob.as_bytes());
    hasher.update(bytes);
    hasher.finalize()
}

fn answer(checksum: u32, bytes: Bytes) -> Payload {
    let mut head = Encoder::with_capacity(5);
    head.u8(VERSION).u32(checksum);
    vec![head.finish(), bytes]
}

fn read_answer_parts(message: &Bytes) -> Result<(u32, Bytes)> {
    let mut decoder = versioned(message)?;
    let checksum = decoder.u32()?;
    Ok((checksum, rest(message, &decoder)))
}

fn versioned(message: &Bytes) -> Result<Decoder<'_>> {
    let mut decoder = Decoder::new(message);
    match decoder.u8()? {
        VERSION => Ok(decoder),
        other => Err(Error::new(ErrorKind::Conflict, format!("a chunk message of version {other} is not known here"))),
    }
}

/// What the decoder has not read, without a copy.
fn rest(message: &Bytes, decoder: &Decoder<'_>) -> Bytes {
    let mut rest = message.clone();
    rest.advance(message.len() - decoder.remaining());
    rest
}

fn verify(sent: u32, computed: u32, what: impl FnOnce() -> String) -> Result<()> {
    if sent == computed {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Corrupt, format!("{}: the bytes changed on their way", what())))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::id::OwnerKey;
    use crate::peer::concatenate;

    fn blob() -> BlobId {
        BlobId::new(OwnerKey(0x1122), 0x3344, 0x5566)
    }

    fn check(message: &Payload, expected: Expect) {
        let hex: String = concatenate(message.clone()).iter().map(|byte| format!("{byte:02x}")).collect();
        expected.assert_eq(&hex);
    }

    /// Two releases talk to each other in these bytes.
    #[test]
    fn the_bytes_of_every_message() {
        let bytes = Bytes::from_static(b"chunk");
        let chunk = blob().chunk(7);
        let checksum = chunk_checksum(chunk, std::slice::from_ref(&bytes));
        check(
            &append_request(chunk, checksum, std::slice::from_ref(&bytes)),
            expect!["01000000000000112200000000334400000000000055660000000742875ace6368756e6b"],
        );
        check(
            &sync_request(&BlobLayout { blob: blob(), bytes: 25, chunk_bytes: 10 }),
            expect!["01000000000000112200000000334400000000000055660000000a0000000000000019"],
        );
        check(
            &read_request(&ChunkPiece::of_range(chunk, 3..8)),
            expect!["0100000000000011220000000033440000000000005566000000070000000300000008"],
        );
        check(
            &read_request(&ChunkPiece::whole(chunk)),
            expect!["01000000000000112200000000334400000000000055660000000700000000ffffffff"],
        );
        check(&read_answer(&ChunkPiece::of_range(chunk, 3..8), bytes.clone()), expect!["01c41328606368756e6b"]);
        check(&inline_request(blob()), expect!["0100000000000011220000000033440000000000005566"]);
        check(&inline_answer(blob(), bytes), expect!["0167ddfa606368756e6b"]);
    }

    #[test]
    fn what_was_sent_comes_back() {
        let (chunk, pieces) = (blob().chunk(7), [Bytes::from_static(b"chu"), Bytes::from_static(b"nk")]);
        let request = concatenate(append_request(chunk, chunk_checksum(chunk, &pieces), &pieces));
        assert_eq!(read_append_request(request).expect("reads"), (chunk, Bytes::from_static(b"chunk")));
        let layout = BlobLayout { blob: blob(), bytes: 25, chunk_bytes: 10 };
        assert_eq!(read_sync_request(&concatenate(sync_request(&layout))).expect("reads"), layout);
        for piece in [ChunkPiece::of_range(chunk, 3..8), ChunkPiece::whole(chunk)] {
            assert_eq!(read_read_request(&concatenate(read_request(&piece))).expect("reads"), piece);
            let answer = concatenate(read_answer(&piece, Bytes::from_static(b"chunk")));
            assert_eq!(read_read_answer(&piece, &answer).expect("reads"), "chunk");
        }
        assert_eq!(read_inline_request(&concatenate(inline_request(blob()))).expect("reads"), blob());
        let answer = concatenate(inline_answer(blob(), Bytes::from_static(b"small")));
        assert_eq!(read_inline_answer(blob(), &answer).expect("reads"), "small");
    }

    #[test]
    fn a_changed_byte_or_an_answer_to_another_question_is_corrupt() {
        let (chunk, bytes) = (blob().chunk(7), Bytes::from_static(b"chunk"));
        let checksum = chunk_checksum(chunk, std::slice::from_ref(&bytes));
        let request = concatenate(append_request(chunk, checksum, std::slice::from_ref(&bytes)));
        for at in 1..request.len() {
            let mut changed = request.to_vec();
            changed[at] ^= 1;
            let error = read_append_request(changed.into()).expect_err("is refused");
            assert_eq!(error.kind(), ErrorKind::Corrupt, "byte {at}");
        }
        let asked = ChunkPiece::of_range(chunk, 3..8);
        let answer = concatenate(read_answer(&asked, bytes));
        assert!(read_read_answer(&asked, &answer).is_ok());
        for other in [
            ChunkPiece::of_range(blob().chunk(8), 3..8),
            ChunkPiece::of_range(chunk, 4..9),
            ChunkPiece::of_range(chunk, 3..9),
        ] {
            let error = read_read_answer(&other, &answer).expect_err("is refused");
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{other:?}");
        }
        assert!(read_inline_answer(blob(), &answer).is_err());
    }

    #[test]
    fn a_message_of_a_newer_release_is_refused_and_garbage_does_no_harm() {
        let error = read_sync_request(&Bytes::from_static(&[2, 0, 0])).expect_err("is refused");
        assert_eq!(error.kind(), ErrorKind::Conflict);
        for bytes in 0..40 {
            let message = Bytes::from(vec![1; bytes]);
            let _ = (read_append_request(message.clone()), read_sync_request(&message), read_read_request(&message));
            assert!(read_inline_request(&message).is_ok() == (bytes == 23));
        }
    }
}
