//! GetObjectAttributes: the one document whose ETag is not quoted.

use http::HeaderMap;
use onggi_cluster::metadata::record::{Checksum, ETag};

use crate::s3_api::checksum::type_name;
use crate::s3_api::error::{Result, S3Error};
use crate::s3_api::etag;
use crate::s3_api::xml::elements::write_checksum;
use crate::s3_api::xml::writer::XmlWriter;

/// What `x-amz-object-attributes` asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WantedAttributes {
    pub etag: bool,
    pub checksum: bool,
    pub parts: bool,
    pub storage_class: bool,
    pub size: bool,
}

impl WantedAttributes {
    pub fn parse(headers: &HeaderMap) -> Result<Self> {
        let mut wanted = Self::default();
        for value in headers.get_all("x-amz-object-attributes") {
            let text = value.to_str().unwrap_or("?");
            for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
                match name {
                    "ETag" => wanted.etag = true,
                    "Checksum" => wanted.checksum = true,
                    "ObjectParts" => wanted.parts = true,
                    "StorageClass" => wanted.storage_class = true,
                    "ObjectSize" => wanted.size = true,
                    _ => {
                        return Err(S3Error::invalid_argument(
                            "Invalid attribute name specified.",
                            "x-amz-object-attributes",
                            text,
                        ));
                    }
                }
            }
        }
        if wanted == Self::default() {
            let message = "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty";
            return Err(S3Error::invalid_request(message));
        }
        Ok(wanted)
    }
}

pub struct ObjectAttributes<'a> {
    pub wanted: WantedAttributes,
    pub etag: &'a ETag,
    pub bytes: u64,
    pub checksum: Option<&'a Checksum>,
    /// Of a multipart object.
    pub parts: Option<AttributeParts<'a>>,
}

pub struct AttributeParts<'a> {
    pub part_number_marker: u32,
    pub max_parts: u32,
    pub is_truncated: bool,
    /// AWS lists the parts only where they have checksums.
    pub parts: Vec<AttributePart<'a>>,
}

pub struct AttributePart<'a> {
    pub number: u16,
    pub bytes: u64,
    pub checksum: &'a Checksum,
}

impl ObjectAttributes<'_> {
    pub fn to_xml(&self) -> String {
        let wanted = self.wanted;
        XmlWriter::root("GetObjectAttributesResponse", |xml| {
            if wanted.etag {
                xml.text("ETag", &etag::bare(self.etag));
            }
            if let (true, Some(checksum)) = (wanted.checksum, self.checksum) {
                xml.nest("Checksum", |xml| {
                    write_checksum(xml, Some(checksum), self.etag.parts);
                    xml.text("ChecksumType", type_name(checksum.kind));
                });
            }
            if let (true, Some(parts)) = (wanted.parts, &self.parts) {
                xml.nest("ObjectParts", |xml| parts.write(xml, self.etag.parts.unwrap_or(1)));
            }
            if wanted.storage_class {
                xml.text("StorageClass", "STANDARD");
            }
            if wanted.size {
                xml.number("ObjectSize", self.bytes);
            }
        })
    }
}

impl AttributeParts<'_> {
    fn write(&self, xml: &mut XmlWriter, count: u32) {
        xml.number("PartsCount", count);
        if let Some(last) = self.parts.last() {
            xml.number("PartNumberMarker", self.part_number_marker);
            xml.number("NextPartNumberMarker", last.number);
            xml.number("MaxParts", self.max_parts);
            xml.number("IsTruncated", self.is_truncated);
        }
        for part in &self.parts {
            xml.nest("Part", |xml| {
                xml.number("PartNumber", part.number);
                xml.number("Size", part.bytes);
                write_checksum(xml, Some(part.checksum), None);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use http::{HeaderMap, HeaderValue};
    use onggi_cluster::metadata::record::{Checksum, ChecksumAlgorithm, ChecksumType, ETag};

    use super::{AttributePart, AttributeParts, ObjectAttributes, WantedAttributes};

    fn wanted(list: &'static str) -> crate::s3_api::error::Result<WantedAttributes> {
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-object-attributes", HeaderValue::from_static(list));
        WantedAttributes::parse(&headers)
    }

    #[test]
    fn attributes() {
        let checksum = |kind| Checksum { algorithm: ChecksumAlgorithm::Crc32, kind, value: vec![0; 4] };
        let (whole, part) = (checksum(ChecksumType::Composite), checksum(ChecksumType::FullObject));
        let attributes = ObjectAttributes {
            wanted: wanted("ETag, Checksum,ObjectParts,StorageClass,ObjectSize").unwrap(),
            etag: &ETag { md5: [7; 16], parts: Some(2) },
            bytes: 12,
            checksum: Some(&whole),
            parts: Some(AttributeParts {
                part_number_marker: 0,
                max_parts: 1,
                is_truncated: true,
                parts: vec![AttributePart { number: 1, bytes: 6, checksum: &part }],
            }),
        };
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <GetObjectAttributesResponse xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><ETag>07070707070707070707070707070707-2</ETag><Checksum><ChecksumCRC32>AAAAAA==-2</ChecksumCRC32><ChecksumType>COMPOSITE</ChecksumType></Checksum><ObjectParts><PartsCount>2</PartsCount><PartNumberMarker>0</PartNumberMarker><NextPartNumberMarker>1</NextPartNumberMarker><MaxParts>1</MaxParts><IsTruncated>true</IsTruncated><Part><PartNumber>1</PartNumber><Size>6</Size><ChecksumCRC32>AAAAAA==</ChecksumCRC32></Part></ObjectParts><StorageClass>STANDARD</StorageClass><ObjectSize>12</ObjectSize></GetObjectAttributesResponse>"#]].assert_eq(&attributes.to_xml());
        let size_only = ObjectAttributes { wanted: wanted("ObjectSize").unwrap(), ..attributes };
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <GetObjectAttributesResponse xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><ObjectSize>12</ObjectSize></GetObjectAttributesResponse>"#]].assert_eq(&size_only.to_xml());
        assert!(wanted("").is_err() && wanted("Colour").is_err());
    }
}
