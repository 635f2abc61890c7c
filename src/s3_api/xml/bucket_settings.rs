//! The small documents of buckets: ListBuckets, location, versioning, tags (of objects too).

use onggi_cluster::metadata::record::{Pairs, Versioning};

use crate::s3_api::error::{ErrorCode, Result, S3Error};
use crate::s3_api::timestamp::iso_8601;
use crate::s3_api::xml::elements::Owner;
use crate::s3_api::xml::reader::{malformed, parse};
use crate::s3_api::xml::writer::XmlWriter;

pub struct BucketEntry<'a> {
    pub name: &'a str,
    pub created_ms: u64,
    pub region: &'a str,
}

pub struct BucketListing<'a> {
    pub owner: &'a Owner,
    pub buckets: Vec<BucketEntry<'a>>,
    /// Echoed if the request had one.
    pub prefix: Option<&'a str>,
    /// For the next page, if there is one.
    pub continuation_token: Option<&'a str>,
}

impl BucketListing<'_> {
    pub fn to_xml(&self) -> String {
        XmlWriter::root("ListAllMyBucketsResult", |xml| {
            self.owner.write(xml, "Owner");
            xml.nest("Buckets", |xml| {
                for bucket in &self.buckets {
                    xml.nest("Bucket", |xml| {
                        xml.text("Name", bucket.name);
                        xml.text("CreationDate", &iso_8601(bucket.created_ms));
                        xml.text("BucketRegion", bucket.region);
                    });
                }
            });
            xml.text_if("ContinuationToken", self.continuation_token);
            xml.text_if("Prefix", self.prefix);
        })
    }
}

/// The LocationConstraint of CreateBucket; an empty body has none.
pub fn parse_create_bucket(document: &[u8]) -> Result<Option<String>> {
    if document.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let root = parse(document, "CreateBucketConfiguration")?;
    for element in ["Location", "Bucket", "Tags"] {
        if root.child(element).is_some() {
            return Err(S3Error::not_implemented(&format!("<{element}> in CreateBucketConfiguration")));
        }
    }
    Ok(root.text("LocationConstraint").filter(|location| !location.is_empty()).map(str::to_owned))
}

/// Empty for the default region, as AWS answers for us-east-1.
pub fn location(constraint: &str) -> String {
    let mut xml = XmlWriter::document();
    let attributes = format!(" xmlns=\"{}\"", crate::s3_api::xml::writer::NAMESPACE);
    xml.text_with_attributes("LocationConstraint", &attributes, constraint);
    xml.finish()
}

pub fn parse_versioning(document: &[u8]) -> Result<Versioning> {
    let root = parse(document, "VersioningConfiguration")?;
    if root.text("MfaDelete").is_some_and(|mfa| mfa != "Disabled") {
        return Err(S3Error::not_implemented("MfaDelete"));
    }
    match root.text("Status") {
        Some("Enabled") => Ok(Versioning::Enabled),
        Some("Suspended") => Ok(Versioning::Suspended),
        Some(_) => Err(malformed()),
        None => Err(ErrorCode::IllegalVersioningConfigurationException.into()),
    }
}

/// Without a status if versioning was never configured.
pub fn versioning(versioning: Versioning) -> String {
    XmlWriter::root("VersioningConfiguration", |xml| match versioning {
        Versioning::Never => {}
        // Every write of a file makes a version: what a client has to know.
        Versioning::Enabled | Versioning::Revisions => xml.text("Status", "Enabled"),
        Versioning::Suspended => xml.text("Status", "Suspended"),
    })
}

/// The rules for tags (`tagging::check_object_tags`, `check_bucket_tags`) are the caller's to apply.
pub fn parse_tagging(document: &[u8]) -> Result<Pairs> {
    let root = parse(document, "Tagging")?;
    let tags = root.require("TagSet")?.children("Tag");
    tags.map(|tag| Ok((tag.require("Key")?.text.clone(), tag.require("Value")?.text.clone()))).collect()
}

