//! Error of the cluster crate: what a caller should do about it, and the chain of causes.
//! Owns: the kinds that services may see, and how the storage engine's kinds map onto them.

use std::error::Error as StdError;
use std::fmt;

use onggi_storage_engine::error as engine;

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// What was asked for is not there.
    NotFound,
    /// It clashes with what is there; the caller changes the request.
    Conflict,
    /// Another node leads the group. Did not happen.
    NotLeader,
    /// Did not happen: try again.
    Unavailable,
    /// Did not happen: slow down, then try again.
    Overloaded,
    /// May have happened: retry only with the same request id.
    OutcomeUnknown,
    /// The drive is full. Did not happen.
    Full,
    /// No good copy is left: a human must look.
    Corrupt,
    /// Our bug, or a failed drive: a human must look.
    Internal,
}

#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    context: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    pub fn new(kind: ErrorKind, context: impl Into<String>) -> Self {
        Self { kind, context: context.into(), source: None }
    }

    pub fn caused_by(
        kind: ErrorKind,
        context: impl Into<String>,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self { kind, context: context.into(), source: Some(source.into()) }
    }

    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl From<engine::Error> for Error {
    fn from(source: engine::Error) -> Self {
        let kind = match source.kind {
            engine::ErrorKind::NotFound => ErrorKind::NotFound,
            engine::ErrorKind::Full => ErrorKind::Full,
            engine::ErrorKind::Corrupt => ErrorKind::Corrupt,
            // No read that may be told so passes it on (`metadata::view::InMemoryView`).
            engine::ErrorKind::WouldBlock => ErrorKind::Internal,
            engine::ErrorKind::DriveFailed | engine::ErrorKind::Internal => ErrorKind::Internal,
        };
        Self { kind, context: "storage engine".to_owned(), source: Some(Box::new(source)) }
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

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
