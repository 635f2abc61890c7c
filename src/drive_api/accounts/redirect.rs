//! Redirect URI: where a browser is sent with a code. Loopback addresses (RFC 8252 §7.3), and what the operator registered, exactly.
//! Invariant: nobody else ever gets a browser from us, so that the page is no way to somewhere.

use http::Uri;

const BYTES_MAX: usize = 2000;
const LOOPBACK: [&str; 3] = ["127.0.0.1", "[::1]", "localhost"];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectUri(String);

impl RedirectUri {
    pub fn parse(text: &str, registered: &[String]) -> Option<Self> {
        let is_plain = text.len() <= BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_graphic());
        let is_well_formed = is_plain && !text.contains(['#', '\\', '"', '<', '>']);
        let is_known = registered.iter().any(|known| known == text) || is_loopback(text);
        (is_well_formed && is_known).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn with(&self, parameters: &[(&str, &str)]) -> String {
        let separator = if self.0.contains('?') { '&' } else { '?' };
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        format!("{}{separator}{query}", self.0)
    }

    /// As a Content-Security-Policy names it; browsers check the target of a redirect after a form, too.
    pub fn csp_source(&self) -> String {
        let (scheme, rest) = self.0.split_once(':').unwrap_or((&self.0, ""));
        let authority = rest.strip_prefix("//").map(|rest| rest.split(['/', '?']).next().unwrap_or(""));
        match authority {
            // It has no form for IPv6 addresses.
            Some(authority) if !authority.is_empty() && !authority.contains(['[', ';', ',', '\'', '@', '*']) => {
                format!("{scheme}://{authority}")
            }
            _ => format!("{scheme}:"),
        }
    }
}

fn is_loopback(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
    let has_no_user = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    is_http && has_no_user && uri.host().is_some_and(|host| LOOPBACK.contains(&host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<RedirectUri> {
        RedirectUri::parse(text, &["https://app.example/back".to_owned(), "app://done".to_owned()])
    }

    #[test]
    fn only_loopback_and_what_is_registered() {
        for good in [
            "http://127.0.0.1:5000/",
            "http://localhost",
            "https://localhost:8443/a?b=c",
            "http://[::1]:5000/x",
            "https://app.example/back",
            "app://done",
        ] {
            assert!(parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "/",
            "//evil.example",
            "https://evil.example/",
            "https://app.example/back/",
            "https://app.example/back?x=1",
            "http://127.0.0.1.evil.example/",
            "http://localhost.evil.example",
            "http://127.0.0.1@evil.example/",
            "http://evil.example@127.0.0.1/",
            "http://127.0.0.1:5000/#fragment",
            "http://127.0.0.1\\@evil.example/",
            "http://2130706433/",
            "javascript:alert(1)",
            "data:text/html,x",
            "http://127.0.0.1:5000/\r\nSet-Cookie: a=b",
            "ftp://127.0.0.1/",
        ] {
            assert!(parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn parameters_are_added() {
        let with = |uri: &str| parse(uri).unwrap().with(&[("code", "onc_x"), ("state", "a&b=c d")]);
        assert_eq!(with("http://localhost:1/"), "http://localhost:1/?code=onc_x&state=a%26b%3Dc+d");
        assert_eq!(with("https://localhost:8443/a?b=c"), "https://localhost:8443/a?b=c&code=onc_x&state=a%26b%3Dc+d");
    }

    #[test]
    fn what_the_policy_names() {
        let source = |uri: &str| parse(uri).unwrap().csp_source();
        assert_eq!(source("http://127.0.0.1:5000/x?y"), "http://127.0.0.1:5000");
        assert_eq!(source("http://localhost?x"), "http://localhost");
        assert_eq!(source("http://[::1]:5000/x"), "http:");
        assert_eq!(source("app://done"), "app://done");
    }
}
