//! Reads of one object: what GetObject and HeadObject have in common, all but the bytes.
//! Owns: the order of the decisions (version, conditions, range), and the headers of the reply.

use std::ops::Range;

use http::header::{ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, ETAG, IF_RANGE, LAST_MODIFIED};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use onggi_cluster::metadata::record::{Checksum, Versioning};

use crate::s3_api::conditional::{ReadConditions, ReadDecision};
use crate::s3_api::error::{ErrorCode, Result, S3Error};
use crate::s3_api::object_reply::{write_checksum, write_version};
use crate::s3_api::range::{self, ByteRange};
use crate::s3_api::reply::{self, Reply};
use crate::s3_api::request::Request;
use crate::s3_api::{etag, headers, timestamp};
use crate::services::{FoundObject, Services};

const PARTS_COUNT: HeaderName = HeaderName::from_static("x-amz-mp-parts-count");
const TAGGING_COUNT: HeaderName = HeaderName::from_static("x-amz-tagging-count");

/// An object that may be read, and which bytes of it.
pub struct ObjectRead {
    pub found: FoundObject,
    pub range: Range<u64>,
    /// The request asked for a range or a part, so that the reply is 206.
    is_partial: bool,
    part: Option<u16>,
}

pub enum Decided {
    NotModified(Reply),
    Read(Box<ObjectRead>),
}

/// Resolves the version and decides whether, and which part of it, is sent.
pub async fn decide(services: &Services, request: &Request) -> Result<Decided> {
    let part = request.part_number()?;
    let asked = request.header("range").and_then(ByteRange::parse);
    if part.is_some() && asked.is_some() {
        return Err(S3Error::invalid_request("Cannot specify both Range header and partNumber query parameter"));
    }
    let found = services.objects.find(&request.principal, &request.object()?, request.version()?).await?;
    match ReadConditions::of_read(&request.headers).decide(&found.object.etag, found.modified_ms) {
        ReadDecision::Proceed => {}
        ReadDecision::NotModified => return Ok(Decided::NotModified(not_modified(&found))),
        ReadDecision::Failed(condition) => return Err(S3Error::precondition_failed(condition)),
    }
    let asked = asked.filter(|_| if_range_holds(request, &found));
    let bytes = found.object.bytes;
    let range = match (part, asked) {
        (Some(part), _) => found.part_range(part).ok_or_else(|| invalid_part(part, &found))?,
        (None, Some(asked)) => asked.resolve(bytes)?,
        (None, None) => 0..bytes,
    };
    // An empty range has no Content-Range to show.
    let is_partial = (part.is_some() || asked.is_some()) && !range.is_empty();
    Ok(Decided::Read(Box::new(ObjectRead { found, range, is_partial, part })))
}

/// Without it, or with the tag or date of this very object, the range counts (RFC 9110 §13.1.5).
fn if_range_holds(request: &Request, found: &FoundObject) -> bool {
    let Some(text) = request.headers.get(IF_RANGE).and_then(|value| value.to_str().ok()) else {
        return true;
    };
    match timestamp::parse_http_date(text) {
        Some(seconds) => seconds == found.modified_ms / 1000,
        None => etag::parse(text) == Some(found.object.etag),
    }
}

fn invalid_part(part: u16, found: &FoundObject) -> S3Error {
    S3Error::new(ErrorCode::InvalidPartNumber)
        .field("PartNumberRequested", part.to_string())
        .field("ActualPartCount", found.part_count().unwrap_or(1).to_string())
}

fn not_modified(found: &FoundObject) -> Reply {
    let mut reply = reply::empty(StatusCode::NOT_MODIFIED);
    let headers = reply.headers_mut();
    write_identity(headers, found);
    if let Some(cache_control) = &found.object.headers.cache_control {
        reply::insert(headers, CACHE_CONTROL, cache_control);
    }
    reply
}

fn write_identity(headers: &mut HeaderMap, found: &FoundObject) {
    reply::insert(headers, ETAG, etag::quoted(&found.object.etag));
    reply::insert(headers, LAST_MODIFIED, timestamp::http_date(found.modified_ms));
    let versioned = found.bucket.versioning != Versioning::Never;
    write_version(headers, versioned, found.version, found.is_null);
}

impl ObjectRead {
    pub fn status(&self) -> StatusCode {
        if self.is_partial { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK }
    }

    /// All headers of the reply.
    pub async fn write_headers(&self, services: &Services, request: &Request, reply: &mut HeaderMap) -> Result<()> {
        let object = &self.found.object;
        write_identity(reply, &self.found);
        reply.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        reply::insert(reply, CONTENT_LENGTH, (self.range.end - self.range.start).to_string());
        if self.is_partial {
            reply::insert(reply, CONTENT_RANGE, range::content_range(&self.range, object.bytes));
        }
        headers::write_object_headers(&object.headers, reply);
        headers::override_from_query(&request.query, reply)?;
        if !object.tags.is_empty() {
            reply::insert(reply, TAGGING_COUNT, object.tags.len().to_string());
        }
        if let (Some(_), Some(count)) = (self.part, self.found.part_count()) {
            reply::insert(reply, PARTS_COUNT, count.to_string());
        }
        if request.header("x-amz-checksum-mode").is_some_and(|mode| mode.eq_ignore_ascii_case("ENABLED")) {
            let checksum = self.checksum(services).await?;
            write_checksum(reply, checksum.as_ref(), &object.etag);
        }
        Ok(())
    }

    /// Of what is sent: the whole object's, a part's, or (for any other range) none, for clients would compare it with the
    /// bytes they got.
    async fn checksum(&self, services: &Services) -> Result<Option<Checksum>> {
        let stored = &self.found.object.checksum;
        match self.part.and_then(|part| self.found.uploaded_number(part)) {
            Some(uploaded) => {
                let part = services.objects.parts(&self.found, uploaded - 1, 1).await?.into_iter().next();
                Ok(part.and_then(|part| part.checksum))
            }
            None if self.is_partial && self.part.is_none() => Ok(None),
            None => Ok(stored.clone()),
        }
    }
}
