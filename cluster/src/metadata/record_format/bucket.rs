//! Buckets, and what their owner has as a whole.

use onggi_storage_engine::error::{Error, Result};
use onggi_storage_engine::format::{Decoder, Encoder, Record};

use crate::id::BucketId;
use crate::metadata::field::{Field, enum_fields, record, struct_fields};
use crate::metadata::record::{BucketRecord, Counters, OwnerRecord, Versioning};

struct_fields!(OwnerRecord { last_bucket, totals });
record!(OwnerRecord, "owner record");

struct_fields!(BucketRecord { id, name, created_ms, location, versioning, tags, cors });
record!(BucketRecord, "bucket record");

enum_fields!(Versioning { 0 => Never, 1 => Enabled, 2 => Suspended, 3 => Revisions });

struct_fields!(Counters { objects, versions, delete_markers, uploads, bytes });
record!(Counters, "counters");

// Which bucket has a name.
record!(BucketId, "bucket id");
