//! Copy sources: `x-amz-copy-source` and `x-amz-rename-source`.

use onggi_cluster::metadata::command::VersionSelector;

use crate::s3_api::error::{Result, S3Error};
use crate::s3_api::router::query::{Query, decode};
use crate::s3_api::router::target::check_key;
use crate::s3_api::version_id;
use crate::services::BucketName;

#[derive(Clone, Debug, PartialEq)]
pub struct CopySource {
    pub bucket: BucketName,
    pub key: String,
    pub version: VersionSelector,
}

impl CopySource {
    /// `[/]bucket/key[?versionId=…]`, percent-encoded. The `?` is looked for before decoding: a key may hold an encoded one.
    pub fn parse(header: &str) -> Result<Self> {
        let (path, query) = header.split_once('?').unwrap_or((header, ""));
        let malformed = || {
            let message = "Copy Source must mention the source bucket and key: sourcebucket/sourcekey";
            S3Error::invalid_argument(message, "x-amz-copy-source", header)
        };
        if path.starts_with("arn:") {
            return Err(S3Error::not_implemented("A copy source given as an ARN"));
        }
        // Some clients encode the slash between bucket and key too.
        let path = decode(path).map_err(|_| malformed())?;
        let (bucket, key) = path.strip_prefix('/').unwrap_or(&path).split_once('/').ok_or_else(malformed)?;
        if key.is_empty() {
            return Err(malformed());
        }
        let bucket = BucketName::parse(bucket)?;
        check_key(key)?;
        let version = version_id::parse(Query::parse(query)?.get("versionId"))?;
        Ok(Self { bucket, key: key.to_owned(), version })
    }
}

/// `x-amz-rename-source`: a key of the same bucket, percent-encoded, with or without `/bucket/` before it.
pub fn rename_source(header: &str, bucket: &BucketName) -> Result<String> {
    let path = decode(header)?;
    let key = path
        .strip_prefix('/')
        .and_then(|path| path.strip_prefix(bucket.as_str()))
        .and_then(|path| path.strip_prefix('/'))
        .unwrap_or(&path);
    if key.is_empty() {
        return Err(S3Error::invalid_argument("The source key is empty", "x-amz-rename-source", header));
    }
    check_key(key)?;
    Ok(key.to_owned())
}

#[cfg(test)]
mod tests {
    use onggi_cluster::metadata::command::VersionSelector;

    use super::{CopySource, rename_source};
    use crate::services::BucketName;

    fn source(header: &str) -> String {
        match CopySource::parse(header) {
            Ok(CopySource { bucket, key, version }) => format!("{bucket} {key:?} {version:?}"),
            Err(error) => error.code.as_str().to_owned(),
        }
    }

    #[test]
    fn forms() {
        assert_eq!(source("bucket/key"), r#"bucket "key" Latest"#);
        assert_eq!(source("/bucket/a/b"), r#"bucket "a/b" Latest"#);
        assert_eq!(source("bucket//a"), r#"bucket "/a" Latest"#);
        assert_eq!(source("bucket%2Fa%20b%3Fc+d"), r#"bucket "a b?c+d" Latest"#);
        assert_eq!(source("bucket/key?versionId=null"), r#"bucket "key" Null"#);
        assert_eq!(source("bucket/key%3FversionId=null"), r#"bucket "key?versionId=null" Latest"#);
        assert_eq!(source("bucket/key?versionId=xyz"), "InvalidArgument");
        assert_eq!(source("bucket"), "InvalidArgument");
        assert_eq!(source("bucket/"), "InvalidArgument");
        assert_eq!(source("bucket/%zz"), "InvalidArgument");
        assert_eq!(source("Bucket/key"), "InvalidBucketName");
        assert_eq!(source("arn:aws:s3:::bucket/key"), "NotImplemented");
        let version = CopySource::parse("bucket/k?versionId=00112233445566778899aabbccddeeff").unwrap().version;
        assert!(matches!(version, VersionSelector::Id(_)));
    }

    #[test]
    fn renames_stay_in_the_bucket() {
        let bucket = BucketName::parse("bucket").unwrap();
        assert_eq!(rename_source("a%20b", &bucket).unwrap(), "a b");
        assert_eq!(rename_source("/bucket/a", &bucket).unwrap(), "a");
        assert_eq!(rename_source("bucket/a", &bucket).unwrap(), "bucket/a");
        assert!(rename_source("/bucket/", &bucket).is_err());
    }
}
