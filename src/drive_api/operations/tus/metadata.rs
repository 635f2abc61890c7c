//! Upload-Metadata: keys and values in base64, separated by commas (tus 1.0, "Creation").

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::drive_api::error::{DriveError, Result};
use crate::drive_api::file_metadata::FileMetadata;

/// `path` says where the file shall stand; a path that ends in a slash is its folder, and without one it is the root.
pub fn file_metadata(header: &str) -> Result<FileMetadata> {
    let mut pairs = parse(header)?;
    let mut take = |names: &[&str]| names.iter().find_map(|name| pairs.remove(*name)).filter(|value| !value.is_empty());
    let (path, name) = (take(&["path"]), take(&["filename", "name"]));
    let path = match (path, name) {
        (Some(folder), Some(name)) if folder.ends_with('/') => Some(format!("{folder}{name}")),
        (None, Some(name)) => Some(format!("/{name}")),
        (path, _) => path,
    };
    Ok(FileMetadata {
        path,
        mode: take(&["mode"]),
        rev: take(&["rev"]),
        autorename: take(&["autorename"]).is_some_and(|value| value == "true"),
        client_modified: take(&["client_modified", "mtime"]),
        mime_type: take(&["filetype", "mime_type", "type"]),
        content_hash: None,
    })
}

fn parse(header: &str) -> Result<BTreeMap<String, String>> {
    let malformed = || DriveError::invalid("Upload-Metadata is a list of keys with values in base64");
    let mut pairs = BTreeMap::new();
    for pair in header.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
        let value = STANDARD.decode(value.trim()).map_err(|_| malformed())?;
        pairs.insert(key.to_owned(), String::from_utf8(value).map_err(|_| malformed())?);
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(header: &str) -> Option<String> {
        file_metadata(header).unwrap().path
    }

    #[test]
    fn where_the_file_shall_stand() {
        // "a.txt", "/A/", "/A/b.txt"
        assert_eq!(path("filename YS50eHQ=").as_deref(), Some("/a.txt"));
        assert_eq!(path("filename YS50eHQ=,path L0Ev").as_deref(), Some("/A/a.txt"));
        assert_eq!(path("path L0EvYi50eHQ=,filename YS50eHQ=,is_new").as_deref(), Some("/A/b.txt"));
        assert_eq!(path(""), None);
        assert!(file_metadata("filename !").is_err());
        assert!(file_metadata("filename /w==").is_err());
    }
}
