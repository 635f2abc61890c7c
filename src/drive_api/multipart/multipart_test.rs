use proptest::prelude::*;

use super::*;

/// The parts of a body that comes in pieces of `piece_bytes`.
fn parts(body: &[u8], piece_bytes: usize) -> Result<(String, Option<String>, Vec<u8>), String> {
    let pieces: Vec<Result<Bytes, BoxError>> =
        body.chunks(piece_bytes).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let read = read("b7", futures::stream::iter(pieces)).await.map_err(|error| error.to_string())?;
        let mut file = Vec::new();
        let mut stream = read.file;
        while let Some(piece) = stream.next().await {
            file.extend_from_slice(&piece.map_err(|error| error.to_string())?);
        }
        Ok((String::from_utf8_lossy(&read.document).into_owned(), read.file_type, file))
    })
}

const CRLF: &[u8] =
    b"--b7\r\nContent-Type: application/json\r\n\r\n{\"path\":\"/a\"}\r\n--b7\r\nContent-Type: text/plain\r\n\r\nline\r\n--b no\r\n\r\n--b7--\r\n";
/// As google-api-python-client writes it.
const LF: &[u8] = b"--b7\nContent-Type: application/json\nMIME-Version: 1.0\n\n{\"path\":\"/a\"}\n--b7\nContent-Type: text/plain\nMIME-Version: 1.0\nContent-Transfer-Encoding: binary\n\nline\r\n--b no\r\n\n--b7--";

#[test]
fn both_line_ends_in_pieces_of_any_size() {
    let expected = ("{\"path\":\"/a\"}".to_owned(), Some("text/plain".to_owned()), b"line\r\n--b no\r\n".to_vec());
    for body in [CRLF, LF] {
        for piece_bytes in 1..=body.len() {
            assert_eq!(parts(body, piece_bytes).unwrap(), expected, "pieces of {piece_bytes}");
        }
    }
}

#[test]
fn a_part_may_have_no_headers_and_a_file_no_bytes() {
    let body = b"--b7\r\n\r\n{}\r\n--b7\r\n\r\n\r\n--b7--";
    assert_eq!(parts(body, 5).unwrap(), ("{}".to_owned(), None, Vec::new()));
}

#[test]
fn what_is_cut_off_is_no_file() {
    for end in 0..CRLF.len() - 4 {
        assert!(parts(&CRLF[..end], 7).is_err(), "cut at {end}");
    }
}

#[test]
fn what_is_refused() {
    assert_eq!(parts(b"--b8\r\n\r\n", 3).unwrap_err(), MultipartError::NoFirstBoundary.to_string());
    assert_eq!(parts(b"--b7\r\n\r\n{}\r\n--b7--", 3).unwrap_err(), MultipartError::NoFile.to_string());
    let long = [b"--b7\r\n\r\n", &vec![b' '; DOCUMENT_BYTES_MAX + 1][..], b"\r\n--b7\r\n\r\n\r\n--b7--"].concat();
    assert_eq!(parts(&long, 1000).unwrap_err(), MultipartError::TooLong(DOCUMENT_BYTES_MAX).to_string());
    let headers = [b"--b7\r\nA: ", &vec![b' '; 2 * HEADERS_BYTES_MAX][..]].concat();
    assert_eq!(parts(&headers, 1000).unwrap_err(), MultipartError::TooLong(HEADERS_BYTES_MAX).to_string());
}

#[test]
fn boundaries() {
    assert_eq!(boundary("multipart/related; boundary=b7").as_deref(), Some("b7"));
    assert_eq!(boundary("Multipart/Form-Data; charset=utf-8; Boundary=\"a b\"").as_deref(), Some("a b"));
    assert_eq!(boundary("multipart/related"), None);
    assert_eq!(boundary("application/json; boundary=b7"), None);
    assert_eq!(boundary("multipart/related; boundary="), None);
}

proptest! {
    #[test]
    fn any_file_comes_back(file in prop::collection::vec(prop::sample::select(b"\r\n-b7x".to_vec()), 0..200), piece_bytes in 1..50usize) {
        prop_assume!(find(&[b"\r\n", &file[..]].concat(), b"\r\n--b7").is_none());
        let body = [&b"--b7\r\n\r\n{}\r\n--b7\r\n\r\n"[..], &file, b"\r\n--b7--"].concat();
        prop_assert_eq!(parts(&body, piece_bytes).unwrap().2, file);
    }
}
