//! The examples of AWS's documentation, every split point, and bodies that lie.

use bytes::Bytes;

use super::signer::ChunkSigner;
use super::{ChunkedDecoder, ChunkedMode, Trailers};
use crate::s3_api::auth::SecretKey;
use crate::s3_api::auth::signature::SigningKey;
use crate::s3_api::error::{ErrorCode, S3Error};

const DATE_TIME: &str = "20130524T000000Z";
const SCOPE: &str = "20130524/us-east-1/s3/aws4_request";

fn signer(seed: &str) -> ChunkSigner {
    let secret = SecretKey::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    let key = SigningKey::derive(&secret, "20130524", "us-east-1", "s3");
    ChunkSigner::new(key, DATE_TIME.to_owned(), SCOPE.to_owned(), seed.to_owned())
}

fn unsigned(announced: &[&str]) -> ChunkedMode {
    ChunkedMode { signer: None, trailer: true, announced: announced.iter().map(|&name| name.to_owned()).collect() }
}

/// Feeds the body in the given pieces.
fn decode(mode: ChunkedMode, expected_bytes: u64, pieces: &[&[u8]]) -> Result<(Vec<u8>, Trailers), S3Error> {
    let mut decoder = ChunkedDecoder::new(mode, expected_bytes);
    let mut payload = Vec::new();
    for piece in pieces {
        let mut input = Bytes::copy_from_slice(piece);
        while let Some(out) = decoder.decode(&mut input)? {
            payload.extend_from_slice(&out);
        }
        assert!(input.is_empty());
    }
    Ok((payload, decoder.finish()?))
}

fn code(mode: ChunkedMode, expected_bytes: u64, body: &[u8]) -> &'static str {
    decode(mode, expected_bytes, &[body]).map_or_else(|error| error.code.as_str(), |_| "ok")
}

/// "Example: PUT object" of sigv4-streaming: 66,560 times `a` in two chunks.
fn signed_example() -> (ChunkedMode, Vec<u8>) {
    let seed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
    let mut body = Vec::new();
    body.extend(b"10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n");
    body.extend([b'a'; 65536]);
    body.extend(b"\r\n400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n");
    body.extend([b'a'; 1024]);
    body.extend(b"\r\n0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n");
    (ChunkedMode { signer: Some(signer(seed)), trailer: false, announced: vec![] }, body)
}

/// "Example: PUT object" of sigv4-streaming-trailers: the same payload with a signed CRC32C behind it.
fn signed_trailer_example(line_break: &str) -> (ChunkedMode, Vec<u8>) {
    let seed = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e";
    let mut body = Vec::new();
    body.extend(b"10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n");
    body.extend([b'a'; 65536]);
    body.extend(b"\r\n400;chunk-signature=1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n");
    body.extend([b'a'; 1024]);
    body.extend(b"\r\n0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n");
    body.extend(b"x-amz-checksum-crc32c:sOO8/Q==");
    body.extend(line_break.as_bytes());
    body.extend(b"x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n");
    let announced = vec!["x-amz-checksum-crc32c".to_owned()];
    (ChunkedMode { signer: Some(signer(seed)), trailer: true, announced }, body)
}

#[test]
fn signed_chunks_of_the_documentation() {
    let (mode, body) = signed_example();
    let (payload, _) = decode(mode, 66560, &[&body]).unwrap();
    assert_eq!(payload, vec![b'a'; 66560]);
}

#[test]
fn signed_trailers_of_the_documentation() {
    for line_break in ["\r\n", "\n", "\n\r\n"] {
        let (mode, body) = signed_trailer_example(line_break);
        let (payload, trailers) = decode(mode, 66560, &[&body]).unwrap();
        assert_eq!(payload.len(), 66560);
        assert_eq!(trailers.get("x-amz-checksum-crc32c"), Some("sOO8/Q=="));
    }
}

#[test]
fn any_changed_byte_of_a_signed_body_is_refused() {
    let (_, body) = signed_trailer_example("\r\n");
    // The line breaks at the very end carry nothing.
    let interesting = (0..100).chain(65_500..body.len() - 4);
    for at in interesting {
        let (mode, mut body) = signed_trailer_example("\r\n");
        body[at] ^= 1;
        let changed_case = body[at].eq_ignore_ascii_case(&(body[at] ^ 1));
        assert!(changed_case || decode(mode, 66560, &[&body]).is_err(), "byte {at}");
    }
}

#[test]
fn signed_chunks_cannot_be_cut_dropped_or_swapped() {
    let (mode, body) = signed_example();
    assert_eq!(code(mode, 66560, &body[..body.len() - 100]), "IncompleteBody");
    let (mode, body) = signed_example();
    let second = body.windows(4).position(|window| window == b"400;").unwrap();
    assert_eq!(code(mode, 1024, &body[second..]), "SignatureDoesNotMatch");
    let (mode, body) = signed_example();
    let without_signature = String::from_utf8(body).unwrap().replace("400;chunk-signature=", "400;x=");
    assert_eq!(code(mode, 66560, without_signature.as_bytes()), "InvalidRequest");
    let (mode, body) = signed_trailer_example("\r\n");
    let body = String::from_utf8(body).unwrap();
    let cut = body.find("x-amz-trailer-signature").unwrap();
    assert_eq!(code(mode, 66560, &body.as_bytes()[..cut]), "MalformedTrailerError");
}

