//! The documents of one multipart upload: InitiateMultipartUpload, CompleteMultipartUpload, ListParts.

use onggi_cluster::metadata::command::PartReference;
use onggi_cluster::metadata::record::{Checksum, ChecksumAlgorithm, ChecksumType, ETag};

use crate::s3_api::checksum::{element_name, parse_value, type_name};
use crate::s3_api::error::{ErrorCode, Result, S3Error};
use crate::s3_api::etag;
use crate::s3_api::timestamp::iso_8601;
use crate::s3_api::xml::elements::{Owner, write_checksum, write_checksum_kind};
use crate::s3_api::xml::reader::{Element, malformed, parse};
use crate::s3_api::xml::writer::XmlWriter;

const PARTS_MAX: usize = 10_000;

pub fn initiated(bucket: &str, key: &str, upload_id: &str) -> String {
    XmlWriter::root("InitiateMultipartUploadResult", |xml| {
        xml.text("Bucket", bucket);
        xml.text("Key", key);
        xml.text("UploadId", upload_id);
    })
}

/// 1 to 10,000, from `partNumber=` or `<PartNumber>`.
pub fn parse_part_number(text: &str) -> Result<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u16>() {
        Ok(number @ 1..=10_000) if digits => Ok(number),
        _ => {
            let message = "Part number must be an integer between 1 and 10000, inclusive";
            Err(S3Error::invalid_argument(message, "partNumber", text))
        }
    }
}

/// The parts that CompleteMultipartUpload names, in the order given; whether that order is right is decided in `apply`.
pub fn parse_complete(document: &[u8]) -> Result<Vec<PartReference>> {
    let root = parse(document, "CompleteMultipartUpload")?;
    let parts: Vec<_> = root.children("Part").map(parse_part).collect::<Result<_>>()?;
    if parts.is_empty() || parts.len() > PARTS_MAX {
        return Err(malformed());
    }
    Ok(parts)
}

fn parse_part(part: &Element) -> Result<PartReference> {
    let number = parse_part_number(part.require("PartNumber")?.text.trim())?;
    let etag_text = part.require("ETag")?.text.trim();
    let invalid_part =
        || S3Error::new(ErrorCode::InvalidPart).field("PartNumber", number.to_string()).field("ETag", etag_text);
    let etag = etag::parse(etag_text).filter(|etag| etag.parts.is_none()).ok_or_else(invalid_part)?;
    let mut checksum = None;
    for algorithm in ChecksumAlgorithm::ALL {
        let Some(text) = part.text(element_name(algorithm)).filter(|text| !text.is_empty()) else { continue };
        let value = parse_value(algorithm, text).ok_or_else(invalid_part)?;
        checksum = Some(Checksum { algorithm, kind: ChecksumType::FullObject, value });
    }
    Ok(PartReference { number, md5: etag.md5, checksum })
}

pub struct Completed<'a> {
    /// The URL of the object.
    pub location: &'a str,
    pub bucket: &'a str,
    pub key: &'a str,
    pub etag: &'a ETag,
    pub checksum: Option<&'a Checksum>,
}

impl Completed<'_> {
    pub fn to_xml(&self) -> String {
        XmlWriter::root("CompleteMultipartUploadResult", |xml| self.write_content(xml))
    }

    fn write_content(&self, xml: &mut XmlWriter) {
        xml.text("Location", self.location);
        xml.text("Bucket", self.bucket);
        xml.text("Key", self.key);
        xml.text("ETag", &etag::quoted(self.etag));
        write_checksum(xml, self.checksum, self.etag.parts);
        xml.text_if("ChecksumType", self.checksum.map(|checksum| type_name(checksum.kind)));
    }
}

pub struct PartEntry<'a> {
    pub number: u16,
    pub modified_ms: u64,
    pub md5: [u8; 16],
    pub bytes: u64,
    pub checksum: Option<&'a Checksum>,
}

pub struct PartListing<'a> {
    pub bucket: &'a str,
    pub key: &'a str,
    pub upload_id: &'a str,
    pub part_number_marker: u32,
    pub max_parts: u32,
    pub is_truncated: bool,
    pub owner: &'a Owner,
    pub checksum: Option<(ChecksumAlgorithm, ChecksumType)>,
    pub parts: Vec<PartEntry<'a>>,
}

