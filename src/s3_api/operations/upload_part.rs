//! UploadPart.

use http::StatusCode;
use http::header::ETAG;
use onggi_cluster::metadata::record::ETag;

use crate::s3_api::error::Result;
use crate::s3_api::etag;
use crate::s3_api::object_reply::write_part_checksum;
use crate::s3_api::reply::{self, Reply};
use crate::s3_api::request::Request;
use crate::services::Services;

pub async fn upload_part(services: &Services, request: Request) -> Result<Reply> {
    let target = request.upload()?;
    let number = request.required_part_number()?;
    let body = request.body.into_upload(&request.headers)?;
    let part = services.multipart.put_part(&request.principal, &target, number, body).await?;
    let mut reply = reply::empty(StatusCode::OK);
    reply::insert(reply.headers_mut(), ETAG, etag::quoted(&ETag { md5: part.md5, parts: None }));
    write_part_checksum(reply.headers_mut(), part.checksum.as_ref());
    Ok(reply)
}
