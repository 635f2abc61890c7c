//! CORS: which rule of a bucket lets a browser's request through, and what the browser is told.
//! Amazon S3 User Guide, "How does Amazon S3 evaluate the CORS configuration on a bucket?"; Fetch standard, "CORS protocol".

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::s3_api::error::{ErrorCode, Result, S3Error};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CorsRule {
    pub id: Option<String>,
    /// Each may hold one `*`.
    pub allowed_origins: Vec<String>,
    pub allowed_methods: Vec<String>,
    /// Each may hold one `*`.
    pub allowed_headers: Vec<String>,
    pub expose_headers: Vec<String>,
    pub max_age_seconds: Option<u32>,
}

/// Answers a preflight with the headers of the first rule that allows origin, method and every header asked for.
pub fn preflight(rules: &[CorsRule], request: &HeaderMap) -> Result<HeaderMap> {
    let text = |name: &HeaderName| request.get(name).and_then(|value| value.to_str().ok());
    let Some(origin) = text(&ORIGIN) else {
        return Err(bad_request("Insufficient information. Origin request header needed."));
    };
    let Some(method) = text(&ACCESS_CONTROL_REQUEST_METHOD) else {
        return Err(bad_request("Invalid Access-Control-Request-Method: null"));
    };
    let asked = text(&ACCESS_CONTROL_REQUEST_HEADERS).unwrap_or("");
    let headers: Vec<&str> = asked.split(',').map(str::trim).filter(|header| !header.is_empty()).collect();
    let rule = rules.iter().find(|rule| rule.allows(origin, method) && rule.allows_headers(&headers));
    let rule = rule.ok_or_else(|| forbidden(method))?;
    let mut reply = rule.reply_headers(origin, method);
    if !headers.is_empty() {
        insert(&mut reply, ACCESS_CONTROL_ALLOW_HEADERS, &headers.join(", ").to_ascii_lowercase());
    }
    if let Some(seconds) = rule.max_age_seconds {
        insert(&mut reply, ACCESS_CONTROL_MAX_AGE, &seconds.to_string());
    }
    Ok(reply)
}

/// The headers to add to the reply of an actual request; none if it is not from a browser or no rule allows it: the
/// request is served all the same, the browser keeps the reply from the page.
pub fn actual(rules: &[CorsRule], method: &Method, request: &HeaderMap) -> HeaderMap {
    let Some(origin) = request.get(ORIGIN).and_then(|value| value.to_str().ok()) else { return HeaderMap::new() };
    let rule = rules.iter().find(|rule| rule.allows(origin, method.as_str()));
    rule.map_or_else(HeaderMap::new, |rule| rule.reply_headers(origin, method.as_str()))
}

impl CorsRule {
    fn allows(&self, origin: &str, method: &str) -> bool {
        self.allowed_methods.iter().any(|allowed| allowed == method)
            && self.allowed_origins.iter().any(|pattern| matches(pattern, origin))
    }

    fn allows_headers(&self, headers: &[&str]) -> bool {
        let allows = |header: &str| {
            let header = header.to_ascii_lowercase();
            self.allowed_headers.iter().any(|pattern| matches(&pattern.to_ascii_lowercase(), &header))
        };
        headers.iter().all(|header| allows(header))
    }

    fn reply_headers(&self, origin: &str, method: &str) -> HeaderMap {
        let mut reply = HeaderMap::new();
        // A rule for everyone names nobody, and takes no credentials.
        let for_everyone = self.allowed_origins.iter().any(|pattern| pattern == "*");
        if for_everyone {
            insert(&mut reply, ACCESS_CONTROL_ALLOW_ORIGIN, "*");
        } else {
            insert(&mut reply, ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            insert(&mut reply, ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
        }
        let methods = if self.allowed_methods.is_empty() { method.to_owned() } else { self.allowed_methods.join(", ") };
        insert(&mut reply, ACCESS_CONTROL_ALLOW_METHODS, &methods);
        if !self.expose_headers.is_empty() {
            insert(&mut reply, ACCESS_CONTROL_EXPOSE_HEADERS, &self.expose_headers.join(", "));
        }
        insert(&mut reply, VARY, "Origin, Access-Control-Request-Headers, Access-Control-Request-Method");
        reply
    }
}

/// One `*` stands for any text, also for none.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, end)) => text.len() >= start.len() + end.len() && text.starts_with(start) && text.ends_with(end),
    }
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    // Rules are checked when they are set; a value that is no header value is left out.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn bad_request(message: &'static str) -> S3Error {
    S3Error::with_message(ErrorCode::BadRequest, message)
}