impl PartListing<'_> {
    pub fn to_xml(&self) -> String {
        let next_marker = self.parts.last().map_or(self.part_number_marker, |part| u32::from(part.number));
        XmlWriter::root("ListPartsResult", |xml| {
            xml.text("Bucket", self.bucket);
            xml.text("Key", self.key);
            xml.text("UploadId", self.upload_id);
            xml.number("PartNumberMarker", self.part_number_marker);
            xml.number("NextPartNumberMarker", next_marker);
            xml.number("MaxParts", self.max_parts);
            xml.number("IsTruncated", self.is_truncated);
            write_checksum_kind(xml, self.checksum);
            for part in &self.parts {
                xml.nest("Part", |xml| {
                    xml.number("PartNumber", part.number);
                    xml.text("LastModified", &iso_8601(part.modified_ms));
                    xml.text("ETag", &etag::quoted(&ETag { md5: part.md5, parts: None }));
                    xml.number("Size", part.bytes);
                    write_checksum(xml, part.checksum, None);
                });
            }
            self.owner.write(xml, "Initiator");
            self.owner.write(xml, "Owner");
            xml.text("StorageClass", "STANDARD");
        })
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use onggi_cluster::metadata::record::{Checksum, ChecksumAlgorithm, ChecksumType, ETag};

    use super::{Completed, PartEntry, PartListing, initiated, parse_complete};
    use crate::s3_api::xml::elements::Owner;

    fn crc32(kind: ChecksumType) -> Checksum {
        Checksum { algorithm: ChecksumAlgorithm::Crc32, kind, value: vec![0xcb, 0xf4, 0x39, 0x26] }
    }

    #[test]
    fn replies() {
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <InitiateMultipartUploadResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Bucket>photos</Bucket><Key>a&amp;b</Key><UploadId>0011</UploadId></InitiateMultipartUploadResult>"#]].assert_eq(&initiated("photos", "a&b", "0011"));
        let composite = crc32(ChecksumType::Composite);
        let completed = Completed {
            location: "https://s3.example.com/photos/a",
            bucket: "photos",
            key: "a",
            etag: &ETag { md5: [7; 16], parts: Some(2) },
            checksum: Some(&composite),
        };
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <CompleteMultipartUploadResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Location>https://s3.example.com/photos/a</Location><Bucket>photos</Bucket><Key>a</Key><ETag>&quot;07070707070707070707070707070707-2&quot;</ETag><ChecksumCRC32>y/Q5Jg==-2</ChecksumCRC32><ChecksumType>COMPOSITE</ChecksumType></CompleteMultipartUploadResult>"#]].assert_eq(&completed.to_xml());
        let checksum = crc32(ChecksumType::FullObject);
        let listing = PartListing {
            bucket: "photos",
            key: "a",
            upload_id: "0011",
            part_number_marker: 0,
            max_parts: 1,
            is_truncated: true,
            owner: &Owner { id: "1".to_owned(), display_name: "root".to_owned() },
            checksum: Some((ChecksumAlgorithm::Crc32, ChecksumType::Composite)),
            parts: vec![PartEntry {
                number: 3,
                modified_ms: 0,
                md5: [1; 16],
                bytes: 5_242_880,
                checksum: Some(&checksum),
            }],
        };
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <ListPartsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Bucket>photos</Bucket><Key>a</Key><UploadId>0011</UploadId><PartNumberMarker>0</PartNumberMarker><NextPartNumberMarker>3</NextPartNumberMarker><MaxParts>1</MaxParts><IsTruncated>true</IsTruncated><ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumType>COMPOSITE</ChecksumType><Part><PartNumber>3</PartNumber><LastModified>1970-01-01T00:00:00.000Z</LastModified><ETag>&quot;01010101010101010101010101010101&quot;</ETag><Size>5242880</Size><ChecksumCRC32>y/Q5Jg==</ChecksumCRC32></Part><Initiator><ID>1</ID><DisplayName>root</DisplayName></Initiator><Owner><ID>1</ID><DisplayName>root</DisplayName></Owner><StorageClass>STANDARD</StorageClass></ListPartsResult>"#]].assert_eq(&listing.to_xml());
    }

    fn complete(parts: &str) -> String {
        let document = format!("<CompleteMultipartUpload xmlns=\"urn:x\">{parts}</CompleteMultipartUpload>");
        match parse_complete(document.as_bytes()) {
            Ok(parts) => {
                format!("{:?}", parts.iter().map(|part| (part.number, part.checksum.is_some())).collect::<Vec<_>>())
            }
            Err(error) => error.code.as_str().to_owned(),
        }
    }

    #[test]
    fn requests() {
        let etag = "01010101010101010101010101010101";
        let part = |number: &str, etag: &str, more: &str| {
            format!("<Part><Unknown/><ETag>{etag}</ETag><PartNumber>{number}</PartNumber>{more}</Part>")
        };
        let two =
            part("2", &format!("&quot;{etag}&quot;"), "<ChecksumCRC32>y/Q5Jg==</ChecksumCRC32>") + &part("1", etag, "");
        assert_eq!(complete(&two), "[(2, true), (1, false)]");
        assert_eq!(complete(""), "MalformedXML");
        assert_eq!(complete("<Part><PartNumber>1</PartNumber></Part>"), "MalformedXML");
        assert_eq!(complete(&part("0", etag, "")), "InvalidArgument");
        assert_eq!(complete(&part("10001", etag, "")), "InvalidArgument");
        assert_eq!(complete(&part("1", "foreign", "")), "InvalidPart");
        assert_eq!(complete(&part("1", &format!("{etag}-2"), "")), "InvalidPart");
        assert_eq!(complete(&part("1", etag, "<ChecksumCRC32>zz</ChecksumCRC32>")), "InvalidPart");
        assert_eq!(complete(&part("1", etag, "").repeat(10_001)), "MalformedXML");
    }
}
