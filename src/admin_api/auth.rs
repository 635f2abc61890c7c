//! Authentication of the admin API: Signature Version 4 in the header, exactly as S3 checks it, for a service of its own.
//! Owns: that only an enabled key of an enabled admin gets past, with a body that is the signed one.
//! Invariant: the bytes that were verified are the bytes that the operation reads.

use std::time::{Duration, SystemTime};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::request::Parts;
use tokio::time::timeout;

use crate::admin_api::error::AdminError;
use crate::admin_api::router::AdminApi;
use crate::admin_api::{PATH_PREFIX, audit};
use crate::s3_api::auth::SignedRequest;
use crate::s3_api::auth::body::{BodyDecoder, BodyIntegrity};
use crate::s3_api::router::{Query, Target};
use crate::services::{Error, Principal};

/// The service in the credential scope: what was signed for S3 opens nothing here, and the other way round.
pub const SIGNING_SERVICE: &str = "onggi-admin";

/// No request has more than a few names and numbers.
const BODY_BYTES_MAX: usize = 64 << 10;
/// The body is read before anything is proven, and a request that is worked on takes the place of another.
const BODY_TIME_MAX: Duration = Duration::from_secs(20);

/// Middleware: proves who asks, gives the principal to the operation, and writes the audit log.
pub async fn require_admin(State(api): State<AdminApi>, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let action = audit::Action::of(&head);
    let admitted = match read(body).await {
        Ok(body) => admit(&api, &head, &body).await.map(|principal| (principal, body)),
        Err(error) => Err(error),
    };
    match admitted {
        Ok((principal, body)) => {
            let mut request = Request::from_parts(head, Body::from(body));
            let name = principal.name.clone();
            let access_key = principal.access_key.clone();
            request.extensions_mut().insert(principal);
            let response = next.run(request).await;
            action.done(&name, &access_key, response.status());
            response
        }
        Err(error) => {
            action.refused(&error);
            error.into_response()
        }
    }
}

async fn read(body: Body) -> Result<Bytes, AdminError> {
    let unreadable = || {
        AdminError::invalid(format!(
            "the body cannot be read, comes too slowly, or has more than {BODY_BYTES_MAX} bytes"
        ))
    };
    match timeout(BODY_TIME_MAX, to_bytes(body, BODY_BYTES_MAX)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) | Err(_) => Err(unreadable()),
    }
}

async fn admit(api: &AdminApi, head: &Parts, body: &Bytes) -> Result<Principal, AdminError> {
    if !head.headers.contains_key(AUTHORIZATION) {
        return Err(AdminError::unauthenticated("the request is not signed: `onggi admin` signs it"));
    }
    let query = Query::parse(head.uri.query().unwrap_or("")).map_err(AdminError::from_s3)?;
    let signed = SignedRequest {
        method: &head.method,
        uri: &head.uri,
        headers: &head.headers,
        query: &query,
        target: &Target::Service,
        now: SystemTime::now(),
    };
    let mut principal = None;
    let found = &mut principal;
    let proven = api
        .authenticator
        .authenticate(signed, async |access_key| match api.services.identity.credentials(&access_key).await {
            Ok(credentials) => {
                *found = Some(credentials.principal);
                Ok(Some(credentials.secret))
            }
            Err(Error::UnknownAccessKey | Error::Disabled) => Ok(None),
            Err(error) => Err(error.into()),
        })
        .await
        .map_err(AdminError::from_s3)?;
    check_body(head, body, proven.body)?;
    match principal {
        Some(principal) if principal.admin => Ok(principal),
        Some(principal) => Err(AdminError::denied(format!("{} is no admin", principal.name))),
        None => Err(AdminError::unauthenticated("the request is not signed")),
    }
}

fn check_body(head: &Parts, body: &Bytes, integrity: BodyIntegrity) -> Result<(), AdminError> {
    if !matches!(integrity, BodyIntegrity::Sha256(_)) {
        return Err(AdminError::invalid("the body must be signed: x-amz-content-sha256 must be its SHA-256".into()));
    }
    let mut decoder = BodyDecoder::new(integrity, &head.headers).map_err(AdminError::from_s3)?;
    let mut rest = body.clone();
    while decoder.decode(&mut rest).map_err(AdminError::from_s3)?.is_some() {}
    decoder.finish().map(drop).map_err(AdminError::from_s3)
}

/// The path below the prefix, as the audit log names it.
pub fn path_of(head: &Parts) -> &str {
    head.uri.path().trim_start_matches(PATH_PREFIX)
}