#[test]
fn unsigned_body_at_every_split_point() {
    let mut body = Vec::from(&b"2000\r\n"[..]);
    body.extend((0..0x2000_u32).map(|n| n as u8));
    body.extend(b"\r\n5\r\nhello\r\n0\r\nX-Amz-Checksum-CRC32 : AAAAAA==\r\n\r\n");
    let mode = || unsigned(&["x-amz-checksum-crc32"]);
    let whole = decode(mode(), 0x2005, &[&body]).unwrap();
    assert_eq!(whole.1.get("x-amz-checksum-crc32"), Some("AAAAAA=="));
    assert!(whole.0.ends_with(b"hello"));
    for split in (0..20).chain(body.len() - 80..body.len()) {
        let (left, right) = body.split_at(split);
        assert_eq!(decode(mode(), 0x2005, &[left, right]).unwrap(), whole, "split at {split}");
    }
    let bytes: Vec<&[u8]> = body.chunks(1).collect();
    assert_eq!(decode(mode(), 0x2005, &bytes).unwrap(), whole);
}

#[test]
fn payload_is_passed_on_without_copying() {
    let mut input = Bytes::from_static(b"5\r\nhello\r\n0\r\n\r\n");
    let inside = input.as_ptr_range();
    let mut decoder = ChunkedDecoder::new(unsigned(&[]), 5);
    let payload = decoder.decode(&mut input).unwrap().unwrap();
    assert!(inside.contains(&payload.as_ptr()));
}

#[test]
fn empty_and_lenient_endings() {
    assert_eq!(code(unsigned(&[]), 0, b"0\r\n\r\n"), "ok");
    assert_eq!(code(unsigned(&[]), 0, b"0\r\n"), "ok");
    assert_eq!(code(unsigned(&[]), 5, b"5\nhello\n0\n\n"), "ok");
    assert_eq!(code(unsigned(&[]), 5, b"5;ext=1\r\nhello\r\n0\r\n\r\n\r\n"), "ok");
    assert_eq!(code(unsigned(&["x-a"]), 0, b"0\r\nx-a:1\r\n"), "ok");
}

#[test]
fn hostile_bodies() {
    let long_header = [b"5;".as_slice(), &[b'x'; 4000]].concat();
    let long_trailer = [b"0\r\nx-a:".as_slice(), &[b'x'; 4000]].concat();
    let cases: &[(&[u8], u64, &str)] = &[
        (b"", 0, "IncompleteBody"),
        (b"5\r\nhel", 5, "IncompleteBody"),
        (b"5\r\nhello\r\n", 5, "IncompleteBody"),
        (b"5\r\nhello\r\n0\r\n\r\n", 6, "IncompleteBody"),
        (b"5\r\nhello\r\n0\r\n\r\n", 4, "IncompleteBody"),
        (b"ffffffffffffffff\r\n", 5, "IncompleteBody"),
        (b"10000000000000000\r\n", 5, "InvalidRequest"),
        (b"-5\r\nhello", 5, "InvalidRequest"),
        (b"+5\r\nhello", 5, "InvalidRequest"),
        (b"\r\n", 5, "InvalidRequest"),
        (b"zz\r\n", 5, "InvalidRequest"),
        (b"\xff\r\n", 5, "InvalidRequest"),
        (b"5\r\nhelloX\r\n0\r\n\r\n", 5, "InvalidRequest"),
        (b"5\r\nhello0\r\n\r\n", 5, "InvalidRequest"),
        (b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", 5, "InvalidChunkSizeError"),
        (b"0\r\n\r\nmore", 0, "InvalidRequest"),
        (b"0\r\nnonsense\r\n\r\n", 0, "MalformedTrailerError"),
        (b"0\r\nx-unannounced:1\r\n\r\n", 0, "MalformedTrailerError"),
        (b"0\r\nx-a:1\r\nx-a:2\r\n\r\n", 0, "MalformedTrailerError"),
        (b"0\r\nx-a:1", 0, "IncompleteBody"),
        (b"0\r\n\xff\r\n\r\n", 0, "MalformedTrailerError"),
        (&long_header, 5, "InvalidRequest"),
        (&long_trailer, 0, "MalformedTrailerError"),
    ];
    for (body, expected_bytes, expected) in cases {
        let body_text = String::from_utf8_lossy(&body[..body.len().min(40)]);
        assert_eq!(code(unsigned(&["x-a"]), *expected_bytes, body), *expected, "{body_text:?}");
    }
}

#[test]
fn an_endless_header_is_refused_early() {
    let mut decoder = ChunkedDecoder::new(unsigned(&[]), 5);
    let refused_after = (0..10_000).position(|_| decoder.decode(&mut Bytes::from_static(b"1")).is_err());
    assert!(refused_after.is_some_and(|bytes| bytes <= super::LINE_BYTES_MAX));
    let mut decoder = ChunkedDecoder::new(unsigned(&[]), 0);
    let error = decoder.decode(&mut Bytes::from(vec![b'0'; 10_000])).unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidRequest);
}
