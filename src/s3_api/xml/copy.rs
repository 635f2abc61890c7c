//! CopyObject, UploadPartCopy and the reply to a form upload.

use onggi_cluster::metadata::record::{Checksum, ETag};

use crate::s3_api::checksum::type_name;
use crate::s3_api::etag;
use crate::s3_api::timestamp::iso_8601;
use crate::s3_api::xml::elements::write_checksum;
use crate::s3_api::xml::writer::XmlWriter;

pub fn object_copied(etag: &ETag, modified_ms: u64, checksum: Option<&Checksum>) -> String {
    XmlWriter::root("CopyObjectResult", |xml| {
        xml.text("LastModified", &iso_8601(modified_ms));
        xml.text("ETag", &etag::quoted(etag));
        xml.text_if("ChecksumType", checksum.map(|checksum| type_name(checksum.kind)));
        write_checksum(xml, checksum, etag.parts);
    })
}

pub fn part_copied(md5: [u8; 16], modified_ms: u64, checksum: Option<&Checksum>) -> String {
    XmlWriter::root("CopyPartResult", |xml| {
        xml.text("LastModified", &iso_8601(modified_ms));
        xml.text("ETag", &etag::quoted(&ETag { md5, parts: None }));
        write_checksum(xml, checksum, None);
    })
}

/// For `success_action_status=201`.
pub fn form_uploaded(location: &str, bucket: &str, key: &str, etag: &ETag) -> String {
    let mut xml = XmlWriter::document();
    xml.nest("PostResponse", |xml| {
        xml.text("Location", location);
        xml.text("Bucket", bucket);
        xml.text("Key", key);
        xml.text("ETag", &etag::quoted(etag));
    });
    xml.finish()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use onggi_cluster::metadata::record::{Checksum, ChecksumAlgorithm, ChecksumType, ETag};

    use super::{form_uploaded, object_copied, part_copied};

    #[test]
    fn replies() {
        let etag = ETag { md5: [7; 16], parts: None };
        let checksum =
            Checksum { algorithm: ChecksumAlgorithm::Crc32c, kind: ChecksumType::FullObject, value: vec![0; 4] };
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <CopyObjectResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LastModified>2009-10-12T17:50:30.000Z</LastModified><ETag>&quot;07070707070707070707070707070707&quot;</ETag><ChecksumType>FULL_OBJECT</ChecksumType><ChecksumCRC32C>AAAAAA==</ChecksumCRC32C></CopyObjectResult>"#]].assert_eq(&object_copied(&etag, 1_255_369_830_999, Some(&checksum)));
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <CopyPartResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LastModified>2009-10-12T17:50:30.000Z</LastModified><ETag>&quot;07070707070707070707070707070707&quot;</ETag></CopyPartResult>"#]].assert_eq(&part_copied([7; 16], 1_255_369_830_999, None));
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <PostResponse><Location>http://localhost/b/k%20</Location><Bucket>b</Bucket><Key>k </Key><ETag>&quot;07070707070707070707070707070707&quot;</ETag></PostResponse>"#]].assert_eq(&form_uploaded("http://localhost/b/k%20", "b", "k ", &etag));
    }
}
