//! Changes of the group of an owner.

use onggi_storage_engine::error::{Error, Result};
use onggi_storage_engine::format::{Decoder, Encoder};

use crate::id::{BlobId, BucketId, NodeId, UploadId};
use crate::metadata::command::{
    CompleteUpload, CopyObject, DeleteObject, NewContent, NewPart, OwnerChange, PartReference, PutObject,
    VersionSelector, WriteCondition,
};
use crate::metadata::field::{Field, enum_fields, struct_fields};
use crate::metadata::record::Content;

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

/// How contents stand in a command: as in a record, and a blob with those who have it. Logs from before that was said have blobs without.
#[derive(Clone)]
enum Carried {
    Empty,
    Inline { blob: BlobId },
    Blob { blob: BlobId, chunk_bytes: u32 },
    Parts { bucket: BucketId, upload: UploadId },
    SyncedBlob { blob: BlobId, chunk_bytes: u32, synced_on: Vec<NodeId> },
}

enum_fields!(Carried {
    0 => Empty,
    1 => Inline { blob },
    2 => Blob { blob, chunk_bytes },
    3 => Parts { bucket, upload },
    4 => SyncedBlob { blob, chunk_bytes, synced_on },
});

impl Field for NewContent {
    fn write(&self, encoder: &mut Encoder) {
        self.bytes.write(encoder);
        match (self.content.clone(), self.synced_on.clone()) {
            (Content::Empty, _) => Carried::Empty,
            (Content::Inline { blob }, _) => Carried::Inline { blob },
            (Content::Blob { blob, chunk_bytes }, None) => Carried::Blob { blob, chunk_bytes },
            (Content::Blob { blob, chunk_bytes }, Some(synced_on)) => {
                Carried::SyncedBlob { blob, chunk_bytes, synced_on }
            }
            (Content::Parts { bucket, upload }, _) => Carried::Parts { bucket, upload },
        }
        .write(encoder);
        self.inline.write(encoder);
    }

    fn read(decoder: &mut Decoder<'_>) -> Result<Self> {
        let bytes = Field::read(decoder)?;
        let (content, synced_on) = match Carried::read(decoder)? {
            Carried::Empty => (Content::Empty, None),
            Carried::Inline { blob } => (Content::Inline { blob }, None),
            Carried::Blob { blob, chunk_bytes } => (Content::Blob { blob, chunk_bytes }, None),
            Carried::Parts { bucket, upload } => (Content::Parts { bucket, upload }, None),
            Carried::SyncedBlob { blob, chunk_bytes, synced_on } => {
                (Content::Blob { blob, chunk_bytes }, Some(synced_on))
            }
        };
        Ok(Self { bytes, content, inline: Field::read(decoder)?, synced_on })
    }
}

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
