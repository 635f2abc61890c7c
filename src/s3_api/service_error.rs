//! From a service's error to the S3 error that clients act on: one exhaustive match.
//! Owns: which code each refusal and each kind is. Logs what a human must look at, here and nowhere else.

use http::header::{ALLOW, LAST_MODIFIED, RETRY_AFTER};
use http::{HeaderName, HeaderValue};
use onggi_cluster::metadata::outcome::Refusal;
use onggi_cluster::metadata::record::VersionRecord;

use crate::s3_api::error::{ErrorCode, S3Error};
use crate::s3_api::{checksum, timestamp, version_id};
use crate::services::error::Digest;
use crate::services::{Error, ErrorKind};

pub const DELETE_MARKER: HeaderName = HeaderName::from_static("x-amz-delete-marker");
pub const VERSION_ID: HeaderName = HeaderName::from_static("x-amz-version-id");

/// Parts but the last have at least this many bytes (Amazon S3 User Guide, "Multipart upload limits").
const PART_BYTES_MIN: &str = "5242880";

impl From<Error> for S3Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => of_refusal(&refusal),
            Error::AccessDenied => S3Error::new(ErrorCode::AccessDenied),
            // The same answer, so that nobody without the secret learns which keys exist.
            Error::UnknownAccessKey | Error::Disabled => S3Error::new(ErrorCode::InvalidAccessKeyId),
            Error::DeleteMarker { marker, named } => of_delete_marker(&marker, named),
            Error::InvalidBucketName(_) => S3Error::new(ErrorCode::InvalidBucketName),
            Error::KeyEmpty => S3Error::invalid_argument("The key is empty.", "key", ""),
            Error::Name(rule) => S3Error::invalid_argument(rule.to_string(), "key", ""),
            Error::KeyTooLong => S3Error::new(ErrorCode::KeyTooLongError),
            Error::BodyIncomplete { expected, received } => S3Error::new(ErrorCode::IncompleteBody)
                .field("NumberBytesExpected", expected.to_string())
                .field("NumberBytesProvided", received.to_string()),
            Error::DigestMismatch(digest) => of_digest(digest),
            Error::Body(source) => match source.downcast::<S3Error>() {
                Ok(own) => *own,
                Err(_) => S3Error::new(ErrorCode::IncompleteBody),
            },
            Error::CursorReset
            | Error::Vanished
            | Error::Hashing
            | Error::HashPending
            | Error::Secret(_)
            | Error::Cluster(_)
            | Error::UnexpectedOutcome(_) => of_kind(&error),
        }
    }
}

fn of_refusal(refusal: &Refusal) -> S3Error {
    match refusal {
        Refusal::NoSuchBucket => S3Error::new(ErrorCode::NoSuchBucket),
        Refusal::BucketNotEmpty => S3Error::new(ErrorCode::BucketNotEmpty),
        Refusal::BucketNameTaken => S3Error::new(ErrorCode::BucketAlreadyExists),
        Refusal::BucketOwnedByYou => S3Error::new(ErrorCode::BucketAlreadyOwnedByYou),
        Refusal::StaleReservation => S3Error::new(ErrorCode::OperationAborted),
        Refusal::NoSuchKey => S3Error::new(ErrorCode::NoSuchKey),
        Refusal::NoSuchVersion => S3Error::new(ErrorCode::NoSuchVersion),
        Refusal::DeleteMarker => S3Error::new(ErrorCode::MethodNotAllowed),
        Refusal::NoSuchUpload => S3Error::new(ErrorCode::NoSuchUpload),
        Refusal::InvalidPart { number } => S3Error::new(ErrorCode::InvalidPart).field("PartNumber", number.to_string()),
        Refusal::InvalidPartOrder => S3Error::new(ErrorCode::InvalidPartOrder),
        Refusal::PartTooSmall { number, bytes } => S3Error::new(ErrorCode::EntityTooSmall)
            .field("ProposedSize", bytes.to_string())
            .field("MinSizeAllowed", PART_BYTES_MIN)
            .field("PartNumber", number.to_string()),
        Refusal::ObjectTooLarge => S3Error::new(ErrorCode::EntityTooLarge),
        Refusal::SizeMismatch => {
            S3Error::invalid_request("The provided 'x-amz-mp-object-size' header does not match what was computed.")
        }
        Refusal::ChecksumMismatch => S3Error::new(ErrorCode::BadDigest),
        Refusal::ChecksumAlgorithmMismatch => S3Error::invalid_request(
            "The checksum's algorithm or type is not the one of the upload, or a part was uploaded without it.",
        ),
        Refusal::PreconditionFailed => S3Error::new(ErrorCode::PreconditionFailed),
        Refusal::QuotaExceeded => S3Error::new(ErrorCode::QuotaExceeded),
        Refusal::CopySourceGone => retry_later(ErrorCode::ServiceUnavailable),
        // Not `SlowDown`: clients would try again, and nothing changes until the owner says so.
        Refusal::NoSuchUser | Refusal::DeviceHeld => S3Error::new(ErrorCode::AccessDenied),
        Refusal::NoSuchEntry => S3Error::new(ErrorCode::NoSuchKey),
        Refusal::NoSuchRevision => S3Error::new(ErrorCode::NoSuchVersion),
        Refusal::StaleRevision { .. } | Refusal::EntryExists { .. } => S3Error::new(ErrorCode::PreconditionFailed),
        Refusal::NotAFolder | Refusal::NotAFile | Refusal::IntoItself => S3Error::invalid_request(
            "In the bucket of a drive a key is a path: a file cannot stand where a folder does, nor hold other keys.",
        ),
        Refusal::PathTooDeep => S3Error::invalid_request("The path goes through too many folders."),
        Refusal::TooManyEntries { .. } => S3Error::invalid_request("The folder holds too much to be copied at once."),
        // Not every operation knows the buckets of drives.
        Refusal::WrongBucketKind => S3Error::new(ErrorCode::NotImplemented),
        Refusal::AlreadyInitialized
        | Refusal::StalePartitionMap
        | Refusal::RootUser
        | Refusal::UserExists
        | Refusal::UserOwnsBuckets
        | Refusal::NoSuchAccessKey
        | Refusal::AccessKeyExists
        | Refusal::RequestTooOld
        | Refusal::FounderKnown
        | Refusal::AuthorityExists
        | Refusal::TokenExists
        | Refusal::NoSuchToken
        | Refusal::TokenExpired
        | Refusal::TokenUsed { .. }
        | Refusal::DriveKnown { .. }
        | Refusal::NoSuchNode
        | Refusal::NodeRemoved
        | Refusal::NodeHoldsGroups { .. }
        | Refusal::TooFewNodes { .. }
        | Refusal::StaleGroup
        | Refusal::InvalidGroup
        | Refusal::OwnerElsewhere
        | Refusal::TooFewCopies
        | Refusal::NoSuchGroup
        | Refusal::SplitUnderWay { .. }
        | Refusal::InvalidBoundary
        | Refusal::StaleSplit
        | Refusal::ParentGone
        | Refusal::TooFarBack { .. }
        | Refusal::NoSuchDevice
        | Refusal::NoSuchTrashItem
        | Refusal::NoSuchSession
        | Refusal::IncorrectOffset { .. }
        | Refusal::SessionClosed
        | Refusal::SessionNotClosed
        | Refusal::SessionIncomplete { .. }
        | Refusal::TooManyParts
        | Refusal::NoSuchLink
        | Refusal::LinkExpired
        | Refusal::NoSuchGrant
        | Refusal::GrantExists
        | Refusal::GrantExpired
        | Refusal::TooManyGrants { .. }
        | Refusal::PasswordChanged => S3Error::new(ErrorCode::InternalError),
    }
}

