//! CompleteMultipartUpload.

use crate::s3_api::checksum::request::completed_checksum;
use crate::s3_api::error::Result;
use crate::s3_api::object_reply::write_version;
use crate::s3_api::reply::{self, Reply};
use crate::s3_api::request::Request;
use crate::s3_api::request_body::DocumentProof;
use crate::s3_api::xml::elements::KeyEncoding;
use crate::s3_api::xml::multipart::{self, Completed};
use crate::s3_api::{conditional, keep_alive};
use crate::services::Services;
use crate::services::multipart_service::CompleteOptions;

pub async fn complete_multipart_upload(services: &Services, request: Request) -> Result<Reply> {
    let target = request.upload()?;
    let (checksum, checksum_type) = completed_checksum(&request.headers)?;
    let condition = conditional::write_condition(&request.headers)?;
    let expected_bytes = request.number_header("x-amz-mp-object-size")?;
    // The checksum in the headers is the object's, not this document's.
    let document = request.body.into_document(&request.headers, DocumentProof::NotNeeded).await?;
    let parts = multipart::parse_complete(&document)?;

    let options = CompleteOptions { parts, checksum, checksum_type, expected_bytes, condition };
    let (services, principal, origin) = (services.clone(), request.principal, request.origin);
    let work = async move {
        let object = target.target.clone();
        let written = services.multipart.complete(&principal, target, options).await?;
        let path = KeyEncoding::Url.encode(object.key.as_str());
        let document = Completed {
            location: &format!("{origin}/{}/{path}", object.bucket),
            bucket: object.bucket.as_str(),
            key: object.key.as_str(),
            etag: &written.etag,
            checksum: written.checksum.as_ref(),
        };
        let mut reply = reply::xml(document.to_xml());
        write_version(reply.headers_mut(), written.versioned, written.version, written.is_null);
        Ok(reply)
    };
    keep_alive::keep_alive(request.id, work).await
}
