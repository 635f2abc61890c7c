//! Targets: which bucket and key a request is about.
//! Owns: path style and virtual-host style, bucket name rules, key limits.
//! Invariant: a key is decoded exactly once and never normalised: `//`, `.` and `..` are ordinary key bytes.

use std::fmt;
use std::net::Ipv4Addr;

use crate::s3_api::error::{ErrorCode, Result, S3Error};
use crate::s3_api::router::query::decode;

/// Amazon S3 User Guide, "Naming Amazon S3 objects".
pub const KEY_BYTES_MAX: usize = 1024;

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
    if key.len() > KEY_BYTES_MAX {
        return Err(S3Error::new(ErrorCode::KeyTooLongError)
            .field("Size", key.len().to_string())
            .field("MaxSizeAllowed", KEY_BYTES_MAX.to_string()));
    }
    Ok(())
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BucketName(String);

impl BucketName {
    /// Amazon S3 User Guide, "General purpose bucket naming rules". `amzn-s3-demo-` is let through: it is reserved for
    /// the examples of AWS's own documentation, which people paste.
    pub fn parse(name: &str) -> Result<Self> {
        if is_valid_bucket_name(name) {
            Ok(Self(name.to_owned()))
        } else {
            Err(S3Error::new(ErrorCode::InvalidBucketName).field("BucketName", name))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BucketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for BucketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_valid_bucket_name(name: &str) -> bool {
    const RESERVED_PREFIXES: &[&str] = &["xn--", "sthree-"];
    const RESERVED_SUFFIXES: &[&str] = &["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];
    let is_alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = name.as_bytes();
    (3..=63).contains(&bytes.len())
        && bytes.iter().all(|byte| is_alphanumeric(byte) || matches!(byte, b'-' | b'.'))
        && bytes.first().is_some_and(is_alphanumeric)
        && bytes.last().is_some_and(is_alphanumeric)
        && !name.contains("..")
        && name.parse::<Ipv4Addr>().is_err()
        && !RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        && !RESERVED_SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
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
    use super::{BucketName, Target};
    use crate::s3_api::error::ErrorCode;

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

    #[test]
    fn bucket_name_rules() {
        for good in ["abc", "a-b.c", "0bc", "a".repeat(63).as_str(), "1.2.3", "a--b", "amzn-s3-demo-bucket"] {
            assert!(BucketName::parse(good).is_ok(), "{good}");
        }
        let long = "a".repeat(64);
        for bad in [
            "",
            "ab",
            &long,
            "Abc",
            "a_b",
            "-ab",
            "ab-",
            ".ab",
            "ab.",
            "a..b",
            "192.168.5.4",
            "xn--abc",
            "sthree-abc",
            "abc-s3alias",
            "abc--ol-s3",
            "abc--x-s3",
            "abc.mrap",
            "a b",
            "äbc",
            "a/b",
            "a\0b",
        ] {
            assert_eq!(BucketName::parse(bad).unwrap_err().code, ErrorCode::InvalidBucketName, "{bad}");
        }
    }
}