/// Unnamed, the key does not exist (404); named, the version is there but cannot be read (405).
fn of_delete_marker(marker: &VersionRecord, named: bool) -> S3Error {
    let error = S3Error::new(if named { ErrorCode::MethodNotAllowed } else { ErrorCode::NoSuchKey })
        .header(DELETE_MARKER, HeaderValue::from_static("true"));
    let error = with_text(error, VERSION_ID, version_id::text(marker.version, marker.is_null));
    if !named {
        return error;
    }
    let error = error.header(ALLOW, HeaderValue::from_static("DELETE"));
    with_text(error, LAST_MODIFIED, timestamp::http_date(marker.modified_ms))
}

fn with_text(error: S3Error, name: HeaderName, text: String) -> S3Error {
    match HeaderValue::try_from(text) {
        Ok(value) => error.header(name, value),
        Err(_) => error,
    }
}

fn of_digest(digest: Digest) -> S3Error {
    match digest {
        Digest::ContentMd5 => {
            S3Error::with_message(ErrorCode::BadDigest, "The Content-MD5 you specified did not match what we received.")
        }
        // Only the drive's own API takes one.
        Digest::ContentHash => S3Error::new(ErrorCode::BadDigest),
        Digest::Checksum(algorithm) => {
            let (name, header) = (checksum::algorithm_name(algorithm), checksum::header_name(algorithm));
            // The header is named because SDKs presign a checksum of nothing into URLs, and people wonder.
            let message = format!("The {name} you specified did not match the calculated checksum. ({header})");
            S3Error::with_message(ErrorCode::BadDigest, message)
        }
    }
}

/// Errors that say nothing about the request itself.
fn of_kind(error: &Error) -> S3Error {
    match error.kind() {
        ErrorKind::Unavailable => retry_later(ErrorCode::ServiceUnavailable),
        ErrorKind::Overloaded => retry_later(ErrorCode::SlowDown),
        ErrorKind::Full => S3Error::new(ErrorCode::InsufficientStorage),
        // The client looks what came of it; nobody else can do anything.
        ErrorKind::OutcomeUnknown => {
            tracing::warn!(%error, "the outcome of a request is not known");
            S3Error::new(ErrorCode::InternalError)
        }
        ErrorKind::NotFound
        | ErrorKind::AlreadyExists
        | ErrorKind::Conflict
        | ErrorKind::Invalid
        | ErrorKind::Denied
        | ErrorKind::QuotaExceeded
        | ErrorKind::Corrupt
        | ErrorKind::Internal => {
            tracing::error!(%error, kind = ?error.kind(), "request failed");
            S3Error::new(ErrorCode::InternalError)
        }
    }
}

fn retry_later(code: ErrorCode) -> S3Error {
    S3Error::new(code).header(RETRY_AFTER, HeaderValue::from_static("1"))
}
