//! Elements that several documents share: owners, checksums, key encoding.

use onggi_cluster::metadata::record::{Checksum, ChecksumAlgorithm, ChecksumType};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::borrow::Cow;

use crate::s3_api::checksum::{algorithm_name, element_name, text, type_name};
use crate::s3_api::error::{Result, S3Error};
use crate::s3_api::xml::writer::XmlWriter;

/// A user as documents show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    pub id: String,
    pub display_name: String,
}

impl Owner {
    /// As `Owner` or as `Initiator`.
    pub fn write(&self, xml: &mut XmlWriter, element: &str) {
        xml.nest(element, |xml| {
            xml.text("ID", &self.id);
            xml.text("DisplayName", &self.display_name);
        });
    }
}

/// `encoding-type=url`: keys, prefixes, delimiters and markers are percent-encoded, tokens are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyEncoding {
    Plain,
    Url,
}

/// A space as `%20`, which decodes the same whether or not the client takes `+` for a space.
const ENCODED_IN_KEYS: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/').remove(b'*');

impl KeyEncoding {
    pub fn parse(encoding_type: Option<&str>) -> Result<Self> {
        match encoding_type {
            None | Some("") => Ok(Self::Plain),
            Some("url") => Ok(Self::Url),
            Some(other) => {
                let message = "Invalid Encoding Method specified in Request";
                Err(S3Error::invalid_argument(message, "encoding-type", other))
            }
        }
    }

    pub fn encode(self, key: &str) -> Cow<'_, str> {
        match self {
            Self::Plain => Cow::Borrowed(key),
            Self::Url => utf8_percent_encode(key, ENCODED_IN_KEYS).into(),
        }
    }

    pub(super) fn write(self, xml: &mut XmlWriter) {
        if self == Self::Url {
            xml.text("EncodingType", "url");
        }
    }

    pub(super) fn write_common_prefixes(self, xml: &mut XmlWriter, prefixes: &[String]) {
        for prefix in prefixes {
            xml.nest("CommonPrefixes", |xml| xml.text("Prefix", &self.encode(prefix)));
        }
    }
}

/// `<ChecksumCRC32>…`; `parts` for the `-N` of composite ones.
pub(super) fn write_checksum(xml: &mut XmlWriter, checksum: Option<&Checksum>, parts: Option<u32>) {
    if let Some(checksum) = checksum {
        xml.text(element_name(checksum.algorithm), &text(checksum, parts));
    }
}

pub(super) fn write_checksum_kind(xml: &mut XmlWriter, kind: Option<(ChecksumAlgorithm, ChecksumType)>) {
    if let Some((algorithm, kind)) = kind {
        xml.text("ChecksumAlgorithm", algorithm_name(algorithm));
        xml.text("ChecksumType", type_name(kind));
    }
}

#[cfg(test)]
mod tests {
    use super::KeyEncoding;

    #[test]
    fn url_encoding() {
        assert_eq!(KeyEncoding::Url.encode("a b/c+d&é\u{1}"), "a%20b/c%2Bd%26%C3%A9%01");
        assert_eq!(KeyEncoding::Plain.encode("a b"), "a b");
        assert!(KeyEncoding::parse(Some("base64")).is_err());
        assert_eq!(KeyEncoding::parse(Some("url")).unwrap(), KeyEncoding::Url);
    }
}
