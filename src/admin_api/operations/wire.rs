//! From records to messages, and from the bytes of a request to what it says.

use bytes::Bytes;
use onggi_cluster::metadata::record::{AccessKeyRecord, UserRecord};
use serde::de::DeserializeOwned;

use crate::admin_api::error::{AdminError, Result};
use crate::admin_api::message::{Key, User};

/// The message in a body. Not axum's `Json`, whose refusals are plain text.
pub fn parse<T: DeserializeOwned>(body: &Bytes) -> Result<T> {
    serde_json::from_slice(body).map_err(|error| AdminError::invalid(format!("the body is not understood: {error}")))
}

pub fn user(record: UserRecord) -> User {
    User {
        id: record.id.0,
        name: record.name,
        admin: record.admin,
        enabled: record.enabled,
        quota_bytes: record.quota_bytes,
        created_ms: record.created_ms,
    }
}

pub fn key(record: AccessKeyRecord) -> Key {
    Key {
        access_key: record.access_key,
        enabled: record.enabled,
        description: record.description,
        created_ms: record.created_ms,
    }
}
