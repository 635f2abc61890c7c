//! ListObjects and ListObjectsV2.

use onggi_cluster::metadata::record::{ChecksumAlgorithm, ChecksumType, ETag};

use crate::s3_api::etag;
use crate::s3_api::timestamp::iso_8601;
use crate::s3_api::xml::elements::{KeyEncoding, Owner, write_checksum_kind};
use crate::s3_api::xml::writer::XmlWriter;

pub struct ObjectEntry<'a> {
    pub key: &'a str,
    pub modified_ms: u64,
    pub etag: &'a ETag,
    pub bytes: u64,
    pub checksum: Option<(ChecksumAlgorithm, ChecksumType)>,
    pub owner: Option<&'a Owner>,
}

/// What both versions have in common.
pub struct ObjectListing<'a> {
    pub bucket: &'a str,
    pub prefix: &'a str,
    pub delimiter: Option<&'a str>,
    pub encoding: KeyEncoding,
    /// As clamped, not as asked for.
    pub max_keys: u32,
    pub is_truncated: bool,
    pub objects: Vec<ObjectEntry<'a>>,
    pub common_prefixes: &'a [String],
}

impl ObjectListing<'_> {
    /// `next_marker`: AWS gives it only with a delimiter; giving it always saves clients from guessing.
    pub fn to_v1(&self, marker: &str, next_marker: Option<&str>) -> String {
        XmlWriter::root("ListBucketResult", |xml| {
            self.write_name_and_prefix(xml);
            xml.text("Marker", &self.encoding.encode(marker));
            xml.text_if("NextMarker", next_marker.map(|key| self.encoding.encode(key)).as_deref());
            self.write_rest(xml);
        })
    }

    pub fn to_v2(&self, start_after: Option<&str>, token: Option<&str>, next_token: Option<&str>) -> String {
        XmlWriter::root("ListBucketResult", |xml| {
            self.write_name_and_prefix(xml);
            xml.text_if("StartAfter", start_after.map(|key| self.encoding.encode(key)).as_deref());
            xml.text_if("ContinuationToken", token);
            xml.text_if("NextContinuationToken", next_token);
            xml.number("KeyCount", self.objects.len() + self.common_prefixes.len());
            self.write_rest(xml);
        })
    }

    fn write_name_and_prefix(&self, xml: &mut XmlWriter) {
        xml.text("Name", self.bucket);
        xml.text("Prefix", &self.encoding.encode(self.prefix));
    }

    fn write_rest(&self, xml: &mut XmlWriter) {
        xml.number("MaxKeys", self.max_keys);
        xml.text_if("Delimiter", self.delimiter.map(|delimiter| self.encoding.encode(delimiter)).as_deref());
        self.encoding.write(xml);
        xml.number("IsTruncated", self.is_truncated);
        for object in &self.objects {
            xml.nest("Contents", |xml| {
                xml.text("Key", &self.encoding.encode(object.key));
                xml.text("LastModified", &iso_8601(object.modified_ms));
                xml.text("ETag", &etag::quoted(object.etag));
                write_checksum_kind(xml, object.checksum);
                xml.number("Size", object.bytes);
                if let Some(owner) = object.owner {
                    owner.write(xml, "Owner");
                }
                xml.text("StorageClass", "STANDARD");
            });
        }
        self.encoding.write_common_prefixes(xml, self.common_prefixes);
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use onggi_cluster::metadata::record::{ChecksumAlgorithm, ChecksumType, ETag};

    use super::{ObjectEntry, ObjectListing};
    use crate::s3_api::xml::elements::{KeyEncoding, Owner};

    #[test]
    fn both_versions() {
        let owner = Owner { id: "1".to_owned(), display_name: "root".to_owned() };
        let etag = ETag { md5: [7; 16], parts: Some(2) };
        let prefixes = ["a b/".to_owned()];
        let listing = |encoding, owner| ObjectListing {
            bucket: "photos",
            prefix: "a b",
            delimiter: Some("/"),
            encoding,
            max_keys: 2,
            is_truncated: true,
            objects: vec![ObjectEntry {
                key: "a b<1>",
                modified_ms: 1_255_369_830_999,
                etag: &etag,
                bytes: 434_234,
                checksum: Some((ChecksumAlgorithm::Crc64Nvme, ChecksumType::FullObject)),
                owner,
            }],
            common_prefixes: &prefixes,
        };
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>photos</Name><Prefix>a b</Prefix><Marker></Marker><NextMarker>a b/</NextMarker><MaxKeys>2</MaxKeys><Delimiter>/</Delimiter><IsTruncated>true</IsTruncated><Contents><Key>a b&lt;1&gt;</Key><LastModified>2009-10-12T17:50:30.000Z</LastModified><ETag>&quot;07070707070707070707070707070707-2&quot;</ETag><ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType><Size>434234</Size><Owner><ID>1</ID><DisplayName>root</DisplayName></Owner><StorageClass>STANDARD</StorageClass></Contents><CommonPrefixes><Prefix>a b/</Prefix></CommonPrefixes></ListBucketResult>"#]].assert_eq(&listing(KeyEncoding::Plain, Some(&owner)).to_v1("", Some("a b/")));
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>photos</Name><Prefix>a%20b</Prefix><StartAfter>a%20</StartAfter><NextContinuationToken>token+/=</NextContinuationToken><KeyCount>2</KeyCount><MaxKeys>2</MaxKeys><Delimiter>/</Delimiter><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><Contents><Key>a%20b%3C1%3E</Key><LastModified>2009-10-12T17:50:30.000Z</LastModified><ETag>&quot;07070707070707070707070707070707-2&quot;</ETag><ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType><Size>434234</Size><StorageClass>STANDARD</StorageClass></Contents><CommonPrefixes><Prefix>a%20b/</Prefix></CommonPrefixes></ListBucketResult>"#]].assert_eq(&listing(KeyEncoding::Url, None).to_v2(Some("a "), None, Some("token+/=")));
    }
}
