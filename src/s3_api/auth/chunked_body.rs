//! aws-chunked bodies: `size[;chunk-signature=…]\r\n payload \r\n … 0[;…]\r\n trailers \r\n`.
//! Amazon S3 API Reference, "Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks"
//! and "… Including Trailing Headers". Owns: the framing, chunk signatures, trailer signatures.
//! Invariant: memory is a line and the announced trailers at most, whatever the client sends; payload is passed on as slices of what arrived.

pub mod signer;

use bytes::{Buf, Bytes};

use crate::s3_api::error::{ErrorCode, Result, S3Error};
use signer::{ChunkHasher, ChunkSigner};

/// Every chunk but the last.
const CHUNK_BYTES_MIN: u64 = 8 * 1024;
/// `size;chunk-signature=<64>` is 90 bytes; trailers are a name and a base64 value.
const LINE_BYTES_MAX: usize = 1024;

#[derive(Debug)]
pub struct ChunkedMode {
    pub signer: Option<ChunkSigner>,
    pub trailer: bool,
    /// The names that may come as trailers, lower case.
    pub announced: Vec<String>,
}

/// Headers that came behind the body, names in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trailers(Vec<(String, String)>);

impl Trailers {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }
}

#[derive(Debug)]
pub struct ChunkedDecoder {
    mode: ChunkedMode,
    expected_bytes: u64,
    seen_bytes: u64,
    last_chunk_bytes: Option<u64>,
    state: State,
    /// The beginning of a line whose end has yet to arrive.
    line: Vec<u8>,
    trailers: Vec<(String, String)>,
    trailer_signature: Option<String>,
}

#[derive(Debug)]
enum State {
    ChunkHeader,
    Payload { left_bytes: u64, signed: Option<(ChunkHasher, String)> },
    ChunkEnd,
    TrailerLine,
    Done,
}

impl ChunkedDecoder {
    pub fn new(mode: ChunkedMode, expected_bytes: u64) -> Self {
        Self {
            mode,
            expected_bytes,
            seen_bytes: 0,
            last_chunk_bytes: None,
            state: State::ChunkHeader,
            line: Vec::new(),
            trailers: Vec::new(),
            trailer_signature: None,
        }
    }

    pub fn decode(&mut self, input: &mut Bytes) -> Result<Option<Bytes>> {
        while input.has_remaining() {
            match &mut self.state {
                State::Payload { left_bytes, signed } => {
                    let take = usize::try_from(*left_bytes).unwrap_or(usize::MAX).min(input.len());
                    let piece = input.split_to(take);
                    *left_bytes -= piece.len() as u64;
                    if let Some((hasher, _)) = signed {
                        hasher.update(&piece);
                    }
                    if *left_bytes == 0 {
                        self.end_of_payload()?;
                    }
                    return Ok(Some(piece));
                }
                State::ChunkHeader => {
                    if let Some(line) = self.read_line(input)? {
                        self.chunk_header(&line)?;
                    }
                }
                State::ChunkEnd => {
                    if let Some(line) = self.read_line(input)? {
                        if !line.is_empty() {
                            return Err(malformed("The payload of a chunk is longer than its header says."));
                        }
                        self.state = State::ChunkHeader;
                    }
                }
                State::TrailerLine => {
                    if let Some(line) = self.read_line(input)? {
                        self.trailer_line(&line)?;
                    }
                }
                State::Done => {
                    // Some clients end with one line break too many.
                    if input.iter().any(|byte| !matches!(byte, b'\r' | b'\n')) {
                        return Err(malformed("There is data behind the last chunk."));
                    }
                    input.clear();
                }
            }
        }
        Ok(None)
    }

    pub fn finish(mut self) -> Result<Trailers> {
        // The empty line at the very end carries nothing: some clients leave it out.
        let at_line_start = matches!(self.state, State::TrailerLine) && self.line.is_empty();
        if !(at_line_start || matches!(self.state, State::Done)) || self.seen_bytes != self.expected_bytes {
            return Err(ErrorCode::IncompleteBody.into());
        }
        if let (Some(signer), true) = (&mut self.mode.signer, self.mode.trailer) {
            let Some(signature) = &self.trailer_signature else { return Err(ErrorCode::MalformedTrailerError.into()) };
            signer.verify_trailers(&self.trailers, signature)?;
        }
        Ok(Trailers(self.trailers))
    }

