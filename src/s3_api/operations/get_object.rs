//! GetObject.

use crate::s3_api::error::Result;
use crate::s3_api::object_read::{self, Decided};
use crate::s3_api::reply::{self, Reply, ReplyBody};
use crate::s3_api::request::Request;
use crate::services::{Error, RESOLVE_ATTEMPTS_MAX, Services};

pub async fn get_object(services: &Services, request: Request) -> Result<Reply> {
    for _ in 0..RESOLVE_ATTEMPTS_MAX {
        let read = match object_read::decide(services, &request).await? {
            Decided::NotModified(reply) => return Ok(reply),
            Decided::Read(read) => read,
        };
        let bytes = read.range.end - read.range.start;
        let opened = match services.objects.read(&read.found, read.range.clone()).await {
            Err(Error::Vanished) => continue,
            opened => opened?,
        };
        let mut reply = reply::with_body(read.status(), ReplyBody::object(opened, bytes));
        read.write_headers(services, &request, reply.headers_mut()).await?;
        return Ok(reply);
    }
    Err(Error::Vanished.into())
}
