//! DeleteObjects: a thousand keys in, one line for each out.

use onggi_cluster::metadata::command::WriteCondition;

use crate::s3_api::conditional::if_match;
use crate::s3_api::error::{Result, S3Error};
use crate::s3_api::xml::reader::{malformed, parse};
use crate::s3_api::xml::writer::XmlWriter;

const OBJECTS_MAX: usize = 1000;

#[derive(Debug, PartialEq)]
pub struct DeleteRequest {
    /// Only failures are listed in the reply.
    pub quiet: bool,
    pub objects: Vec<DeleteEntry>,
}

#[derive(Debug, PartialEq)]
pub struct DeleteEntry {
    pub key: String,
    /// As given; `version_id::parse` may refuse it, for this key alone.
    pub version_id: Option<String>,
    pub condition: WriteCondition,
    /// A condition that only directory buckets have: this key is answered with 501.
    pub not_implemented: bool,
}

pub fn parse_request(document: &[u8]) -> Result<DeleteRequest> {
    let root = parse(document, "Delete")?;
    let mut objects = Vec::new();
    for object in root.children("Object") {
        let key = object.require("Key")?.text.clone();
        if key.is_empty() || objects.len() == OBJECTS_MAX {
            return Err(malformed());
        }
        objects.push(DeleteEntry {
            key,
            version_id: object.text("VersionId").map(str::to_owned),
            condition: object.text("ETag").map_or(WriteCondition::None, if_match),
            not_implemented: object.child("LastModifiedTime").is_some() || object.child("Size").is_some(),
        });
    }
    if objects.is_empty() {
        return Err(malformed());
    }
    let quiet = root.text("Quiet").is_some_and(|quiet| quiet.eq_ignore_ascii_case("true"));
    Ok(DeleteRequest { quiet, objects })
}

/// What became of one key.
pub struct DeleteReply<'a> {
    pub key: &'a str,
    /// As the request gave it.
    pub version_id: Option<&'a str>,
    pub outcome: std::result::Result<DeletedObject, S3Error>,
}

#[derive(Clone, Debug, Default)]
pub struct DeletedObject {
    /// A delete marker was made, or the version that was removed was one.
    pub delete_marker: bool,
    pub delete_marker_version_id: Option<String>,
}

pub fn to_xml(replies: &[DeleteReply<'_>], quiet: bool) -> String {
    XmlWriter::root("DeleteResult", |xml| {
        for reply in replies {
            match &reply.outcome {
                Ok(_) if quiet => {}
                Ok(deleted) => xml.nest("Deleted", |xml| {
                    xml.text("Key", reply.key);
                    xml.text_if("VersionId", reply.version_id);
                    if deleted.delete_marker {
                        xml.number("DeleteMarker", true);
                    }
                    xml.text_if("DeleteMarkerVersionId", deleted.delete_marker_version_id.as_deref());
                }),
                Err(error) => xml.nest("Error", |xml| {
                    xml.text("Key", reply.key);
                    xml.text_if("VersionId", reply.version_id);
                    xml.text("Code", error.code.as_str());
                    xml.text("Message", &error.message);
                }),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use onggi_cluster::metadata::command::WriteCondition;

    use super::{DeleteReply, DeletedObject, parse_request, to_xml};
    use crate::s3_api::error::{ErrorCode, S3Error};

    #[test]
    fn requests() {
        let request = parse_request(b"<Delete xmlns='urn:x'><Quiet>true</Quiet><Object><Key> a&#x20;</Key><VersionId>null</VersionId></Object><Object><Key>b</Key><ETag>*</ETag><Size>1</Size></Object></Delete>").unwrap();
        assert!(request.quiet);
        assert_eq!(request.objects[0].key, " a ");
        assert_eq!(request.objects[0].version_id.as_deref(), Some("null"));
        assert_eq!(request.objects[1].condition, WriteCondition::MustExist);
        assert!(request.objects[1].not_implemented && !request.objects[0].not_implemented);
        let many = |count| format!("<Delete>{}</Delete>", "<Object><Key>k</Key></Object>".repeat(count));
        assert_eq!(parse_request(many(1000).as_bytes()).unwrap().objects.len(), 1000);
        for document in [
            many(1001),
            many(0),
            "<Delete><Object/></Delete>".to_owned(),
            "<Delete><Object><Key/></Object></Delete>".to_owned(),
        ] {
            assert_eq!(parse_request(document.as_bytes()).unwrap_err().code, ErrorCode::MalformedXML);
        }
    }

    #[test]
    fn replies() {
        let marker = DeletedObject { delete_marker: true, delete_marker_version_id: Some("00ff".to_owned()) };
        let replies = [
            DeleteReply { key: "a", version_id: None, outcome: Ok(marker) },
            DeleteReply { key: "b", version_id: Some("null"), outcome: Ok(DeletedObject::default()) },
            DeleteReply { key: "c", version_id: None, outcome: Err(S3Error::precondition_failed("If-Match")) },
        ];
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Deleted><Key>a</Key><DeleteMarker>true</DeleteMarker><DeleteMarkerVersionId>00ff</DeleteMarkerVersionId></Deleted><Deleted><Key>b</Key><VersionId>null</VersionId></Deleted><Error><Key>c</Key><Code>PreconditionFailed</Code><Message>At least one of the pre-conditions you specified did not hold</Message></Error></DeleteResult>"#]].assert_eq(&to_xml(&replies, false));
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Error><Key>c</Key><Code>PreconditionFailed</Code><Message>At least one of the pre-conditions you specified did not hold</Message></Error></DeleteResult>"#]].assert_eq(&to_xml(&replies, true));
    }
}