    fn chunk_header(&mut self, line: &str) -> Result<()> {
        let (size, extension) = line.split_once(';').unwrap_or((line, ""));
        let size = size.trim_matches(' ');
        let digits = (1..=16).contains(&size.len()) && size.bytes().all(|byte| byte.is_ascii_hexdigit());
        let chunk_bytes = match u64::from_str_radix(size, 16) {
            Ok(bytes) if digits => bytes,
            _ => return Err(malformed("The size of a chunk is not a number.")),
        };
        // Known only now that another chunk follows.
        if chunk_bytes > 0 && self.last_chunk_bytes.is_some_and(|bytes| bytes < CHUNK_BYTES_MIN) {
            return Err(S3Error::new(ErrorCode::InvalidChunkSizeError)
                .field("BadChunkSize", self.last_chunk_bytes.unwrap_or_default().to_string()));
        }
        if chunk_bytes > self.expected_bytes - self.seen_bytes {
            return Err(ErrorCode::IncompleteBody.into());
        }
        self.seen_bytes += chunk_bytes;
        self.last_chunk_bytes = Some(chunk_bytes);
        let signed = match &self.mode.signer {
            None => None,
            Some(_) => {
                let signature = extension.strip_prefix("chunk-signature=");
                let signature = signature.ok_or_else(|| malformed("A chunk has no signature."))?;
                Some((ChunkHasher::default(), signature.to_owned()))
            }
        };
        self.state = State::Payload { left_bytes: chunk_bytes, signed };
        if chunk_bytes == 0 {
            self.end_of_payload()?;
        }
        Ok(())
    }

    /// All bytes of a chunk are here; the empty one is the last.
    fn end_of_payload(&mut self) -> Result<()> {
        let is_last = self.last_chunk_bytes == Some(0);
        let next = if is_last { State::TrailerLine } else { State::ChunkEnd };
        let finished = std::mem::replace(&mut self.state, next);
        if let (State::Payload { signed: Some((hasher, signature)), .. }, Some(signer)) =
            (finished, &mut self.mode.signer)
        {
            signer.verify_chunk(hasher, &signature)?;
        }
        Ok(())
    }

    fn trailer_line(&mut self, line: &str) -> Result<()> {
        if line.is_empty() {
            // AWS's documentation sets the signature off with an empty line of its own.
            let signature_to_come = self.mode.signer.is_some()
                && self.mode.trailer
                && self.trailer_signature.is_none()
                && !self.trailers.is_empty();
            if !signature_to_come {
                self.state = State::Done;
            }
            return Ok(());
        }
        let (name, value) = line.split_once(':').ok_or(ErrorCode::MalformedTrailerError)?;
        let blank = [' ', '\t'];
        let (name, value) = (name.trim_matches(blank).to_ascii_lowercase(), value.trim_matches(blank).to_owned());
        let repeated = self.trailers.iter().any(|(have, _)| *have == name);
        if name == "x-amz-trailer-signature" && self.trailer_signature.is_none() {
            self.trailer_signature = Some(value);
        } else if self.mode.trailer && self.mode.announced.contains(&name) && !repeated {
            self.trailers.push((name, value));
        } else {
            return Err(ErrorCode::MalformedTrailerError.into());
        }
        Ok(())
    }

    /// The next line without its line break. `None`: the rest of it has yet to arrive.
    fn read_line(&mut self, input: &mut Bytes) -> Result<Option<String>> {
        let end = input.iter().take(LINE_BYTES_MAX).position(|&byte| byte == b'\n');
        let take = end.map_or(input.len(), |end| end + 1);
        if self.line.len() + take > LINE_BYTES_MAX {
            return Err(self.unreadable("A chunk header is too long."));
        }
        self.line.extend_from_slice(&input.split_to(take));
        if end.is_none() {
            return Ok(None);
        }
        let line = String::from_utf8(std::mem::take(&mut self.line));
        let line = line.map_err(|_| self.unreadable("A chunk header is not text."))?;
        let line = line.strip_suffix('\n').unwrap_or(&line);
        Ok(Some(line.strip_suffix('\r').unwrap_or(line).to_owned()))
    }

    fn unreadable(&self, message: &'static str) -> S3Error {
        match self.state {
            State::TrailerLine => ErrorCode::MalformedTrailerError.into(),
            _ => malformed(message),
        }
    }
}

fn malformed(message: &'static str) -> S3Error {
    S3Error::invalid_request(message)
}

#[cfg(test)]
#[path = "chunked_body/chunked_body_test.rs"]
mod tests;
