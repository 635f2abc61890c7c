//! S3Api: one request from headers to reply.
//! Owns: the order of every request: route, prove who asks, run the operation, say what went wrong.

use std::sync::Arc;
use std::time::SystemTime;

use http::header::{CONTENT_TYPE, ORIGIN, RETRY_AFTER, SERVER};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use onggi_cluster::metadata::record::BucketRecord;

use crate::s3_api::auth::{AuthOptions, Authenticator, SignedRequest};
use crate::s3_api::credentials::secret_of;
use crate::s3_api::error::{ErrorCode, Result, S3Error};
use crate::s3_api::headers::{hoisted, unimplemented};
use crate::s3_api::operations::post_object::{FormRequest, post_object};
use crate::s3_api::operations::{self, preflight};
use crate::s3_api::owner;
use crate::s3_api::reply::{self, APPLICATION_XML, Reply, ReplyBody};
use crate::s3_api::request::Request;
use crate::s3_api::request_body::{Incoming, RequestBody};
use crate::s3_api::router::{self, Operation, Route};
use crate::services::{Principal, Services};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");
const HOST_ID_HEADER: HeaderName = HeaderName::from_static("x-amz-id-2");
/// What AWS uses to name the machine that answered.
pub const HOST_ID: &str = "onggi";

#[derive(Clone, Debug)]
pub struct S3Options {
    /// Domains below which a bucket is a host name.
    pub domains: Vec<String>,
    /// What replies call the region of a bucket that was created without one.
    pub region: String,
    /// Whose signatures are taken.
    pub auth: AuthOptions,
}

impl Default for S3Options {
    fn default() -> Self {
        Self { domains: Vec::new(), region: "us-east-1".to_owned(), auth: AuthOptions::default() }
    }
}

impl S3Options {
    pub fn region_of<'a>(&'a self, bucket: &'a BucketRecord) -> &'a str {
        if bucket.location.is_empty() { &self.region } else { &bucket.location }
    }
}

/// What a request inherits from its connection.
#[derive(Clone, Debug)]
pub struct RequestInfo {
    /// Answered as `x-amz-request-id`.
    pub id: Arc<str>,
    pub tls: bool,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct S3Api {
    services: Services,
    options: Arc<S3Options>,
    authenticator: Arc<Authenticator>,
}

impl S3Api {
    pub fn new(services: Services, options: S3Options) -> Self {
        let authenticator = Arc::new(Authenticator::new(options.auth.clone()));
        Self { services, options: Arc::new(options), authenticator }
    }

    /// Never fails: what goes wrong is a reply. Its extensions hold the `Operation`, once it is known.
    pub async fn handle(&self, request: http::Request<Incoming>, info: RequestInfo) -> Reply {
        let routed = router::route(request.method(), request.uri(), request.headers(), &self.options.domains);
        let reply = match routed {
            Ok(route) => {
                let operation = route.operation;
                let mut reply = self.answer(request, route, &info).await;
                reply.extensions_mut().insert(operation);
                reply
            }
            Err(error) => error_reply(error, request.uri().path(), &info.id, request.method() == Method::HEAD),
        };
        stamp(reply, &info.id)
    }

    /// 503 for a request that was not looked at.
    pub fn slow_down(&self, request: &http::Request<Incoming>, info: &RequestInfo) -> Reply {
        let error = S3Error::new(ErrorCode::SlowDown).header(RETRY_AFTER, HeaderValue::from_static("1"));
        let is_head = request.method() == Method::HEAD;
        stamp(error_reply(error, request.uri().path(), &info.id, is_head), &info.id)
    }

