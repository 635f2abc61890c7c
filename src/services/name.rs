//! Names that users choose: buckets and keys, parsed once at the edge.
//! Owns: Amazon's rules for general purpose buckets, and the length of a key.

use std::fmt;

use onggi_cluster::metadata::DRIVE_SUFFIX;

use super::error::{Error, Result};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BucketName(String);

impl BucketName {
    const BYTES: std::ops::RangeInclusive<usize> = 3..=63;
    /// Reserved by Amazon for its own kinds of buckets. `amzn-s3-demo-` is let through: its documentation, which people
    /// paste, is full of it.
    const RESERVED_PREFIXES: [&'static str; 2] = ["xn--", "sthree-"];
    const RESERVED_SUFFIXES: [&'static str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

    pub fn parse(name: &str) -> Result<Self> {
        let bytes = name.as_bytes();
        let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if !Self::BYTES.contains(&bytes.len()) {
            return Err(Error::InvalidBucketName("it must have 3 to 63 characters"));
        }
        if !bytes.iter().all(|&byte| is_word(byte) || byte == b'-' || byte == b'.') {
            return Err(Error::InvalidBucketName("only lower-case letters, digits, hyphens and dots are allowed"));
        }
        if !is_word(bytes[0]) || !is_word(bytes[bytes.len() - 1]) {
            return Err(Error::InvalidBucketName("it must begin and end with a letter or digit"));
        }
        if name.contains("..") {
            return Err(Error::InvalidBucketName("two dots in a row"));
        }
        if name.parse::<std::net::Ipv4Addr>().is_ok() {
            return Err(Error::InvalidBucketName("it looks like an IP address"));
        }
        let reserved = Self::RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
            || Self::RESERVED_SUFFIXES.iter().any(|suffix| name.ends_with(suffix));
        if reserved {
            return Err(Error::InvalidBucketName("the prefix or suffix is reserved"));
        }
        Ok(Self(name.to_owned()))
    }

    /// The bucket of somebody's drive: it is made with the drive, and in no other way.
    pub fn is_of_drive(&self) -> bool {
        self.0.ends_with(DRIVE_SUFFIX)
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

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ObjectKey(String);

impl ObjectKey {
    pub const BYTES_MAX: usize = 1024;

    pub fn parse(key: impl Into<String>) -> Result<Self> {
        let key = key.into();
        if key.is_empty() {
            return Err(Error::KeyEmpty);
        }
        if key.len() > Self::BYTES_MAX {
            return Err(Error::KeyTooLong);
        }
        Ok(Self(key))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where an object is, or shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectTarget {
    pub bucket: BucketName,
    pub key: ObjectKey,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_names() {
        for good in ["abc", "a-b.c1", "0ab", "1.2.3", "a--b", "amzn-s3-demo-bucket", &"a".repeat(63)] {
            assert!(BucketName::parse(good).is_ok(), "{good}");
        }
        let too_long = "a".repeat(64);
        for bad in [
            "",
            "ab",
            &too_long,
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
            "abc\n",
            "a\0b",
        ] {
            assert!(BucketName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn keys_are_counted_in_bytes() {
        assert!(ObjectKey::parse("é".repeat(512)).is_ok());
        assert!(matches!(ObjectKey::parse("é".repeat(513)), Err(Error::KeyTooLong)));
        assert!(matches!(ObjectKey::parse(""), Err(Error::KeyEmpty)));
    }
}
