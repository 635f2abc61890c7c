//! ListObjectVersions: versions and delete markers, interleaved, newest first within a key.

use onggi_cluster::metadata::record::{ChecksumAlgorithm, ChecksumType, ETag};

use crate::s3_api::etag;
use crate::s3_api::timestamp::iso_8601;
use crate::s3_api::xml::elements::{KeyEncoding, Owner, write_checksum_kind};
use crate::s3_api::xml::writer::XmlWriter;

pub struct VersionEntry<'a> {
    pub key: &'a str,
    /// `null` or the id.
    pub version_id: String,
    pub is_latest: bool,
    pub modified_ms: u64,
    /// `None` for a delete marker.
    pub object: Option<VersionObject<'a>>,
}

pub struct VersionObject<'a> {
    pub etag: &'a ETag,
    pub bytes: u64,
    pub checksum: Option<(ChecksumAlgorithm, ChecksumType)>,
}

pub struct VersionListing<'a> {
    pub bucket: &'a str,
    pub prefix: &'a str,
    pub delimiter: Option<&'a str>,
    pub encoding: KeyEncoding,
    pub max_keys: u32,
    pub is_truncated: bool,
    pub key_marker: &'a str,
    pub version_id_marker: &'a str,
    pub next_key_marker: Option<&'a str>,
    pub next_version_id_marker: Option<&'a str>,
    pub owner: &'a Owner,
    pub versions: Vec<VersionEntry<'a>>,
    pub common_prefixes: &'a [String],
}

impl VersionListing<'_> {
    pub fn to_xml(&self) -> String {
        let encode = |text| self.encoding.encode(text);
        XmlWriter::root("ListVersionsResult", |xml| {
            xml.text("Name", self.bucket);
            xml.text("Prefix", &encode(self.prefix));
            xml.text("KeyMarker", &encode(self.key_marker));
            xml.text("VersionIdMarker", self.version_id_marker);
            xml.text_if("NextKeyMarker", self.next_key_marker.map(encode).as_deref());
            xml.text_if("NextVersionIdMarker", self.next_version_id_marker);
            xml.number("MaxKeys", self.max_keys);
            xml.text_if("Delimiter", self.delimiter.map(encode).as_deref());
            self.encoding.write(xml);
            xml.number("IsTruncated", self.is_truncated);
            for version in &self.versions {
                self.write_version(xml, version);
            }
            self.encoding.write_common_prefixes(xml, self.common_prefixes);
        })
    }

    fn write_version(&self, xml: &mut XmlWriter, version: &VersionEntry<'_>) {
        let element = if version.object.is_some() { "Version" } else { "DeleteMarker" };
        xml.nest(element, |xml| {
            xml.text("Key", &self.encoding.encode(version.key));
            xml.text("VersionId", &version.version_id);
            xml.number("IsLatest", version.is_latest);
            xml.text("LastModified", &iso_8601(version.modified_ms));
            if let Some(object) = &version.object {
                xml.text("ETag", &etag::quoted(object.etag));
                write_checksum_kind(xml, object.checksum);
                xml.number("Size", object.bytes);
            }
            self.owner.write(xml, "Owner");
            if version.object.is_some() {
                xml.text("StorageClass", "STANDARD");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use onggi_cluster::metadata::record::ETag;

    use super::{VersionEntry, VersionListing, VersionObject};
    use crate::s3_api::xml::elements::{KeyEncoding, Owner};

    #[test]
    fn versions_and_markers() {
        let etag = ETag { md5: [1; 16], parts: None };
        let entry = |version_id: &str, is_latest, object| VersionEntry {
            key: "k",
            version_id: version_id.to_owned(),
            is_latest,
            modified_ms: 0,
            object,
        };
        let listing = VersionListing {
            bucket: "photos",
            prefix: "",
            delimiter: None,
            encoding: KeyEncoding::Plain,
            max_keys: 1000,
            is_truncated: true,
            key_marker: "",
            version_id_marker: "",
            next_key_marker: Some("k"),
            next_version_id_marker: Some("null"),
            owner: &Owner { id: "1".to_owned(), display_name: "root".to_owned() },
            versions: vec![
                entry("00ff", true, None),
                entry("null", false, Some(VersionObject { etag: &etag, bytes: 3, checksum: None })),
            ],
            common_prefixes: &[],
        };
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>photos</Name><Prefix></Prefix><KeyMarker></KeyMarker><VersionIdMarker></VersionIdMarker><NextKeyMarker>k</NextKeyMarker><NextVersionIdMarker>null</NextVersionIdMarker><MaxKeys>1000</MaxKeys><IsTruncated>true</IsTruncated><DeleteMarker><Key>k</Key><VersionId>00ff</VersionId><IsLatest>true</IsLatest><LastModified>1970-01-01T00:00:00.000Z</LastModified><Owner><ID>1</ID><DisplayName>root</DisplayName></Owner></DeleteMarker><Version><Key>k</Key><VersionId>null</VersionId><IsLatest>false</IsLatest><LastModified>1970-01-01T00:00:00.000Z</LastModified><ETag>&quot;01010101010101010101010101010101&quot;</ETag><Size>3</Size><Owner><ID>1</ID><DisplayName>root</DisplayName></Owner><StorageClass>STANDARD</StorageClass></Version></ListVersionsResult>"#]].assert_eq(&listing.to_xml());
    }
}
