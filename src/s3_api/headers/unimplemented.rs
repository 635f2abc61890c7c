//! Headers that ask for what Onggi does not do: refused, because a client that believes in an encryption, a lock or a
//! grant that is not there loses more than a failed request.

use http::HeaderMap;

use crate::s3_api::error::{ErrorCode, Result, S3Error};

/// Whatever their value.
const REFUSED: &[&str] = &["x-amz-write-offset-bytes", "x-amz-request-route", "x-amz-request-token"];
const REFUSED_PREFIXES: &[&str] =
    &["x-amz-server-side-encryption", "x-amz-copy-source-server-side-encryption", "x-amz-object-lock-", "x-amz-grant-"];

/// Refused unless the value says what is true here anyway: everything belongs to the bucket's owner, who alone may use it.
const REFUSED_UNLESS: &[(&str, &[&str])] = &[
    ("x-amz-acl", &["private", "bucket-owner-full-control", "bucket-owner-read"]),
    ("x-amz-object-ownership", &["BucketOwnerEnforced"]),
    ("x-amz-bucket-object-lock-enabled", &["false", "False"]),
];

/// For every request, after authentication.
pub fn refuse(headers: &HeaderMap) -> Result<()> {
    if let Some(class) = headers.get("x-amz-storage-class")
        && class != "STANDARD"
    {
        let class = String::from_utf8_lossy(class.as_bytes());
        return Err(S3Error::new(ErrorCode::InvalidStorageClass).field("StorageClassRequested", class));
    }
    for (name, value) in headers {
        let name = name.as_str();
        let accepted = REFUSED_UNLESS.iter().find(|(refused, _)| *refused == name).map(|(_, accepted)| *accepted);
        let refused = match accepted {
            Some(accepted) => !accepted.iter().any(|accepted| value == accepted),
            None => REFUSED.contains(&name) || REFUSED_PREFIXES.iter().any(|prefix| name.starts_with(prefix)),
        };
        if refused {
            return Err(S3Error::header_not_implemented(name));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::refuse;

    fn answer(name: &'static str, value: &'static str) -> &'static str {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        refuse(&headers).map_or_else(|error| error.code.as_str(), |()| "accepted")
    }

    #[test]
    fn protection_that_is_not_there_is_refused() {
        assert_eq!(answer("x-amz-server-side-encryption", "AES256"), "NotImplemented");
        assert_eq!(answer("x-amz-server-side-encryption-customer-key", "a2V5"), "NotImplemented");
        assert_eq!(answer("x-amz-object-lock-mode", "COMPLIANCE"), "NotImplemented");
        assert_eq!(answer("x-amz-bucket-object-lock-enabled", "true"), "NotImplemented");
        assert_eq!(answer("x-amz-acl", "public-read"), "NotImplemented");
        assert_eq!(answer("x-amz-grant-read", "id=1"), "NotImplemented");
        assert_eq!(answer("x-amz-write-offset-bytes", "0"), "NotImplemented");
        assert_eq!(answer("x-amz-storage-class", "GLACIER"), "InvalidStorageClass");
    }

    #[test]
    fn what_is_true_anyway_is_accepted() {
        assert_eq!(answer("x-amz-acl", "private"), "accepted");
        assert_eq!(answer("x-amz-acl", "bucket-owner-full-control"), "accepted");
        assert_eq!(answer("x-amz-object-ownership", "BucketOwnerEnforced"), "accepted");
        assert_eq!(answer("x-amz-bucket-object-lock-enabled", "false"), "accepted");
        assert_eq!(answer("x-amz-storage-class", "STANDARD"), "accepted");
        assert_eq!(answer("x-amz-sdk-anything", "1"), "accepted");
        assert_eq!(answer("x-amz-meta-acl", "public-read"), "accepted");
    }
}