fn forbidden(method: &str) -> S3Error {
    S3Error::new(ErrorCode::AccessForbidden).field("Method", method).field("ResourceType", "OBJECT")
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use http::{HeaderMap, HeaderValue, Method};

    use super::{CorsRule, actual, matches, preflight};

    fn rules() -> Vec<CorsRule> {
        let list = |items: &[&str]| items.iter().map(|&item| item.to_owned()).collect();
        vec![
            CorsRule {
                allowed_origins: list(&["https://*.example.com"]),
                allowed_methods: list(&["PUT", "POST"]),
                allowed_headers: list(&["Content-*", "x-amz-date"]),
                expose_headers: list(&["ETag", "x-amz-version-id"]),
                max_age_seconds: Some(3000),
                id: None,
            },
            CorsRule { allowed_origins: list(&["*"]), allowed_methods: list(&["GET"]), ..CorsRule::default() },
        ]
    }

    fn request(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        headers
    }

    fn show(headers: &HeaderMap) -> String {
        let mut lines: Vec<_> =
            headers.iter().map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap())).collect();
        lines.sort();
        lines.concat()
    }

    fn answer(origin: &'static str, method: &'static str, headers: &'static str) -> String {
        let pairs = [
            ("origin", origin),
            ("access-control-request-method", method),
            ("access-control-request-headers", headers),
        ];
        preflight(&rules(), &request(&pairs)).map_or_else(|error| error.code.as_str().to_owned(), |reply| show(&reply))
    }

    #[test]
    fn preflights() {
        expect![[r#"
            access-control-allow-credentials: true
            access-control-allow-headers: content-type, x-amz-date
            access-control-allow-methods: PUT, POST
            access-control-allow-origin: https://app.example.com
            access-control-expose-headers: ETag, x-amz-version-id
            access-control-max-age: 3000
            vary: Origin, Access-Control-Request-Headers, Access-Control-Request-Method
        "#]]
        .assert_eq(&answer("https://app.example.com", "PUT", "content-type, X-Amz-Date"));
        expect![[r#"
            access-control-allow-methods: GET
            access-control-allow-origin: *
            vary: Origin, Access-Control-Request-Headers, Access-Control-Request-Method
        "#]]
        .assert_eq(&answer("https://anywhere", "GET", ""));
        assert_eq!(answer("https://app.example.com", "PUT", "x-other"), "AccessForbidden");
        assert_eq!(answer("https://app.example.com", "DELETE", ""), "AccessForbidden");
        assert_eq!(answer("https://example.com.evil", "PUT", ""), "AccessForbidden");
        assert_eq!(answer("https://anywhere", "GET", "x-other"), "AccessForbidden");
        assert!(preflight(&rules(), &request(&[("origin", "https://a")])).is_err());
        assert!(preflight(&rules(), &request(&[("access-control-request-method", "GET")])).is_err());
        assert!(
            preflight(&[], &request(&[("origin", "https://a"), ("access-control-request-method", "GET")])).is_err()
        );
    }

    #[test]
    fn actual_requests() {
        let from = |origin| request(&[("origin", origin)]);
        let allowed = actual(&rules(), &Method::PUT, &from("https://app.example.com"));
        assert_eq!(allowed["access-control-allow-origin"], "https://app.example.com");
        assert_eq!(allowed["access-control-expose-headers"], "ETag, x-amz-version-id");
        assert!(actual(&rules(), &Method::DELETE, &from("https://app.example.com")).is_empty());
        assert!(actual(&rules(), &Method::GET, &HeaderMap::new()).is_empty());
    }

    #[test]
    fn one_star_is_any_text() {
        assert!(matches("*", "") && matches("a*", "a") && matches("a*b", "ab") && matches("a*b", "axxb"));
        assert!(!matches("ab*ba", "aba") && !matches("a", "A") && !matches("", "a"));
    }
}
