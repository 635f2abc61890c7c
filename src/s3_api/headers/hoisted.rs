//! Hoisted headers: presigning SDKs move `x-amz-*` headers into the query, where the signature covers them.
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

/// Adds the hoisted headers of a presigned request that has been verified. What was signed wins over what was sent.
pub fn add_to(headers: &mut HeaderMap, query: &Query) -> Result<()> {
    for (name, value) in query.iter() {
        let lower = name.to_ascii_lowercase();
        if !lower.starts_with("x-amz-") || SIGNATURE_PARAMETERS.contains(&lower.as_str()) {
            continue;
        }
        let name = HeaderName::try_from(lower);
        let value_ok = HeaderValue::from_bytes(value.as_bytes());
        let (Ok(name), Ok(header_value)) = (name, value_ok) else {
            return Err(S3Error::invalid_argument("The parameter is not valid as a header.", "x-amz-", value));
        };
        headers.insert(name, header_value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::add_to;
    use crate::s3_api::router::Query;

    #[test]
    fn signed_parameters_become_headers() {
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-meta-a", HeaderValue::from_static("unsigned"));
        let query = Query::parse(
            "X-Amz-Date=1&X-Amz-Signature=2&x-amz-checksum-crc32=AAAAAA%3D%3D&X-Amz-Meta-A=signed&x-id=PutObject",
        )
        .unwrap();
        add_to(&mut headers, &query).unwrap();
        assert_eq!(headers.len(), 2);
        assert_eq!(headers["x-amz-checksum-crc32"], "AAAAAA==");
        assert_eq!(headers["x-amz-meta-a"], "signed");
        assert!(add_to(&mut headers, &Query::parse("x-amz-meta-a=%0A").unwrap()).is_err());
        assert!(add_to(&mut headers, &Query::parse("x-amz-meta-%20=1").unwrap()).is_err());
    }
}