pub fn tagging(tags: &Pairs) -> String {
    XmlWriter::root("Tagging", |xml| {
        xml.nest("TagSet", |xml| {
            for (key, value) in tags {
                xml.nest("Tag", |xml| {
                    xml.text("Key", key);
                    xml.text("Value", value);
                });
            }
        });
    })
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use onggi_cluster::metadata::record::Versioning;

    use super::{
        BucketEntry, BucketListing, location, parse_create_bucket, parse_tagging, parse_versioning, tagging, versioning,
    };
    use crate::s3_api::error::ErrorCode;
    use crate::s3_api::xml::elements::Owner;

    #[test]
    fn list_buckets() {
        let listing = BucketListing {
            owner: &Owner { id: "1".to_owned(), display_name: "root".to_owned() },
            buckets: vec![BucketEntry { name: "photos", created_ms: 1_255_369_830_999, region: "us-east-1" }],
            prefix: Some("ph"),
            continuation_token: Some("photos"),
        };
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner><ID>1</ID><DisplayName>root</DisplayName></Owner><Buckets><Bucket><Name>photos</Name><CreationDate>2009-10-12T17:50:30.000Z</CreationDate><BucketRegion>us-east-1</BucketRegion></Bucket></Buckets><ContinuationToken>photos</ContinuationToken><Prefix>ph</Prefix></ListAllMyBucketsResult>"#]].assert_eq(&listing.to_xml());
    }

    #[test]
    fn locations() {
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></LocationConstraint>"#]]
        .assert_eq(&location(""));
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">eu-north-1</LocationConstraint>"#]]
        .assert_eq(&location("eu-north-1"));
        assert_eq!(parse_create_bucket(b"").unwrap(), None);
        assert_eq!(parse_create_bucket(b"<CreateBucketConfiguration/>").unwrap(), None);
        let given = b"<CreateBucketConfiguration><LocationConstraint> eu-north-1 </LocationConstraint></CreateBucketConfiguration>";
        assert_eq!(parse_create_bucket(given).unwrap().as_deref(), Some("eu-north-1"));
        let directory =
            b"<CreateBucketConfiguration><Bucket><Type>Directory</Type></Bucket></CreateBucketConfiguration>";
        assert_eq!(parse_create_bucket(directory).unwrap_err().code, ErrorCode::NotImplemented);
        assert!(parse_create_bucket(b"nonsense").is_err());
    }

    #[test]
    fn versioning_states() {
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></VersioningConfiguration>"#]]
        .assert_eq(&versioning(Versioning::Never));
        for state in [Versioning::Enabled, Versioning::Suspended] {
            assert_eq!(parse_versioning(versioning(state).as_bytes()).unwrap(), state);
        }
        let code = |document: &[u8]| parse_versioning(document).unwrap_err().code;
        assert_eq!(code(b"<VersioningConfiguration/>"), ErrorCode::IllegalVersioningConfigurationException);
        assert_eq!(
            code(b"<VersioningConfiguration><Status>on</Status></VersioningConfiguration>"),
            ErrorCode::MalformedXML
        );
        let mfa = b"<VersioningConfiguration><Status>Enabled</Status><MfaDelete>Enabled</MfaDelete></VersioningConfiguration>";
        assert_eq!(code(mfa), ErrorCode::NotImplemented);
    }

    #[test]
    fn tag_sets() {
        let tags = vec![("a".to_owned(), "1 & 2".to_owned()), ("b".to_owned(), String::new())];
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><TagSet><Tag><Key>a</Key><Value>1 &amp; 2</Value></Tag><Tag><Key>b</Key><Value></Value></Tag></TagSet></Tagging>"#]].assert_eq(&tagging(&tags));
        assert_eq!(parse_tagging(tagging(&tags).as_bytes()).unwrap(), tags);
        assert_eq!(parse_tagging(b"<Tagging><TagSet/></Tagging>").unwrap(), []);
        for bad in [&b""[..], b"<Tagging/>", b"<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>"] {
            assert_eq!(parse_tagging(bad).unwrap_err().code, ErrorCode::MalformedXML);
        }
    }
}
