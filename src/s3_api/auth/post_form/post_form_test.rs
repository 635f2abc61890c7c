//! Forms in any pieces, and forms that are too much.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};

use super::{FormFile, PostForm, read, read_within};
use crate::s3_api::error::{ErrorCode, S3Error};

fn form(fields: &[(&str, &str)], file: &str) -> Vec<u8> {
    let mut body = String::new();
    for (name, value) in fields {
        body += &format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    }
    body += &format!(
        "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"C:\\a\\b c.txt\"\r\nContent-Type: text/plain\r\n\r\n{file}\r\n--XX--\r\n"
    );
    body.into_bytes()
}

async fn read_pieces(pieces: Vec<Bytes>) -> Result<(PostForm, FormFile), S3Error> {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("multipart/form-data; boundary=XX"));
    let body = futures::stream::iter(pieces.into_iter().map(Ok::<_, std::io::Error>));
    read(&headers, body).await
}

async fn content(mut file: FormFile) -> Result<Vec<u8>, S3Error> {
    let mut content = Vec::new();
    while let Some(chunk) = file.chunk().await? {
        content.extend_from_slice(&chunk);
    }
    Ok(content)
}

#[tokio::test]
async fn fields_then_file_in_any_pieces() {
    let body = form(
        &[("Key", "up/${filename}"), ("acl", "private"), ("x-amz-meta-a", "1"), ("x-amz-date", "2")],
        "hello\r\n--X\r\n",
    );
    for piece_bytes in [1, 7, 64, 100_000] {
        let pieces = body.chunks(piece_bytes).map(Bytes::copy_from_slice).collect();
        let (form, file) = read_pieces(pieces).await.unwrap();
        assert_eq!(form.key().unwrap(), "up/b c.txt");
        let headers = form.to_headers().unwrap();
        assert_eq!(
            (&headers["x-amz-acl"], &headers["x-amz-meta-a"], headers.len()),
            (&HeaderValue::from_static("private"), &HeaderValue::from_static("1"), 2)
        );
        assert_eq!(content(file).await.unwrap(), b"hello\r\n--X\r\n");
    }
}

#[tokio::test]
async fn large_files_pass() {
    let body = Bytes::from(form(&[("key", "k")], &"x".repeat(1 << 20)));
    let (_, file) = read_pieces(vec![body]).await.unwrap();
    assert_eq!(content(file).await.unwrap().len(), 1 << 20);
}

#[tokio::test]
async fn refused() {
    let code = async |body: Vec<u8>| read_pieces(vec![Bytes::from(body)]).await.err().map(|error| error.code);
    assert_eq!(code(form(&[("a", "1"), ("A", "2")], "")).await, Some(ErrorCode::InvalidArgument));
    assert_eq!(code(form(&[("a", &"x".repeat(100_000))], "")).await, Some(ErrorCode::MaxPostPreDataLengthExceeded));
    assert_eq!(code(b"--XX--\r\n".to_vec()).await, Some(ErrorCode::InvalidArgument));
    assert_eq!(code(b"nonsense".to_vec()).await, Some(ErrorCode::MalformedPOSTRequest));
    let endless_header = [b"--XX\r\nContent-Disposition: ".as_slice(), &[b'x'; 100_000]].concat();
    assert_eq!(code(endless_header).await, Some(ErrorCode::MaxPostPreDataLengthExceeded));
    let body = form(&[("key", "k")], "hello");
    let cut = Bytes::copy_from_slice(&body[..body.len() - 12]);
    let (_, file) = read_pieces(vec![cut]).await.unwrap();
    assert_eq!(content(file).await.unwrap_err().code, ErrorCode::IncompleteBody);
    assert!(PostForm::of(&[]).key().is_err());
    assert!(PostForm::of(&[("x-amz-meta-a", "b\nc")]).to_headers().is_err());
}

/// Whoever sends a form has proven nothing while its fields are read.
#[tokio::test]
async fn fields_that_never_come() {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("multipart/form-data; boundary=XX"));
    let drip = futures::stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        Some((Ok::<_, std::io::Error>(Bytes::from_static(b"-")), ()))
    });
    let read = read_within(Duration::from_millis(100), &headers, Box::pin(drip)).await;
    assert_eq!(read.err().map(|error| error.code), Some(ErrorCode::RequestTimeout));
}
