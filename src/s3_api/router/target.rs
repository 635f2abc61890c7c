//! Targets: which bucket and key a request is about.
//! Owns: path style and virtual-host style. Does not own: what names are valid (services).
//! Invariant: a key is decoded exactly once and never normalised: `//`, `.` and `..` are ordinary key bytes.

use crate::s3_api::error::{ErrorCode, Result, S3Error};
use crate::s3_api::router::query::decode;
use crate::services::{BucketName, ObjectKey};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Service,
    Bucket { bucket: BucketName },
    Object { bucket: BucketName, key: String },
}

impl Target {
    /// `raw_path` as it stood in the request line; `host` from the Host header or `:authority`.
    pub fn parse(raw_path: &str, host: &str, base_domains: &[String]) -> Result<Self> {
        let path = raw_path.strip_prefix('/').unwrap_or(raw_path);
        let (bucket, raw_key) = match virtual_host_bucket(host, base_domains) {
            Some(bucket) => (bucket.to_ascii_lowercase(), path),
            None if path.is_empty() => return Ok(Target::Service),
            None => {
                let (bucket, raw_key) = path.split_once('/').unwrap_or((path, ""));
                (decode(bucket)?, raw_key)
            }
        };
        let bucket = BucketName::parse(&bucket)?;
        if raw_key.is_empty() {
            return Ok(Target::Bucket { bucket });
        }
        let key = decode(raw_key)?;
        check_key(&key)?;
        Ok(Target::Object { bucket, key })
    }

    pub fn bucket(&self) -> Result<&BucketName> {
        match self {
            Target::Bucket { bucket } | Target::Object { bucket, .. } => Ok(bucket),
            Target::Service => Err(S3Error::new(ErrorCode::InvalidURI)),
        }
    }

    pub fn object(&self) -> Result<(&BucketName, &str)> {
        match self {
            Target::Object { bucket, key } => Ok((bucket, key)),
            Target::Service | Target::Bucket { .. } => Err(S3Error::new(ErrorCode::InvalidURI)),
        }
    }
}

pub fn check_key(key: &str) -> Result<()> {
    if key.len() > ObjectKey::BYTES_MAX {
        return Err(S3Error::new(ErrorCode::KeyTooLongError)
            .field("Size", key.len().to_string())
            .field("MaxSizeAllowed", ObjectKey::BYTES_MAX.to_string()));
    }
    Ok(())
}

/// `bucket` of `bucket.<base domain>[:port]`.
fn virtual_host_bucket<'a>(host: &'a str, base_domains: &[String]) -> Option<&'a str> {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    base_domains.iter().find_map(|domain| {
        let split = name.len().checked_sub(domain.len())?;
        let tail = name.get(split..)?;
        let bucket = name.get(..split)?.strip_suffix('.')?;
        (tail.eq_ignore_ascii_case(domain) && !bucket.is_empty()).then_some(bucket)
    })
}

#[cfg(test)]
mod tests {
    use super::Target;

    fn target(host: &str, path: &str) -> String {
        let domains = ["s3.example.com".to_owned(), "localhost".to_owned()];
        match Target::parse(path, host, &domains) {
            Ok(Target::Service) => "service".to_owned(),
            Ok(Target::Bucket { bucket }) => format!("bucket {bucket}"),
            Ok(Target::Object { bucket, key }) => format!("object {bucket} {key:?}"),
            Err(error) => error.code.as_str().to_owned(),
        }
    }

    #[test]
    fn path_style() {
        let host = "127.0.0.1:9000";
        assert_eq!(target(host, "/"), "service");
        assert_eq!(target(host, "/bucket"), "bucket bucket");
        assert_eq!(target(host, "/bucket/"), "bucket bucket");
        assert_eq!(target(host, "/bucket/a/b"), r#"object bucket "a/b""#);
        assert_eq!(target(host, "/bucket//"), r#"object bucket "/""#);
        assert_eq!(target(host, "/bucket//a//b/"), r#"object bucket "/a//b/""#);
        assert_eq!(target(host, "/bucket/./../a"), r#"object bucket "./../a""#);
        assert_eq!(target(host, "/bucket/a%2Fb%252F+%20%00"), r#"object bucket "a/b%2F+ \0""#);
        assert_eq!(target(host, "//key"), "InvalidBucketName");
        assert_eq!(target(host, "/bucket/%ff"), "InvalidArgument");
        assert_eq!(target(host, "/bucket/%f"), "InvalidURI");
        assert_eq!(target(host, &format!("/bucket/{}", "a".repeat(1025))), "KeyTooLongError");
        assert_eq!(target(host, &format!("/bucket/{}", "%C3%A9".repeat(513))), "KeyTooLongError");
        assert!(target(host, &format!("/bucket/{}", "%C3%A9".repeat(512))).starts_with("object"));
    }

    #[test]
    fn virtual_host_style() {
        assert_eq!(target("photos.s3.example.com", "/"), "bucket photos");
        assert_eq!(target("Photos.S3.Example.com:9000", "/a/b"), r#"object photos "a/b""#);
        assert_eq!(target("my.photos.s3.example.com", "//a"), r#"object my.photos "/a""#);
        assert_eq!(target("photos.localhost:9000", "/a"), r#"object photos "a""#);
        assert_eq!(target("s3.example.com", "/photos/a"), r#"object photos "a""#);
        assert_eq!(target("xs3.example.com", "/photos/a"), r#"object photos "a""#);
        assert_eq!(target(".s3.example.com", "/photos"), "bucket photos");
        assert_eq!(target("[::1]:9000", "/photos"), "bucket photos");
    }
}
