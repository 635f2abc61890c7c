//! Hoisted headers: presigning SDKs move `x-amz-*` headers into the query, where the signature covers them; Version 2 also
//! Content-MD5 and Content-Type.
//! They mean what they would mean as headers: a presigned PUT with `x-amz-checksum-crc32=AAAAAA==` is a PUT of nothing.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::s3_api::error::{Result, S3Error};
use crate::s3_api::router::Query;

/// Parameters of the signature itself, which are no headers.
const SIGNATURE_PARAMETERS: &[&str] = &[
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-signedheaders",
    "x-amz-signature",
    "x-amz-security-token",
    "x-amz-content-sha256",
];

/// Adds the hoisted headers of a presigned request that has been verified. One that stands in two places is refused:
/// the signature covers both, whoever passes the request on could choose between them.
pub fn add_to(headers: &mut HeaderMap, query: &Query) -> Result<()> {
    for (name, value) in query.iter() {
        let lower = name.to_ascii_lowercase();
        // Version 2 signs the header if there is one, so that one counts.
        let is_content = matches!(lower.as_str(), "content-md5" | "content-type") && !headers.contains_key(&lower);
        if !(is_content || lower.starts_with("x-amz-")) || SIGNATURE_PARAMETERS.contains(&lower.as_str()) {
            continue;
        }
        let name = HeaderName::try_from(lower);
        let value_ok = HeaderValue::from_bytes(value.as_bytes());
        let (Ok(name), Ok(header_value)) = (name, value_ok) else {
            return Err(S3Error::invalid_argument("The parameter is not valid as a header.", "x-amz-", value));
        };
        if headers.contains_key(&name) {
            return Err(S3Error::invalid_argument("The header stands in the request twice.", name.as_str(), value));
        }
        headers.insert(name, header_value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::add_to;
    use crate::s3_api::router::Query;

    #[test]
    fn signed_parameters_become_headers() {
        let mut headers = HeaderMap::new();
        let query = Query::parse(
            "X-Amz-Date=1&X-Amz-Signature=2&x-amz-checksum-crc32=AAAAAA%3D%3D&X-Amz-Meta-A=signed&x-id=PutObject",
        )
        .unwrap();
        add_to(&mut headers, &query).unwrap();
        assert_eq!(headers.len(), 2, "{headers:?}");
        assert_eq!(headers["x-amz-checksum-crc32"], "AAAAAA==");
        assert_eq!(headers["x-amz-meta-a"], "signed");
        assert!(add_to(&mut headers, &query).is_err(), "in the headers and in the query");
        assert!(add_to(&mut HeaderMap::new(), &Query::parse("x-amz-a=1&X-Amz-A=2").unwrap()).is_err());
        add_to(&mut headers, &Query::parse("content-type=text/plain").unwrap()).unwrap();
        add_to(&mut headers, &Query::parse("content-type=text/html").unwrap()).unwrap();
        assert_eq!(headers["content-type"], "text/plain", "a header that is there is the one that was signed");
        assert!(add_to(&mut headers, &Query::parse("x-amz-meta-a=%0A").unwrap()).is_err());
        assert!(add_to(&mut headers, &Query::parse("x-amz-meta-%20=1").unwrap()).is_err());
    }
}
