//! File metadata: what a client says of a file that it sends, whether in the query, in JSON, or in a form.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::drive_api::error::{DriveError, Result};
use crate::drive_api::{request, text_form};
use crate::services::drive::name;
use crate::services::drive::new_file::FileTarget;
use crate::services::drive::session_details::{SessionDetails, SessionMode};

#[derive(Clone, Debug, Default, Deserialize, Serialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub struct FileMetadata {
    pub path: Option<String>,
    /// `add` (the default), `overwrite`, or `update`, which needs `rev`.
    pub mode: Option<String>,
    pub rev: Option<String>,
    /// What is in the way becomes no error; the file becomes a sibling of it.
    #[serde(default, deserialize_with = "flag")]
    pub autorename: bool,
    /// RFC 3339, or seconds or milliseconds since 1970.
    #[serde(default, deserialize_with = "time_text")]
    pub client_modified: Option<String>,
    #[serde(alias = "mimeType")]
    pub mime_type: Option<String>,
    /// Compared with what arrives: Dropbox's, in hex.
    pub content_hash: Option<String>,
}

impl FileMetadata {
    /// What is said here, and else what is said there.
    pub fn or(self, other: Self) -> Self {
        Self {
            path: self.path.or(other.path),
            mode: self.mode.or(other.mode),
            rev: self.rev.or(other.rev),
            autorename: self.autorename || other.autorename,
            client_modified: self.client_modified.or(other.client_modified),
            mime_type: self.mime_type.or(other.mime_type),
            content_hash: self.content_hash.or(other.content_hash),
        }
    }

    /// `media_type`: of the bytes themselves, if the metadata does not say it.
    pub fn details(&self, media_type: Option<&str>) -> Result<SessionDetails> {
        if let Some(path) = &self.path {
            file_path(path)?;
        }
        let client_modified_ms = match &self.client_modified {
            None => None,
            Some(text) => Some(
                text_form::parse_time(text)
                    .ok_or_else(|| DriveError::invalid("`client_modified` is a time like 2026-11-22T20:00:00Z"))?,
            ),
        };
        Ok(SessionDetails {
            path: self.path.clone(),
            mode: self.mode()?,
            autorename: self.autorename,
            client_modified_ms,
            media_type: self.mime_type.as_deref().or(media_type).map(str::to_owned),
            content_hash: self.content_hash()?,
            concatenation: None,
        })
    }

    pub fn target(&self, media_type: Option<&str>) -> Result<FileTarget> {
        target(&self.details(media_type)?)
    }

    fn mode(&self) -> Result<SessionMode> {
        match (self.mode.as_deref(), &self.rev) {
            (None | Some("add"), None) => Ok(SessionMode::Add),
            (Some("overwrite"), None) => Ok(SessionMode::Overwrite),
            (None | Some("update"), Some(rev)) => Ok(SessionMode::Update { rev: request::revision(rev)? }),
            _ => Err(DriveError::invalid("`mode` is `add`, `overwrite`, or `update` with a `rev`")),
        }
    }

    pub fn content_hash(&self) -> Result<Option<[u8; 32]>> {
        self.content_hash.as_deref().map(content_hash).transpose()
    }
}

pub fn target(details: &SessionDetails) -> Result<FileTarget> {
    details.target()?.ok_or_else(|| DriveError::invalid("say the `path` that the file shall have"))
}

pub fn content_hash(text: &str) -> Result<[u8; 32]> {
    let mut hash = [0; 32];
    let decoded = hex::decode_to_slice(text, &mut hash);
    decoded.map_err(|_| DriveError::invalid("a `content_hash` is 64 hex digits"))?;
    Ok(hash)
}

/// The root is no file.
fn file_path(path: &str) -> Result<()> {
    if name::tree_path(path)?.is_empty() {
        return Err(DriveError::conflict("not_a_file", "the root is a folder"));
    }
    Ok(())
}

/// In a query `true` is text.
fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<bool, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Bool(flag) => Ok(flag),
        Value::Null => Ok(false),
        Value::String(text) => Ok(matches!(text.as_str(), "true" | "1" | "yes")),
        _ => Err(serde::de::Error::custom("`autorename` is true or false")),
    }
}

/// Seconds and milliseconds since 1970 are numbers in JSON.
fn time_text<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Number(number) => Ok(Some(number.to_string())),
        _ => Err(serde::de::Error::custom("`client_modified` is a time")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn details(json: &str) -> std::result::Result<SessionDetails, &'static str> {
        let metadata: FileMetadata = request::parse(json.as_bytes()).map_err(|error| error.code)?;
        metadata.details(Some("text/plain")).map_err(|error| error.code)
    }

    #[test]
    fn modes_and_times() {
        let parsed =
            details(r#"{"path":"/a","mode":"update","rev":"00000000000001f","autorename":true,"client_modified":0}"#);
        let expected = SessionDetails {
            path: Some("/a".into()),
            mode: SessionMode::Update { rev: 31 },
            autorename: true,
            client_modified_ms: Some(0),
            media_type: Some("text/plain".into()),
            content_hash: None,
            concatenation: None,
        };
        assert_eq!(parsed, Ok(expected));
        assert_eq!(details("").unwrap().mode, SessionMode::Add);
        assert_eq!(details(r#"{"path":"/"}"#), Err("not_a_file"));
        assert_eq!(details(r#"{"path":"/a."}"#), Err("name_invalid"));
        for bad in [
            r#"{"mode":"update"}"#,
            r#"{"mode":"add","rev":"1f"}"#,
            r#"{"mode":"replace"}"#,
            r#"{"client_modified":"yesterday"}"#,
            r#"{"path":1}"#,
            "[",
        ] {
            assert_eq!(details(bad), Err("invalid"), "{bad}");
        }
    }

    #[test]
    fn the_query_says_the_same() {
        let uri = "/files/upload?path=%2Fa+b&autorename=true&client_modified=2026-11-22T20:00:00Z".parse().unwrap();
        let metadata: FileMetadata = request::query(&uri).unwrap();
        let details = metadata.details(None).unwrap();
        assert_eq!((details.path.as_deref(), details.autorename), (Some("/a b"), true));
        assert_eq!(details.client_modified_ms, Some(1_795_377_600_000));
    }
}
