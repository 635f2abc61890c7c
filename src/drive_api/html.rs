//! HTML that is made here: text stays text, and a page is let do nothing but what it is made for.
//! Invariant: no script, no image, nothing from elsewhere, no frame; the one style sheet is the one that stands in the page.

use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderValue, StatusCode};
use sha2::{Digest, Sha256};

pub struct Page<'a> {
    pub title: &'a str,
    pub style: &'a str,
    /// Where a form may go: `'none'`, or as CSP names places.
    pub form_action: &'a str,
    /// HTML: everything in it that came from outside is escaped.
    pub body: &'a str,
}

impl Page<'_> {
    pub fn response(&self, status: StatusCode) -> Response {
        let Self { title, style, form_action, body } = self;
        let html = format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title>\
             <meta name=\"viewport\" content=\"width=device-width\"><style>{style}</style></head><body>{body}</body></html>",
            escaped(title)
        );
        let style_hash = STANDARD.encode(Sha256::digest(style));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{style_hash}'; form-action {form_action}; base-uri 'none'; frame-ancestors 'none'"
        );
        let policy = HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
            (CONTENT_SECURITY_POLICY, policy),
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        ];
        (status, headers, html).into_response()
    }
}

pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_from_outside_stays_text() {
        assert_eq!(escaped("<script>'\"&"), "&lt;script&gt;&#39;&quot;&amp;");
    }

    #[test]
    fn a_page_loads_nothing_and_cannot_be_framed() {
        let page = Page { title: "x", style: "p{color:red}", form_action: "'none'", body: "" };
        let response = page.response(StatusCode::OK);
        let policy = response.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
        let fixed = policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe");
        assert!(
            fixed && policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'none'"),
            "{policy}"
        );
    }
}
