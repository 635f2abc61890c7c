//! Passwords, and what lets users in without them.

use onggi_storage_engine::error::{Error, Result};
use onggi_storage_engine::format::{Decoder, Encoder, Record};

use crate::metadata::field::{Field, enum_fields, record, struct_fields};
use crate::metadata::record::{
    AccessToken, CodeTerms, GrantKind, GrantRecord, PasswordHash, PasswordRecord, ReplacedToken,
};

struct_fields!(PasswordRecord { hash, changed_ms, sign_ins, app_passwords });
record!(PasswordRecord, "password record");

struct_fields!(PasswordHash { phc });

struct_fields!(GrantRecord {
    grant,
    kind,
    name,
    client,
    created_ms,
    used_ms,
    expires_ms,
    under,
    token,
    lineage,
    replaced,
    access,
});
record!(GrantRecord, "grant record");

enum_fields!(GrantKind { 0 => SignIn { rotates }, 1 => Console, 2 => AppPassword, 3 => Code(terms) });

struct_fields!(CodeTerms { challenge, redirect_uri, offline, rotates });

struct_fields!(ReplacedToken { token, until_ms });

struct_fields!(AccessToken { token, expires_ms });