    /// Browsers read a reply, good or bad, only if the bucket lets their page.
    async fn answer(&self, request: http::Request<Incoming>, route: Route, info: &RequestInfo) -> Reply {
        let is_head = request.method() == Method::HEAD;
        let path = request.uri().path().to_owned();
        let cors = match request.headers().contains_key(ORIGIN) && route.operation != Operation::Preflight {
            true => {
                let (method, headers) = (request.method(), request.headers());
                preflight::response_headers(&self.services, &route.target, method, headers).await
            }
            false => HeaderMap::new(),
        };
        let outcome = match route.operation {
            Operation::Preflight => preflight::preflight(&self.services, &route.target, request.headers()).await,
            Operation::PostObject => self.take_form(request, route, info).await,
            _ => self.run(request, route, info).await,
        };
        let mut reply = outcome.unwrap_or_else(|error| error_reply(error, &path, &info.id, is_head));
        reply.headers_mut().extend(cors);
        reply
    }

    async fn take_form(&self, request: http::Request<Incoming>, route: Route, info: &RequestInfo) -> Result<Reply> {
        let (head, body) = request.into_parts();
        let origin = origin(&head.uri, &head.headers, info.tls);
        let form = FormRequest { bucket: route.target.bucket()?, origin: &origin, headers: &head.headers, body };
        post_object(&self.services, &self.authenticator, form).await
    }

    async fn run(&self, request: http::Request<Incoming>, route: Route, info: &RequestInfo) -> Result<Reply> {
        let operation = route.operation;
        let request = self.admit(request, route, info).await?;
        operations::run(&self.services, &self.options, operation, request).await
    }

    /// Proves who asks. Nothing of the body has been read when this returns.
    async fn admit(&self, request: http::Request<Incoming>, route: Route, info: &RequestInfo) -> Result<Request> {
        let (head, incoming) = request.into_parts();
        let signed = SignedRequest {
            method: &head.method,
            uri: &head.uri,
            headers: &head.headers,
            query: &route.query,
            target: &route.target,
            now: SystemTime::now(),
        };
        let mut principal = None;
        let (services, found) = (&self.services, &mut principal);
        let proven =
            self.authenticator.authenticate(signed, |access_key| secret_of(services, access_key, found)).await?;
        let principal = principal.ok_or(ErrorCode::AccessDenied)?;
        let origin = origin(&head.uri, &head.headers, info.tls);
        let mut headers = head.headers;
        if proven.presigned {
            hoisted::add_to(&mut headers, &route.query)?;
        }
        unimplemented::refuse(&headers)?;
        check_expected_owner(&headers, &principal)?;
        Ok(Request {
            id: info.id.clone(),
            principal,
            target: route.target,
            query: route.query,
            headers,
            origin,
            body: RequestBody::new(incoming, proven.body),
        })
    }
}

/// `http://host:port`, as the client called us.
fn origin(uri: &Uri, headers: &HeaderMap, tls: bool) -> String {
    let scheme = if tls { "https" } else { "http" };
    format!("{scheme}://{}", router::host_of(uri, headers))
}

/// Whoever passes authorisation owns the bucket, so the owner that the client expects must be the principal.
fn check_expected_owner(headers: &HeaderMap, principal: &Principal) -> Result<()> {
    for name in ["x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"] {
        let Some(expected) = headers.get(name) else { continue };
        let is_ours = expected == owner::canonical_id(principal.user).as_str()
            || expected == owner::account_id(principal.user).as_str();
        if !is_ours {
            return Err(ErrorCode::AccessDenied.into());
        }
    }
    Ok(())
}

fn error_reply(error: S3Error, path: &str, request_id: &str, is_head: bool) -> Reply {
    let error = if error.resource.is_none() { error.resource(path) } else { error };
    let body = match is_head {
        true => ReplyBody::empty(),
        false => ReplyBody::Whole(error.to_xml(request_id, HOST_ID).into()),
    };
    let mut reply = reply::with_body(error.code.status(), body);
    reply.headers_mut().insert(CONTENT_TYPE, APPLICATION_XML);
    reply.headers_mut().extend(error.headers);
    reply
}

/// What every reply has.
fn stamp(mut reply: Reply, request_id: &str) -> Reply {
    reply::insert(reply.headers_mut(), REQUEST_ID, request_id);
    reply.headers_mut().insert(HOST_ID_HEADER, HeaderValue::from_static(HOST_ID));
    reply.headers_mut().insert(SERVER, HeaderValue::from_static("Onggi"));
    reply
}
