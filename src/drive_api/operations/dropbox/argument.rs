//! Arguments: JSON in the body of an rpc route, in a header where the body is a file. A route without one gets `null` or nothing.

use axum::extract::{FromRequest, FromRequestParts, Request};
use http::HeaderMap;
use http::request::Parts;
use onggi_cluster::id::EntryId;
use onggi_cluster::metadata::command::tree::At;
use serde::de::DeserializeOwned;

use super::rev;
use super::route_error::RouteError;
use crate::drive_api::error::DriveError;
use crate::drive_api::request;
use crate::drive_api::router::DriveApi;
use crate::drive_api::text_form;
use crate::services::drive::actor::Actor;
use crate::services::drive::name;

const ARGUMENT: &str = "dropbox-api-arg";

/// Who asks, or an error that makes an SDK use its refresh token.
pub struct By(pub Actor);

impl FromRequestParts<DriveApi> for By {
    type Rejection = RouteError;

    async fn from_request_parts(parts: &mut Parts, api: &DriveApi) -> Result<Self, RouteError> {
        match request::By::from_request_parts(parts, api).await {
            Ok(request::By(actor)) => Ok(Self(actor)),
            Err(refused) => Err(DriveError::from(refused).into()),
        }
    }
}

/// Of an rpc route.
pub struct Argument<T>(pub T);

impl<T: DeserializeOwned> FromRequest<DriveApi> for Argument<T> {
    type Rejection = RouteError;

    async fn from_request(request: Request, _: &DriveApi) -> Result<Self, RouteError> {
        parse(&request::document(request.into_body()).await?).map(Self)
    }
}

/// Of an upload or a download.
pub fn in_header<T: DeserializeOwned>(head: &Parts) -> Result<T, RouteError> {
    of_headers(&head.headers)
}

pub fn of_headers<T: DeserializeOwned>(headers: &HeaderMap) -> Result<T, RouteError> {
    parse(request::text(headers, ARGUMENT).unwrap_or("").as_bytes())
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, RouteError> {
    let bytes = if bytes.trim_ascii() == b"null" { b"" } else { bytes };
    Ok(request::parse(bytes)?)
}

/// What is to be read: what is at a path or has an id now, or the revision that a rev names.
pub fn sought(path: &str) -> Result<(At, Option<u64>), DriveError> {
    match path.strip_prefix("rev:") {
        Some(text) => {
            let no_such = || DriveError::not_found("there is no such revision");
            let (entry, rev) = rev::parse(text).ok_or_else(no_such)?;
            Ok((At::Entry(entry), Some(rev)))
        }
        None => Ok((at(path)?, None)),
    }
}

/// The root is the empty path; an id may stand for a path.
pub fn at(path: &str) -> Result<At, DriveError> {
    match path {
        "" => Ok(At::Entry(EntryId::ROOT)),
        path => match text_form::parse_entry_id(path) {
            Some(id) => Ok(At::Entry(id)),
            None => Ok(At::Path(name::tree_path(path)?)),
        },
    }
}
