//! HeadObject.

use crate::s3_api::error::Result;
use crate::s3_api::object_read::{self, Decided};
use crate::s3_api::reply::{self, Reply};
use crate::s3_api::request::Request;
use crate::services::Services;

pub async fn head_object(services: &Services, request: Request) -> Result<Reply> {
    match object_read::decide(services, &request).await? {
        Decided::NotModified(reply) => Ok(reply),
        Decided::Read(read) => {
            let mut reply = reply::empty(read.status());
            read.write_headers(services, &request, reply.headers_mut()).await?;
            Ok(reply)
        }
    }
}
