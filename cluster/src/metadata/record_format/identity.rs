//! The cluster, its users, their access keys, and who owns a bucket name.

use onggi_storage_engine::error::Result;
use onggi_storage_engine::format::{Decoder, Encoder, Record};

use crate::id::UserId;
use crate::metadata::field::{Field, record, struct_fields};
use crate::metadata::record::{AccessKeyRecord, BucketNameRecord, ClusterRecord, UserRecord};

struct_fields!(ClusterRecord { name, created_ms, last_user });
record!(ClusterRecord, "cluster record");

struct_fields!(UserRecord { id, name, created_ms, enabled, admin, quota_bytes });
record!(UserRecord, "user record");

// Which user has a name.
record!(UserId, "user id");

struct_fields!(AccessKeyRecord { access_key, user, created_ms, enabled, description, sealed_secret });
record!(AccessKeyRecord, "access key record");

struct_fields!(BucketNameRecord { owner, reservation, pending, reserved_ms, location });
record!(BucketNameRecord, "bucket name record");
