//! Multipart uploads, their parts, and what is left of them afterwards.

use onggi_storage_engine::error::Result;
use onggi_storage_engine::format::{Decoder, Encoder, Record};

use crate::metadata::field::{Field, record, struct_fields};
use crate::metadata::record::{CompletedUploadRecord, ManifestRecord, PartRecord, UploadRecord};

struct_fields!(UploadRecord { upload, key, initiated_ms, headers, tags, checksum });
record!(UploadRecord, "upload record");

struct_fields!(PartRecord { number, bytes, md5, modified_ms, content, checksum });
record!(PartRecord, "part record");

struct_fields!(ManifestRecord { parts });
record!(ManifestRecord, "manifest record");

struct_fields!(CompletedUploadRecord { key, completed_ms, version, is_null, versioned, etag, bytes, checksum });
record!(CompletedUploadRecord, "completed upload record");
