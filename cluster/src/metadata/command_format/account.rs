//! Changes of passwords and of what lets users in without them.

use onggi_storage_engine::error::Result;
use onggi_storage_engine::format::{Decoder, Encoder};

use crate::metadata::command::{RenewGrant, SetPassword, TouchGrant};
use crate::metadata::field::{Field, struct_fields};

struct_fields!(SetPassword { user, hash, ends_app_passwords, expected });

struct_fields!(RenewGrant { grant, presented, lineage, token, access, expires_ms });

struct_fields!(TouchGrant { grant, expires_ms, under });
