//! Signer: SigV4 in the Authorization header, with the fewest headers S3 allows.
//! Owns: the signature. A lean one of its own, because a load generator shares the machine with the server it measures.
//! Invariant: agrees with AWS's own signer (tests below).

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

pub const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";
/// Any region will do for a server that accepts all; this is what SDKs fall back to.
const REGION: &str = "us-east-1";

/// What is signed of one request; path and query are in their canonical, encoded form.
pub struct Signed<'a> {
    pub method: &'a str,
    pub authority: &'a str,
    pub path: &'a str,
    pub query: &'a str,
    /// Hex SHA-256 of the body, or `UNSIGNED_PAYLOAD`.
    pub payload: &'a str,
}

/// The two headers that a signature adds.
pub struct Signature {
    pub date: String,
    pub authorization: String,
}

pub struct Signer {
    access_key: String,
    secret_key: String,
    /// The derived key holds for one day.
    key: Option<(String, [u8; 32])>,
}

impl Signer {
    pub fn new(access_key: &str, secret_key: &str) -> Self {
        Self { access_key: access_key.to_string(), secret_key: secret_key.to_string(), key: None }
    }

    pub fn sign(&mut self, request: &Signed<'_>, now: OffsetDateTime) -> anyhow::Result<Signature> {
        let now = now.to_offset(time::UtcOffset::UTC);
        let day = format!("{:04}{:02}{:02}", now.year(), u8::from(now.month()), now.day());
        let date = format!("{day}T{:02}{:02}{:02}Z", now.hour(), now.minute(), now.second());
        let Signed { method, authority, path, query, payload } = request;
        let canonical = format!(
            "{method}\n{path}\n{query}\nhost:{authority}\nx-amz-content-sha256:{payload}\nx-amz-date:{date}\n\n\
             host;x-amz-content-sha256;x-amz-date\n{payload}"
        );
        let scope = format!("{day}/{REGION}/s3/aws4_request");
        let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex::encode(Sha256::digest(canonical)));
        let signature = hex::encode(mac(&self.day_key(&day)?, to_sign.as_bytes())?);
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope},SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature={signature}",
            self.access_key
        );
        Ok(Signature { date, authorization })
    }

    fn day_key(&mut self, day: &str) -> anyhow::Result<[u8; 32]> {
        if let Some((known, key)) = &self.key
            && known == day
        {
            return Ok(*key);
        }
        let mut key = mac(format!("AWS4{}", self.secret_key).as_bytes(), day.as_bytes())?;
        for part in [REGION, "s3", "aws4_request"] {
            key = mac(&key, part.as_bytes())?;
        }
        self.key = Some((day.to_string(), key));
        Ok(key)
    }
}

fn mac(key: &[u8], data: &[u8]) -> anyhow::Result<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key)?;
    mac.update(data);
    Ok(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use aws_credential_types::Credentials;
    use aws_sigv4::http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
        UriPathNormalizationMode, sign,
    };
    use aws_sigv4::sign::v4::SigningParams;

    use super::{Signed, Signer, UNSIGNED_PAYLOAD};

    /// AWS's own signer for the same request and second.
    fn expected(method: &str, url: &str, at: SystemTime) -> String {
        let mut settings = SigningSettings::default();
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        let identity = Credentials::new("access", "secret", None, None, "test").into();
        let params =
            SigningParams::builder().identity(&identity).region("us-east-1").name("s3").time(at).settings(settings);
        let request =
            SignableRequest::new(method, url, [].into_iter(), SignableBody::UnsignedPayload).expect("request");
        let (instructions, _) = sign(request, &params.build().expect("params").into()).expect("signature").into_parts();
        let (headers, _) = instructions.into_parts();
        let header = headers.iter().find(|header| header.name() == "authorization").expect("authorization");
        header.value().to_string()
    }

    #[test]
    fn agrees_with_the_signer_of_aws() {
        let mut signer = Signer::new("access", "secret");
        // Two days, so that the cached key is seen to change.
        for seconds in [1_700_000_000, 1_700_000_001, 1_700_090_000] {
            let at = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            for (method, path, query) in [
                ("GET", "/bucket/a%20key/%25", ""),
                ("PUT", "/bucket/k", "partNumber=2&uploadId=x%2By"),
                ("POST", "/b/k", "uploads="),
            ] {
                let separator = if query.is_empty() { "" } else { "?" };
                let url = format!("http://127.0.0.1:9000{path}{separator}{query}");
                let request = Signed { method, authority: "127.0.0.1:9000", path, query, payload: UNSIGNED_PAYLOAD };
                let signed = signer.sign(&request, at.into()).expect("signature");
                assert_eq!(signed.authorization, expected(method, &url, at).replace(", ", ","));
            }
        }
    }
}
