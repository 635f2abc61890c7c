//! CreateMultipartUpload.

use http::HeaderName;

use crate::s3_api::checksum::{self, request::upload_checksum};
use crate::s3_api::error::Result;
use crate::s3_api::headers;
use crate::s3_api::reply::{self, Reply};
use crate::s3_api::request::Request;
use crate::s3_api::xml::multipart;
use crate::services::Services;
use crate::services::multipart_service::CreateOptions;

const CHECKSUM_ALGORITHM: HeaderName = HeaderName::from_static("x-amz-checksum-algorithm");
const CHECKSUM_TYPE: HeaderName = HeaderName::from_static("x-amz-checksum-type");

pub async fn create_multipart_upload(services: &Services, request: Request) -> Result<Reply> {
    let target = request.object()?;
    let options = CreateOptions {
        headers: headers::object_headers(&request.headers)?,
        tags: request.tags()?,
        checksum: upload_checksum(&request.headers)?,
    };
    let bound = options.checksum;
    let upload = services.multipart.create(&request.principal, target.clone(), options).await?;

    let document = multipart::initiated(target.bucket.as_str(), target.key.as_str(), &upload.to_string());
    let mut reply = reply::xml(document);
    if let Some((algorithm, kind)) = bound {
        reply::insert(reply.headers_mut(), CHECKSUM_ALGORITHM, checksum::algorithm_name(algorithm));
        reply::insert(reply.headers_mut(), CHECKSUM_TYPE, checksum::type_name(kind));
    }
    Ok(reply)
}
