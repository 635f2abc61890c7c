//! Assets: the built files, as they lie in the binary, in the encoding that the browser takes.
//! Invariant: one file in two encodings has two ETags, and caches are told so.

use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use rust_embed::{Embed, EmbeddedFile};

use crate::console::policy;

#[derive(Embed)]
#[folder = "src/console/dist"]
struct Dist;

/// The best first: its name in HTTP, and how the file beside the plain one is called.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

pub(super) enum Caching {
    /// Another content has another name.
    Immutable,
    /// Kept, and asked for every time.
    Checked,
}

pub(super) struct Requested<'a> {
    pub(super) file: &'a str,
    pub(super) caching: Caching,
}

impl Requested<'_> {
    pub(super) fn response(&self, headers: &HeaderMap) -> Response {
        let mut response = match (media_type(self.file), self.found(headers)) {
            (Some(media_type), Some((file, encoding))) => self.answer(file, encoding, media_type, headers),
            _ => StatusCode::NOT_FOUND.into_response(),
        };
        policy::stamp(&mut response);
        response
    }

    fn found(&self, headers: &HeaderMap) -> Option<(EmbeddedFile, Option<&'static str>)> {
        let taken = ENCODINGS.into_iter().filter(|(name, _)| accepts(headers, name));
        let encoded = taken
            .into_iter()
            .find_map(|(name, suffix)| Some((Dist::get(&format!("{}{suffix}", self.file))?, Some(name))));
        encoded.or_else(|| Some((Dist::get(self.file)?, None)))
    }

    fn answer(
        &self,
        file: EmbeddedFile,
        encoding: Option<&'static str>,
        media_type: &'static str,
        headers: &HeaderMap,
    ) -> Response {
        let etag = format!("\"{}\"", hex::encode(&file.metadata.sha256_hash()[..16]));
        let caching = match self.caching {
            Caching::Immutable => "public, max-age=31536000, immutable",
            Caching::Checked => "no-cache",
        };
        let validators = [(ETAG, etag.as_str()), (CACHE_CONTROL, caching), (VARY, ACCEPT_ENCODING.as_str())];
        if names(headers, &IF_NONE_MATCH).any(|known| known == "*" || known.trim_start_matches("W/") == etag) {
            return (StatusCode::NOT_MODIFIED, validators).into_response();
        }
        let mut response = (validators, [(CONTENT_TYPE, media_type)], file.data).into_response();
        if let Some(encoding) = encoding {
            response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        response
    }
}

/// A file whose kind is not here is not the page's: the compressed ones are no files of their own.
fn media_type(file: &str) -> Option<&'static str> {
    Some(match file.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        _ => return None,
    })
}

/// `gzip;q=0` is a refusal; who names an encoding otherwise takes it.
fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    names(headers, &ACCEPT_ENCODING).any(|item| {
        let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
        let refused = parameters.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0));
        name.trim().eq_ignore_ascii_case(encoding) && !refused
    })
}

fn names<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(file: &str, accept: &str, expected: Expect) {
        let response = requested(file, &[("accept-encoding", accept)]);
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or("-");
        let (kind, encoding) = (header("content-type"), header("content-encoding"));
        expected.assert_eq(&format!("{} {kind} {encoding} {}", response.status().as_u16(), header("cache-control")));
        assert!(header("content-security-policy").contains("default-src 'none'"));
        assert_eq!(header("x-content-type-options"), "nosniff");
    }

    fn requested(file: &str, headers: &[(&'static str, &str)]) -> Response {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a header")))
            .collect();
        Requested { file, caching: Caching::Checked }.response(&headers)
    }

    #[test]
    fn the_browser_gets_an_encoding_that_it_takes() {
        check("index.html", "gzip, deflate, br, zstd", expect!["200 text/html; charset=utf-8 br no-cache"]);
        check("index.html", "gzip", expect!["200 text/html; charset=utf-8 gzip no-cache"]);
        check("index.html", "br;q=0, gzip;q=0.5", expect!["200 text/html; charset=utf-8 gzip no-cache"]);
        check("index.html", "", expect!["200 text/html; charset=utf-8 - no-cache"]);
    }

    #[test]
    fn only_the_pages_own_files_are_there() {
        for absent in
            ["assets/absent.js", "index.html.br", "assets/../index.html", "../../Cargo.toml", "sources.sha256"]
        {
            check(absent, "br", expect!["404 - - -"]);
        }
    }

    #[test]
    fn a_known_file_is_not_sent_again() {
        let first = requested("index.html", &[("accept-encoding", "br")]);
        let etag = first.headers()["etag"].to_str().expect("an ETag");
        let again = [("accept-encoding", "br"), ("if-none-match", &format!("\"other\", W/{etag}"))];
        assert_eq!(requested("index.html", &again).status(), StatusCode::NOT_MODIFIED);
        let otherwise = [("accept-encoding", "gzip"), ("if-none-match", etag)];
        assert_eq!(requested("index.html", &otherwise).status(), StatusCode::OK);
    }
}
