//! Changes of the group of an owner.

use onggi_storage_engine::error::{Error, Result};
use onggi_storage_engine::format::{Decoder, Encoder};

use crate::metadata::command::{
    CompleteUpload, CopyObject, DeleteObject, NewContent, NewPart, OwnerChange, PartReference, PutObject,
    VersionSelector, WriteCondition,
};
use crate::metadata::field::{Field, enum_fields, struct_fields};

enum_fields!(OwnerChange {
    1 => CreateBucket { name, location },
    2 => DeleteBucket { bucket },
    3 => SetVersioning { bucket, versioning },
    4 => SetBucketTags { bucket, tags },
    5 => SetBucketCors { bucket, cors },
    6 => PutObject(put),
    7 => CopyObject(copy),
    8 => RenameObject { bucket, source, target, source_condition, target_condition, random },
    9 => DeleteObjects { bucket, deletes },
    10 => SetObjectTags { bucket, key, version, tags },
    11 => CreateUpload { bucket, upload, key, headers, tags, checksum },
    12 => PutPart { bucket, key, upload, part, quota_bytes },
    13 => CompleteUpload(complete),
    14 => AbortUpload { bucket, key, upload },
    15 => CreateTree { name },
    16 => Tree { bucket, author, quota_bytes, change },
    20 => CreateGrant { grant },
    21 => RenewGrant(renew),
    22 => TouchGrant(touch),
    23 => RevokeGrant { grant },
});

struct_fields!(NewContent { bytes, content, inline });

struct_fields!(PutObject { bucket, key, condition, content, etag, checksum, headers, tags, random, quota_bytes });

struct_fields!(CopyObject {
    source_bucket,
    source_key,
    source_version,
    bucket,
    key,
    condition,
    headers,
    tags,
    checksum,
    random,
    quota_bytes,
});

struct_fields!(NewPart { number, content, md5, checksum });

struct_fields!(CompleteUpload {
    bucket,
    key,
    upload,
    condition,
    parts,
    checksum,
    checksum_type,
    expected_bytes,
    random,
});

struct_fields!(PartReference { number, md5, checksum });

struct_fields!(DeleteObject { key, version, condition, random });

enum_fields!(VersionSelector { 0 => Latest, 1 => Null, 2 => Id(version) });

enum_fields!(WriteCondition { 0 => None, 1 => MustNotExist, 2 => MustExist, 3 => MustMatch(etags) });
