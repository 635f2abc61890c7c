//! UploadPartCopy.

use crate::s3_api::error::{Result, S3Error};
use crate::s3_api::operations::copy_object::{find_source, write_source_version};
use crate::s3_api::range::copy_source_range;
use crate::s3_api::reply::{self, Reply};
use crate::s3_api::request::Request;
use crate::s3_api::{keep_alive, xml};
use crate::services::{Error, RESOLVE_ATTEMPTS_MAX, Services};

/// Of a part (Amazon S3 User Guide, "Multipart upload limits").
const PART_BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024;
pub async fn upload_part_copy(services: &Services, request: Request) -> Result<Reply> {
    let services = services.clone();
    keep_alive::keep_alive(request.id.clone(), async move { copy_part(&services, &request).await }).await
}

async fn copy_part(services: &Services, request: &Request) -> Result<Reply> {
    let target = request.upload()?;
    let number = request.required_part_number()?;
    for _ in 0..RESOLVE_ATTEMPTS_MAX {
        let source = find_source(services, request).await?;
        let range = match request.header("x-amz-copy-source-range") {
            Some(header) => copy_source_range(header, source.object.bytes)?,
            None => 0..source.object.bytes,
        };
        if range.end - range.start > PART_BYTES_MAX {
            let message =
                "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120";
            return Err(S3Error::invalid_request(message));
        }
        let part = match services.multipart.copy_part(&request.principal, &source, range, &target, number).await {
            Err(Error::Vanished) => continue,
            part => part?,
        };
        let mut reply = reply::xml(xml::copy::part_copied(part.md5, part.modified_ms, part.checksum.as_ref()));
        write_source_version(&mut reply, &source);
        return Ok(reply);
    }
    Err(Error::Vanished.into())
}
