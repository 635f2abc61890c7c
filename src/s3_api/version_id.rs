//! Version ids on the wire: `versionId=` of requests, `x-amz-version-id` of replies.

use onggi_cluster::id::VersionId;
use onggi_cluster::metadata::command::VersionSelector;

use crate::s3_api::error::{Result, S3Error};

/// `None` is a request without `versionId`.
pub fn parse(text: Option<&str>) -> Result<VersionSelector> {
    match text {
        None => Ok(VersionSelector::Latest),
        Some("null") => Ok(VersionSelector::Null),
        Some("") => Err(S3Error::invalid_argument("Version id cannot be the empty string", "versionId", "")),
        Some(text) => match VersionId::parse(text) {
            Some(version) => Ok(VersionSelector::Id(version)),
            None => Err(S3Error::invalid_argument("Invalid version id specified", "versionId", text)),
        },
    }
}

pub fn text(version: VersionId, is_null: bool) -> String {
    if is_null { "null".to_owned() } else { version.to_string() }
}

#[cfg(test)]
mod tests {
    use onggi_cluster::id::VersionId;
    use onggi_cluster::metadata::command::VersionSelector;

    use super::{parse, text};
    use crate::s3_api::error::ErrorCode;

    #[test]
    fn selectors() {
        let id = VersionId::new(1, 2);
        assert_eq!(parse(None).unwrap(), VersionSelector::Latest);
        assert_eq!(parse(Some("null")).unwrap(), VersionSelector::Null);
        assert_eq!(parse(Some(&text(id, false))).unwrap(), VersionSelector::Id(id));
        assert_eq!(text(id, true), "null");
        for bad in ["", "Null", "123", "3HL4kqtJvjVBH40Nrjfkd"] {
            assert_eq!(parse(Some(bad)).unwrap_err().code, ErrorCode::InvalidArgument, "{bad}");
        }
    }
}
