//! Upload-Concat: uploads that came side by side become one file (tus 1.0, "Concatenation").
//! Owns: which uploads a final one may name. Does not own: how their bytes become one (`drive::concatenation`).

use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, HeaderName, StatusCode};
use onggi_cluster::metadata::outcome::Refusal;

use super::metadata::file_metadata;
use super::reply::{self, BYTES_MAX, Result};
use crate::drive_api::error::DriveError;
use crate::drive_api::file_metadata;
use crate::drive_api::operations::resume_upload::open;
use crate::drive_api::request;
use crate::drive_api::router::DriveApi;
use crate::services::Error;
use crate::services::drive::actor::Actor;
use crate::services::drive::session::Session;
use crate::services::drive::session_details::{Concatenation, SessionDetails};

pub const CONCAT: HeaderName = HeaderName::from_static("upload-concat");
/// Kept with the upload. What the gateway lets through by default is no more.
const TEXT_BYTES_MAX: usize = 32 << 10;
const COLLECTION: &str = "/files/tus/";

/// What a request says of concatenation.
pub fn asked(headers: &HeaderMap) -> Result<Option<Concatenation>> {
    let Some(text) = request::text(headers, CONCAT.as_str()) else { return Ok(None) };
    match text.trim() {
        "partial" => Ok(Some(Concatenation::Partial)),
        text if text.len() > TEXT_BYTES_MAX => {
            let message = format!("Upload-Concat has at most {TEXT_BYTES_MAX} bytes");
            Err(DriveError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message).into())
        }
        text if text.starts_with("final;") => Ok(Some(Concatenation::Final { text: text.to_owned() })),
        _ => {
            Err(DriveError::invalid("Upload-Concat is `partial`, or `final;` and the addresses of partial uploads")
                .into())
        }
    }
}

/// `POST` of a final upload: the answer comes when the file is there.
pub async fn concatenate(api: &DriveApi, actor: &Actor, head: &Parts, text: String) -> Result<Response> {
    if reply::length(&head.headers)?.is_some() || head.headers.contains_key(reply::DEFER_LENGTH) {
        return Err(DriveError::invalid("a final upload has the length of its parts, and says none").into());
    }
    let metadata = file_metadata(request::text(&head.headers, "upload-metadata").unwrap_or(""))?;
    let partials = partials(api, actor, &text).await?;
    let bytes = partials.iter().try_fold(0, |sum: u64, partial| sum.checked_add(partial.record.received));
    if bytes.is_none_or(|bytes| bytes > BYTES_MAX) {
        return Err(reply::too_large());
    }
    let details = SessionDetails { concatenation: Some(Concatenation::Final { text }), ..metadata.details(None)? };
    let target = file_metadata::target(&details)?;
    let whole = api.drive().concatenate(actor, partials, details, target).await?;
    let location = reply::location(head, whole.record.session);
    Ok(reply::with_location(reply::of_session(StatusCode::CREATED, &whole), location))
}

/// In their order; one may come more than once.
async fn partials(api: &DriveApi, actor: &Actor, text: &str) -> Result<Vec<Session>> {
    let mut partials = Vec::new();
    for address in text.strip_prefix("final;").unwrap_or("").split_whitespace() {
        let session = open(api, actor, session_of(address)?).await?;
        if session.details.concatenation != Some(Concatenation::Partial) {
            return Err(DriveError::invalid(format!("{} is no partial upload", address.escape_debug())).into());
        }
        let received = session.record.received;
        if session.record.bytes != Some(received) {
            return Err(Error::Refused(Refusal::SessionIncomplete { missing_at: received }).into());
        }
        partials.push(session);
    }
    if partials.is_empty() {
        return Err(DriveError::invalid("a final upload names the partial uploads that it is made of").into());
    }
    Ok(partials)
}

/// Of an address with or without its host. Whoever made it knew the upload by our Location.
fn session_of(address: &str) -> Result<&str> {
    let no_upload = || DriveError::invalid(format!("{} is no address of an upload", address.escape_debug()));
    let (_, session) = address.rsplit_once(COLLECTION).ok_or_else(no_upload)?;
    Ok(session)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &'static str) -> Option<Concatenation> {
        asked(&HeaderMap::from_iter([(CONCAT, http::HeaderValue::from_static(text))])).unwrap()
    }

    #[test]
    fn what_is_understood() {
        assert_eq!(asked(&HeaderMap::new()).unwrap(), None);
        assert_eq!(said("partial"), Some(Concatenation::Partial));
        let text = "final;/files/tus/a https://host/files/tus/b";
        assert_eq!(said(text), Some(Concatenation::Final { text: text.to_owned() }));
        let long = format!("final;{}", "/files/tus/a ".repeat(TEXT_BYTES_MAX / 10));
        for bad in ["", "whole", "final", &long] {
            let header = HeaderMap::from_iter([(CONCAT, http::HeaderValue::from_str(bad).unwrap())]);
            assert!(asked(&header).is_err(), "{bad}");
        }
        assert_eq!(session_of("https://host:1/files/tus/0a").unwrap(), "0a");
        assert_eq!(session_of("/files/tus/0a").unwrap(), "0a");
        assert!(session_of("/files/upload/0a").is_err());
    }
}
