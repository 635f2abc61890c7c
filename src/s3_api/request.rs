//! Request: an S3 request that has been routed and authenticated, as an operation gets it.
//! Owns: the reading of parameters that several operations have.

use std::str::FromStr;
use std::sync::Arc;

use http::{HeaderMap, HeaderName};
use onggi_cluster::metadata::command::VersionSelector;
use onggi_cluster::metadata::record::Pairs;

use crate::s3_api::error::{Result, S3Error};
use crate::s3_api::request_body::RequestBody;
use crate::s3_api::router::{Query, Target};
use crate::s3_api::xml::multipart::parse_part_number;
use crate::s3_api::{tagging, version_id};
use crate::services::multipart_service::UploadTarget;
use crate::services::{BucketName, ObjectKey, ObjectTarget, Principal};

pub struct Request {
    /// What `x-amz-request-id` says.
    pub id: Arc<str>,
    pub principal: Principal,
    pub target: Target,
    pub query: Query,
    pub headers: HeaderMap,
    /// `http://host:port`, as the client called us.
    pub origin: String,
    pub body: RequestBody,
}

impl Request {
    pub fn bucket(&self) -> Result<&BucketName> {
        self.target.bucket()
    }

    pub fn object(&self) -> Result<ObjectTarget> {
        let (bucket, key) = self.target.object()?;
        Ok(ObjectTarget { bucket: bucket.clone(), key: ObjectKey::parse(key)? })
    }

    /// `versionId=…`
    pub fn version(&self) -> Result<VersionSelector> {
        version_id::parse(self.query.get("versionId"))
    }

    /// The object and `uploadId=…`. An id that we cannot have given out names no upload.
    pub fn upload(&self) -> Result<UploadTarget> {
        let upload = upload_id(self.query.get("uploadId").unwrap_or(""))?;
        Ok(UploadTarget { target: self.object()?, upload })
    }

    /// `partNumber=…`, if it is there.
    pub fn part_number(&self) -> Result<Option<u16>> {
        self.query.get("partNumber").map(parse_part_number).transpose()
    }

    pub fn required_part_number(&self) -> Result<u16> {
        let missing = || S3Error::invalid_argument("This operation needs a part number.", "partNumber", "");
        self.part_number()?.ok_or_else(missing)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// `x-amz-tagging`
    pub fn tags(&self) -> Result<Pairs> {
        self.header("x-amz-tagging").map_or(Ok(Pairs::new()), tagging::parse_header)
    }

    /// A number in a header.
    pub fn number_header<T: FromStr>(&self, name: &'static str) -> Result<Option<T>> {
        let Some(text) = self.headers.get(HeaderName::from_static(name)).map(|value| value.to_str().unwrap_or(""))
        else {
            return Ok(None);
        };
        match text.trim().parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(S3Error::invalid_argument(format!("Argument {name} must be an integer"), name, text)),
        }
    }
}

pub fn upload_id(text: &str) -> Result<onggi_cluster::id::UploadId> {
    onggi_cluster::id::UploadId::parse(text).ok_or_else(|| crate::s3_api::error::ErrorCode::NoSuchUpload.into())
}
