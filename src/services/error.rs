//! Error: what a front end may see, and the cause it maps to its own protocol.
//! Owns: the causes, and which kind each one is.
//! Does not own: codes and texts on the wire (each API's own error module).

use onggi_cluster::metadata::outcome::{Outcome, Refusal};
use onggi_cluster::metadata::record::{ChecksumAlgorithm, VersionRecord};

use super::drive::name::NameRule;

pub type Result<T, E = Error> = std::result::Result<T, E>;
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What the caller should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    NotFound,
    AlreadyExists,
    /// It clashes with what is there.
    Conflict,
    Invalid,
    Denied,
    QuotaExceeded,
    /// The drive is full: an operator adds room.
    Full,
    /// Did not happen: try again.
    Unavailable,
    /// Did not happen: slow down.
    Overloaded,
    /// May have happened.
    OutcomeUnknown,
    /// No good copy is left.
    Corrupt,
    /// Our bug.
    Internal,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("refused: {0:?}")]
    Refused(Refusal),
    #[error("access denied")]
    AccessDenied,
    #[error("unknown access key")]
    UnknownAccessKey,
    #[error("the access key or its user is disabled")]
    Disabled,
    /// The version asked for is a delete marker: the latest one, or the one `named` by the caller.
    #[error("the version is a delete marker")]
    DeleteMarker { marker: Box<VersionRecord>, named: bool },
    #[error("bucket name is not valid: {0}")]
    InvalidBucketName(&'static str),
    #[error("the key is empty")]
    KeyEmpty,
    #[error("the key has more than 1,024 bytes")]
    KeyTooLong,
    #[error("the body has {received} bytes instead of {expected}")]
    BodyIncomplete { expected: u64, received: u64 },
    #[error("the body does not match its {0:?}")]
    DigestMismatch(Digest),
    /// The front end's own decoder failed; it gets its error back.
    #[error("request body: {0}")]
    Body(#[source] BoxError),
    #[error("the body could not be hashed: a thread panicked")]
    Hashing,
    #[error("the name is not allowed: {0}")]
    Name(#[from] NameRule),
    /// Too much happened since the cursor was given out, or it is of another tree.
    #[error("the cursor cannot be used any more")]
    CursorReset,
    /// The version was replaced while it was being opened; resolve it again.
    #[error("the version is gone since it was resolved")]
    Vanished,
    #[error("the content hash of a file is being computed: ask again")]
    HashPending,
    #[error("secret of an access key: {0}")]
    Secret(#[source] BoxError),
    #[error(transparent)]
    Cluster(#[from] onggi_cluster::Error),
    #[error("unexpected outcome: {0:?}")]
    UnexpectedOutcome(Box<Outcome>),
}

/// Which of the digests that the client sent is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digest {
    ContentMd5,
    /// Of the drive: see `drive::content_hash`.
    ContentHash,
    Checksum(ChecksumAlgorithm),
}

impl Error {
    pub(super) fn unexpected(outcome: Outcome) -> Self {
        Self::UnexpectedOutcome(Box::new(outcome))
    }

    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Refused(refusal) => kind_of_refusal(refusal),
            Self::AccessDenied | Self::UnknownAccessKey | Self::Disabled => ErrorKind::Denied,
            Self::DeleteMarker { .. } => ErrorKind::NotFound,
            Self::InvalidBucketName(_)
            | Self::KeyEmpty
            | Self::KeyTooLong
            | Self::BodyIncomplete { .. }
            | Self::DigestMismatch(_)
            | Self::Name(_)
            | Self::Body(_) => ErrorKind::Invalid,
            Self::CursorReset => ErrorKind::Conflict,
            Self::Vanished => ErrorKind::Unavailable,
            Self::HashPending => ErrorKind::Overloaded,
            Self::Hashing | Self::Secret(_) | Self::UnexpectedOutcome(_) => ErrorKind::Internal,
            Self::Cluster(error) => kind_of_cluster(error.kind()),
        }
    }
}

fn kind_of_refusal(refusal: &Refusal) -> ErrorKind {
    match refusal {
        Refusal::NoSuchUser
        | Refusal::NoSuchAccessKey
        | Refusal::NoSuchBucket
        | Refusal::NoSuchKey
        | Refusal::NoSuchVersion
        | Refusal::DeleteMarker
        | Refusal::NoSuchUpload
        | Refusal::NoSuchToken
        | Refusal::NoSuchNode
        | Refusal::NoSuchGroup
        | Refusal::NoSuchEntry
        | Refusal::NoSuchRevision
        | Refusal::NoSuchTrashItem
        | Refusal::NoSuchSession
        | Refusal::NoSuchLink
        | Refusal::NoSuchGrant
        | Refusal::NoSuchDevice => ErrorKind::NotFound,
        Refusal::AlreadyInitialized
        | Refusal::UserExists
        | Refusal::AccessKeyExists
        | Refusal::BucketNameTaken
        | Refusal::BucketOwnedByYou
        | Refusal::FounderKnown
        | Refusal::AuthorityExists
        | Refusal::TokenExists
        | Refusal::EntryExists { .. }
        | Refusal::GrantExists => ErrorKind::AlreadyExists,
        Refusal::RootUser
        | Refusal::UserOwnsBuckets
        | Refusal::CopySourceGone
        | Refusal::StaleReservation
        | Refusal::StalePartitionMap
        | Refusal::BucketNotEmpty
        | Refusal::PreconditionFailed
        | Refusal::TokenExpired
        | Refusal::TokenUsed { .. }
        | Refusal::DriveKnown { .. }
        | Refusal::NodeRemoved
        | Refusal::NodeHoldsGroups { .. }
        | Refusal::TooFewNodes { .. }
        | Refusal::StaleGroup
        | Refusal::SplitUnderWay { .. }
        | Refusal::StaleSplit
        | Refusal::WrongBucketKind
        | Refusal::NotAFolder
        | Refusal::NotAFile
        | Refusal::StaleRevision { .. }
        | Refusal::IntoItself
        | Refusal::ParentGone
        | Refusal::TooFarBack { .. }
        | Refusal::IncorrectOffset { .. }
        | Refusal::SessionClosed
        | Refusal::SessionNotClosed
        | Refusal::SessionIncomplete { .. }
        | Refusal::LinkExpired
        | Refusal::GrantExpired
        | Refusal::TooManyGrants { .. }
        | Refusal::PasswordChanged => ErrorKind::Conflict,
        Refusal::DeviceHeld => ErrorKind::Denied,
        Refusal::InvalidPart { .. }
        | Refusal::InvalidPartOrder
        | Refusal::PartTooSmall { .. }
        | Refusal::ObjectTooLarge
        | Refusal::SizeMismatch
        | Refusal::ChecksumMismatch
        | Refusal::ChecksumAlgorithmMismatch
        | Refusal::InvalidGroup
        | Refusal::InvalidBoundary
        | Refusal::TooManyEntries { .. }
        | Refusal::PathTooDeep
        | Refusal::TooManyParts => ErrorKind::Invalid,
        // The metadata client asks the right group; this one never comes so far.
        Refusal::OwnerElsewhere | Refusal::TooFewCopies => ErrorKind::Unavailable,
        Refusal::QuotaExceeded => ErrorKind::QuotaExceeded,
        Refusal::RequestTooOld => ErrorKind::OutcomeUnknown,
    }
}

fn kind_of_cluster(kind: onggi_cluster::ErrorKind) -> ErrorKind {
    use onggi_cluster::ErrorKind as Cluster;
    match kind {
        Cluster::NotFound => ErrorKind::NotFound,
        Cluster::Conflict => ErrorKind::Conflict,
        Cluster::NotLeader | Cluster::Unavailable => ErrorKind::Unavailable,
        Cluster::Overloaded => ErrorKind::Overloaded,
        Cluster::OutcomeUnknown => ErrorKind::OutcomeUnknown,
        Cluster::Full => ErrorKind::Full,
        Cluster::Corrupt => ErrorKind::Corrupt,
        Cluster::Internal => ErrorKind::Internal,
    }
}
