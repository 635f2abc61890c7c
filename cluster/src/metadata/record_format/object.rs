//! Versions of objects, and the parts of which they are made.

use onggi_storage_engine::error::{Error, Result};
use onggi_storage_engine::format::{Decoder, Encoder, Record};

use crate::id::VersionId;
use crate::metadata::field::{Field, enum_fields, record, struct_fields};
use crate::metadata::record::{
    Checksum, ChecksumAlgorithm, ChecksumType, Content, ETag, ObjectHeaders, ObjectRecord, ReferenceRecord,
    VersionKind, VersionRecord,
};

struct_fields!(VersionRecord { version, is_null, modified_ms, kind });
record!(VersionRecord, "version record");

enum_fields!(VersionKind { 0 => DeleteMarker, 1 => Object(object) });

struct_fields!(ObjectRecord { bytes, etag, content, checksum, headers, tags });

enum_fields!(Content {
    0 => Empty,
    1 => Inline { blob },
    2 => Blob { blob, chunk_bytes },
    3 => Parts { bucket, upload },
});

struct_fields!(ETag { md5, parts });

struct_fields!(Checksum { algorithm, kind, value });

enum_fields!(ChecksumAlgorithm {
    1 => Crc32,
    2 => Crc32c,
    3 => Crc64Nvme,
    4 => Sha1,
    5 => Sha256,
    6 => Sha512,
    7 => Md5,
    8 => XxHash64,
    9 => XxHash3,
    10 => XxHash128,
});

enum_fields!(ChecksumType { 0 => FullObject, 1 => Composite });

struct_fields!(ObjectHeaders {
    content_type,
    content_encoding,
    content_language,
    content_disposition,
    cache_control,
    expires,
    website_redirect_location,
    user_metadata,
});

struct_fields!(ReferenceRecord { count });
record!(ReferenceRecord, "reference record");

// Where the null version stands.
record!(VersionId, "version id");
