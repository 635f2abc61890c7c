//! Listings: the parameters that the pages of keys, versions, uploads and buckets have in common.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use onggi_cluster::metadata::query::{After, ListObjects};

use crate::s3_api::error::{Result, S3Error};
use crate::s3_api::router::Query;
use crate::s3_api::xml::elements::KeyEncoding;

/// A page has at most this many entries, whatever is asked for.
pub const ENTRIES_MAX: u32 = 1000;

/// What a listing of names asks for.
pub struct Listing {
    pub prefix: String,
    pub delimiter: Option<String>,
    pub limit: u32,
    pub encoding: KeyEncoding,
}

impl Listing {
    /// `limit_parameter`: `max-keys` or `max-uploads`.
    pub fn parse(query: &Query, limit_parameter: &'static str) -> Result<Self> {
        Ok(Self {
            prefix: query.get("prefix").unwrap_or("").to_owned(),
            delimiter: query.get("delimiter").filter(|delimiter| !delimiter.is_empty()).map(str::to_owned),
            limit: limit(query, limit_parameter, ENTRIES_MAX)?,
            encoding: KeyEncoding::parse(query.get("encoding-type"))?,
        })
    }

    pub fn objects(&self, after: Option<After>) -> ListObjects {
        let limit = self.limit as usize;
        ListObjects { prefix: self.prefix.clone(), delimiter: self.delimiter.clone(), after, limit }
    }
}

/// A page size: more than `most` is `most`.
pub fn limit(query: &Query, name: &'static str, most: u32) -> Result<u32> {
    let Some(text) = query.get(name).filter(|text| !text.is_empty()) else {
        return Ok(most);
    };
    match text.parse::<i32>() {
        Ok(limit @ 0..) => Ok(most.min(limit.unsigned_abs())),
        _ => {
            let message = format!("Provided {name} not an integer or within integer range");
            Err(S3Error::invalid_argument(message, name, text))
        }
    }
}

/// A continuation token: opaque to clients, and safe for those that do not URL-encode it.
pub fn token(next: &str) -> String {
    URL_SAFE_NO_PAD.encode(next)
}

pub fn parse_token(token: &str) -> Result<String> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| {
        S3Error::invalid_argument("The continuation token provided is incorrect", "continuation-token", token)
    })
}

#[cfg(test)]
mod tests {
    use super::{limit, parse_token, token};
    use crate::s3_api::router::Query;

    #[test]
    fn page_sizes() {
        let of = |raw: &str| limit(&Query::parse(raw).unwrap(), "max-keys", 1000).ok();
        assert_eq!(of(""), Some(1000));
        assert_eq!(of("max-keys=0"), Some(0));
        assert_eq!(of("max-keys=7"), Some(7));
        assert_eq!(of("max-keys=5000"), Some(1000));
        for bad in ["-1", "x", "2147483648", "1.5"] {
            assert_eq!(of(&format!("max-keys={bad}")), None, "{bad}");
        }
    }

    #[test]
    fn tokens_come_back() {
        assert_eq!(parse_token(&token("a/ü\0")).unwrap(), "a/ü\0");
        assert!(parse_token("not a token!").is_err());
    }
}
