//! PostObject: the upload of a browser form. The proof of who sends it is in the form, so its fields are read first.

use std::ops::RangeInclusive;
use std::time::SystemTime;

use futures::StreamExt;
use http::header::LOCATION;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyDataStream;
use onggi_cluster::metadata::outcome::ObjectWritten;
use onggi_cluster::metadata::record::Pairs;

use crate::s3_api::auth::Authenticator;
use crate::s3_api::auth::post_form::{self, FormFile, PostForm};
use crate::s3_api::checksum::request::{BodyChecksum, content_md5};
use crate::s3_api::credentials::secret_of;
use crate::s3_api::error::{ErrorCode, Result, S3Error};
use crate::s3_api::headers::{object_headers, unimplemented};
use crate::s3_api::reply::{self, Reply};
use crate::s3_api::request_body::{Incoming, UPLOAD_BYTES_MAX, checksum_claim};
use crate::s3_api::tagging::check_object_tags;
use crate::s3_api::xml::bucket_settings::parse_tagging;
use crate::s3_api::xml::copy::form_uploaded;
use crate::s3_api::xml::elements::KeyEncoding;
use crate::s3_api::{conditional, etag, object_reply};
use crate::services::object_service::PutOptions;
use crate::services::{Body, BodyClaims, BodyPiece, BoxError, BucketName, ObjectKey, ObjectTarget, Services};

pub struct FormRequest<'a> {
    pub bucket: &'a BucketName,
    /// `http://host:port`, as the client called us.
    pub origin: &'a str,
    pub headers: &'a HeaderMap,
    pub body: Incoming,
}

pub async fn post_object(
    services: &Services,
    authenticator: &Authenticator,
    request: FormRequest<'_>,
) -> Result<Reply> {
    let (form, file) = post_form::read(request.headers, BodyDataStream::new(request.body)).await?;
    let mut principal = None;
    let found = &mut principal;
    let now = SystemTime::now();
    let proven = authenticator
        .authenticate_form(&form, request.bucket, now, |access_key| secret_of(services, access_key, found))
        .await?;
    let principal = principal.ok_or(ErrorCode::AccessDenied)?;

    let headers = form.to_headers()?;
    unimplemented::refuse(&headers)?;
    let target = ObjectTarget { bucket: request.bucket.clone(), key: ObjectKey::parse(form.key()?)? };
    let options = PutOptions {
        headers: object_headers(&headers)?,
        tags: tags(&form)?,
        condition: conditional::write_condition(&headers)?,
    };
    let body = upload(file, proven.file_bytes, &headers)?;
    let written = services.objects.put(&principal, target.clone(), options, body).await?;
    success(&form, request.origin, &target, &written)
}

/// In a form, tags are a document.
fn tags(form: &PostForm) -> Result<Pairs> {
    let tags = form.get("tagging").map_or(Ok(Pairs::new()), |document| parse_tagging(document.as_bytes()))?;
    check_object_tags(&tags)?;
    Ok(tags)
}

struct FileReader {
    file: FormFile,
    bytes: u64,
    allowed: RangeInclusive<u64>,
}

/// The file as services take it. Its length is known at its end only; the policy's bounds are held on the way.
fn upload(file: FormFile, allowed: RangeInclusive<u64>, headers: &HeaderMap) -> Result<Body> {
    let allowed = *allowed.start()..=UPLOAD_BYTES_MAX.min(*allowed.end());
    let claims = BodyClaims { md5: content_md5(headers)?, checksum: checksum_claim(BodyChecksum::parse(headers)?) };
    let reader = FileReader { file, bytes: 0, allowed };
    let pieces = futures::stream::try_unfold(reader, async |mut reader| {
        let chunk = reader.file.chunk().await?;
        reader.bytes += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        if reader.bytes > *reader.allowed.end() {
            return Err(outside(ErrorCode::EntityTooLarge, "MaxSizeAllowed", *reader.allowed.end(), reader.bytes));
        }
        if chunk.is_none() && reader.bytes < *reader.allowed.start() {
            return Err(outside(ErrorCode::EntityTooSmall, "MinSizeAllowed", *reader.allowed.start(), reader.bytes));
        }
        Ok(chunk.map(|chunk| (BodyPiece::Data(chunk), reader)))
    });
    let pieces = pieces.map(|piece| piece.map_err(|error: S3Error| BoxError::from(error))).boxed();
    Ok(Body { pieces, bytes: None, claims })
}

fn outside(code: ErrorCode, bound_name: &'static str, bound: u64, bytes: u64) -> S3Error {
    S3Error::new(code).field("ProposedSize", bytes.to_string()).field(bound_name, bound.to_string())
}

/// As the form asks for it: a redirect, a status, or 204.
fn success(form: &PostForm, origin: &str, target: &ObjectTarget, written: &ObjectWritten) -> Result<Reply> {
    let mut reply = object_reply::written(written);
    let (bucket, key) = (target.bucket.as_str(), target.key.as_str());
    let location = format!("{origin}/{bucket}/{}", KeyEncoding::Url.encode(key));
    let redirect = form.get("success_action_redirect").or(form.get("redirect")).filter(|url| is_web_url(url));
    if let Some(redirect) = redirect {
        *reply.status_mut() = StatusCode::SEE_OTHER;
        reply::insert(reply.headers_mut(), LOCATION, redirect_with(redirect, bucket, key, written));
        return Ok(reply);
    }
    reply::insert(reply.headers_mut(), LOCATION, location.as_str());
    match form.get("success_action_status") {
        Some("200") => {}
        Some("201") => {
            let mut created = reply::xml(form_uploaded(&location, bucket, key, &written.etag));
            *created.status_mut() = StatusCode::CREATED;
            created.headers_mut().extend(reply.headers().clone());
            reply = created;
        }
        _ => *reply.status_mut() = StatusCode::NO_CONTENT,
    }
    Ok(reply)
}

fn is_web_url(url: &str) -> bool {
    url.starts_with("http://") || url.starts_with("https://")
}

fn redirect_with(url: &str, bucket: &str, key: &str, written: &ObjectWritten) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    let encode = |text: &str| KeyEncoding::Url.encode(text).into_owned();
    let etag = encode(&etag::quoted(&written.etag));
    format!("{url}{separator}bucket={bucket}&key={}&etag={etag}", encode(key))
}
