//! ListMultipartUploads.

use onggi_cluster::metadata::record::{ChecksumAlgorithm, ChecksumType};

use crate::s3_api::timestamp::iso_8601;
use crate::s3_api::xml::elements::{KeyEncoding, Owner, write_checksum_kind};
use crate::s3_api::xml::writer::XmlWriter;

pub struct UploadEntry<'a> {
    pub key: &'a str,
    pub upload_id: String,
    pub initiated_ms: u64,
    pub checksum: Option<(ChecksumAlgorithm, ChecksumType)>,
}

pub struct UploadListing<'a> {
    pub bucket: &'a str,
    pub prefix: &'a str,
    pub delimiter: Option<&'a str>,
    pub encoding: KeyEncoding,
    pub max_uploads: u32,
    pub is_truncated: bool,
    pub key_marker: &'a str,
    pub upload_id_marker: &'a str,
    pub next_key_marker: Option<&'a str>,
    pub next_upload_id_marker: Option<&'a str>,
    pub owner: &'a Owner,
    pub uploads: Vec<UploadEntry<'a>>,
    pub common_prefixes: &'a [String],
}

impl UploadListing<'_> {
    pub fn to_xml(&self) -> String {
        let encode = |text| self.encoding.encode(text);
        XmlWriter::root("ListMultipartUploadsResult", |xml| {
            xml.text("Bucket", self.bucket);
            xml.text("KeyMarker", &encode(self.key_marker));
            xml.text("UploadIdMarker", self.upload_id_marker);
            xml.text_if("NextKeyMarker", self.next_key_marker.map(encode).as_deref());
            xml.text_if("NextUploadIdMarker", self.next_upload_id_marker);
            xml.text("Prefix", &encode(self.prefix));
            xml.text_if("Delimiter", self.delimiter.map(encode).as_deref());
            self.encoding.write(xml);
            xml.number("MaxUploads", self.max_uploads);
            xml.number("IsTruncated", self.is_truncated);
            for upload in &self.uploads {
                xml.nest("Upload", |xml| {
                    xml.text("Key", &encode(upload.key));
                    xml.text("UploadId", &upload.upload_id);
                    self.owner.write(xml, "Initiator");
                    self.owner.write(xml, "Owner");
                    xml.text("StorageClass", "STANDARD");
                    xml.text("Initiated", &iso_8601(upload.initiated_ms));
                    write_checksum_kind(xml, upload.checksum);
                });
            }
            self.encoding.write_common_prefixes(xml, self.common_prefixes);
        })
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use onggi_cluster::metadata::record::{ChecksumAlgorithm, ChecksumType};

    use super::{UploadEntry, UploadListing};
    use crate::s3_api::xml::elements::{KeyEncoding, Owner};

    #[test]
    fn uploads() {
        let listing = UploadListing {
            bucket: "photos",
            prefix: "a",
            delimiter: Some("/"),
            encoding: KeyEncoding::Url,
            max_uploads: 1,
            is_truncated: true,
            key_marker: "",
            upload_id_marker: "",
            next_key_marker: Some("a b"),
            next_upload_id_marker: Some("0011"),
            owner: &Owner { id: "1".to_owned(), display_name: "root".to_owned() },
            uploads: vec![UploadEntry {
                key: "a b",
                upload_id: "0011".to_owned(),
                initiated_ms: 1_255_369_830_999,
                checksum: Some((ChecksumAlgorithm::Crc32, ChecksumType::Composite)),
            }],
            common_prefixes: &["a/".to_owned()],
        };
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <ListMultipartUploadsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Bucket>photos</Bucket><KeyMarker></KeyMarker><UploadIdMarker></UploadIdMarker><NextKeyMarker>a%20b</NextKeyMarker><NextUploadIdMarker>0011</NextUploadIdMarker><Prefix>a</Prefix><Delimiter>/</Delimiter><EncodingType>url</EncodingType><MaxUploads>1</MaxUploads><IsTruncated>true</IsTruncated><Upload><Key>a%20b</Key><UploadId>0011</UploadId><Initiator><ID>1</ID><DisplayName>root</DisplayName></Initiator><Owner><ID>1</ID><DisplayName>root</DisplayName></Owner><StorageClass>STANDARD</StorageClass><Initiated>2009-10-12T17:50:30.000Z</Initiated><ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumType>COMPOSITE</ChecksumType></Upload><CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes></ListMultipartUploadsResult>"#]].assert_eq(&listing.to_xml());
    }
}
