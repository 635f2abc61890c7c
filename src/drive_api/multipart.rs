//! Multipart bodies of two parts: a JSON document, then the bytes of a file, as a stream.
//! `multipart/related` of Google's clients and `multipart/form-data` of browsers (RFC 2046 §5.1). Python writes bare line feeds for line
//! ends, and Google takes them; so do we, but one body has only one kind.
//! Owns: the bounds on what comes before the file. What follows the file is not read.
//! Invariant: a file that does not end with its delimiter is an error, never a shorter file.

use bytes::{Buf, Bytes, BytesMut};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};

use crate::services::BoxError;

/// Of the document, with its headers.
const DOCUMENT_BYTES_MAX: usize = 64 << 10;
/// Of the headers of one part.
const HEADERS_BYTES_MAX: usize = 8 << 10;
const BOUNDARY_BYTES_MAX: usize = 70;

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MultipartError {
    #[error("the body does not begin with its boundary")]
    NoFirstBoundary,
    #[error("the body ends before its last boundary")]
    Incomplete,
    #[error("what comes before the file has more than {0} bytes")]
    TooLong(usize),
    #[error("the body has no second part with the file")]
    NoFile,
}

/// The document, and the file that follows.
pub struct Multipart {
    pub document: Bytes,
    pub file_type: Option<String>,
    pub file: BoxStream<'static, Result<Bytes, BoxError>>,
}

/// The boundary that a Content-Type names.
pub fn boundary(content_type: &str) -> Option<String> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().to_ascii_lowercase().starts_with("multipart/") {
        return None;
    }
    let value = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then_some(value.trim())
    })?;
    let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    (1..=BOUNDARY_BYTES_MAX).contains(&value.len()).then(|| value.to_owned())
}

/// Reads up to the file.
pub async fn read<S>(boundary: &str, body: S) -> Result<Multipart, BoxError>
where
    S: Stream<Item = Result<Bytes, BoxError>> + Send + 'static,
{
    let mut reader = Reader { body: body.boxed(), buffer: BytesMut::new(), delimiter: Vec::new(), ended: false };
    reader.first_boundary(boundary).await?;
    reader.headers().await?;
    let mut document = BytesMut::new();
    while let Some(piece) = reader.next_piece().await? {
        document.extend_from_slice(&piece);
        if document.len() > DOCUMENT_BYTES_MAX {
            return Err(MultipartError::TooLong(DOCUMENT_BYTES_MAX).into());
        }
    }
    reader.next_part().await?;
    let headers = reader.headers().await?;
    let file_type = headers.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-type").then(|| value.trim().to_owned())
    });
    let file = futures::stream::try_unfold(reader, |mut reader| async move {
        Ok(reader.next_piece().await?.map(|piece| (piece, reader)))
    });
    Ok(Multipart { document: document.freeze(), file_type, file: file.boxed() })
}

struct Reader {
    body: BoxStream<'static, Result<Bytes, BoxError>>,
    buffer: BytesMut,
    /// Line end, two hyphens, boundary; known after the first one.
    delimiter: Vec<u8>,
    /// The delimiter of the part that is read was found.
    ended: bool,
}

impl Reader {
    async fn first_boundary(&mut self, boundary: &str) -> Result<(), BoxError> {
        let dashes = [b"--", boundary.as_bytes()].concat();
        let line_end = loop {
            if let Some(at) = find(&self.buffer, b"\n") {
                break at;
            }
            self.fill(HEADERS_BYTES_MAX).await?;
        };
        let line = self.buffer.split_to(line_end + 1);
        let end: &[u8] = if line.ends_with(b"\r\n") { b"\r\n" } else { b"\n" };
        if line.trim_ascii_end() != dashes {
            return Err(MultipartError::NoFirstBoundary.into());
        }
        self.delimiter = [end, &dashes].concat();
        Ok(())
    }

    /// Up to the empty line, which may come at once.
    async fn headers(&mut self) -> Result<String, BoxError> {
        let line_end = self.line_end().to_vec();
        let empty_line = [&line_end[..], &line_end].concat();
        loop {
            if self.buffer.starts_with(&line_end) {
                self.buffer.advance(line_end.len());
                return Ok(String::new());
            }
            if let Some(at) = find(&self.buffer, &empty_line) {
                let headers = self.buffer.split_to(at + empty_line.len());
                return Ok(String::from_utf8_lossy(&headers[..at]).into_owned());
            }
            self.fill(HEADERS_BYTES_MAX).await?;
        }
    }

    /// Of the part's bytes; `None` at its delimiter.
    async fn next_piece(&mut self) -> Result<Option<Bytes>, BoxError> {
        loop {
            if self.ended {
                return Ok(None);
            }
            if let Some(at) = find(&self.buffer, &self.delimiter) {
                let piece = self.buffer.split_to(at).freeze();
                self.buffer.advance(self.delimiter.len());
                self.ended = true;
                return Ok(Some(piece).filter(|piece| !piece.is_empty()));
            }
            // The delimiter may have begun.
            let sure = (self.buffer.len() + 1).saturating_sub(self.delimiter.len());
            if sure > 0 {
                return Ok(Some(self.buffer.split_to(sure).freeze()));
            }
            self.fill(usize::MAX).await?;
        }
    }

    /// After a delimiter: two hyphens end the body, a line end begins the next part.
    async fn next_part(&mut self) -> Result<(), BoxError> {
        while self.buffer.len() < 2 {
            self.fill(HEADERS_BYTES_MAX).await?;
        }
        if self.buffer.starts_with(b"--") {
            return Err(MultipartError::NoFile.into());
        }
        loop {
            if let Some(at) = find(&self.buffer, b"\n") {
                self.buffer.advance(at + 1);
                self.ended = false;
                return Ok(());
            }
            self.fill(HEADERS_BYTES_MAX).await?;
        }
    }

    async fn fill(&mut self, buffered_max: usize) -> Result<(), BoxError> {
        if self.buffer.len() > buffered_max {
            return Err(MultipartError::TooLong(buffered_max).into());
        }
        let piece = self.body.next().await.ok_or(MultipartError::Incomplete)??;
        self.buffer.extend_from_slice(&piece);
        Ok(())
    }

    fn line_end(&self) -> &'static [u8] {
        if self.delimiter.starts_with(b"\r") { b"\r\n" } else { b"\n" }
    }
}

fn find(bytes: &[u8], sought: &[u8]) -> Option<usize> {
    let (first, rest) = sought.split_first()?;
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|byte| byte == first) {
        let at = from + at;
        if bytes[at + 1..].starts_with(rest) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

#[cfg(test)]
mod multipart_test;
