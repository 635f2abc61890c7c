//! Errors of the engine: what the caller may do about a failure, what was being done, and why it failed.
//! Owns: the six kinds. Cheap to clone, because one failed sync answers many callers.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorKind {
    /// There is no such thing on this drive.
    NotFound,
    /// No room left. Nothing happened; it works again once space is freed.
    Full,
    /// The drive does not do what it is asked. After a failed write or sync, when what is durable is unknown, nothing is
    /// written any more until a restart (`drive::Poison`).
    DriveFailed,
    /// Bytes on the drive are not what was written.
    Corrupt,
    /// The answer is on the drive, and the read was told not to wait for it.
    WouldBlock,
    /// A bug, or a use of the engine that is not allowed.
    Internal,
}

#[derive(Clone)]
pub struct Error {
    pub kind: ErrorKind,
    /// What was being done, as a verb: "append to log".
    pub context: String,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    pub fn new(kind: ErrorKind, context: impl Into<String>) -> Self {
        Self { kind, context: context.into(), source: None }
    }

    pub fn corrupt(context: impl Into<String>) -> Self {
        Self::new(ErrorKind::Corrupt, context)
    }

    pub fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// The kind follows from the error code: a full disk and a missing file are the world's, the rest is the drive's.
    pub fn io(context: impl Into<String>, source: io::Error) -> Self {
        let kind = match source.kind() {
            io::ErrorKind::NotFound => ErrorKind::NotFound,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::Full,
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => ErrorKind::Corrupt,
            _ => ErrorKind::DriveFailed,
        };
        Self::new(kind, context).with_source(source)
    }
}

/// Adds what was being done to an error on its way up.
pub trait Context<T> {
    fn context(self, verb: impl Into<String>) -> Result<T>;
}

impl<T> Context<T> for io::Result<T> {
    fn context(self, verb: impl Into<String>) -> Result<T> {
        self.map_err(|source| Error::io(verb, source))
    }
}

impl<T> Context<T> for Result<T> {
    fn context(self, verb: impl Into<String>) -> Result<T> {
        self.map_err(|source| Error::new(source.kind, verb).with_source(source))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.context)?;
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({self})", self.kind)
    }
}

/// No `source()`: `Display` already says the whole chain, and a reporter would say it twice.
impl StdError for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_and_the_kind_survive_context() {
        let full = Err::<(), _>(io::Error::from(io::ErrorKind::StorageFull)).context("allocate extent");
        let error = full.context("append chunk").expect_err("stays an error");
        assert_eq!(error.kind, ErrorKind::Full);
        assert_eq!(error.to_string(), "append chunk: allocate extent: no storage space");
    }
}
