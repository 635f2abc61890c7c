//! Signature Version 2 in the query: what boto3 presigns by default for the region names of AWS.
//! Amazon S3 User Guide, "Signing and authenticating REST requests (AWS Signature Version 2)". In the Authorization header
//! it is refused (sigv4).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::s3_api::auth::presigned::expired;
use crate::s3_api::auth::signature::{hmac_sha1, matches, mismatch};
use crate::s3_api::auth::{AuthOptions, SecretKey, SignedRequest};
use crate::s3_api::error::{Result, S3Error};
use crate::s3_api::router::Operation;
use crate::s3_api::router::Target;
use crate::s3_api::timestamp::unix_seconds;

/// The query names that Version 2 signs. Others could be added by whoever holds the URL.
const SIGNED_PARAMETERS: &[&str] = &[
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "delete",
    "encryption",
    "inventory",
    "legal-hold",
    "lifecycle",
    "location",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "partNumber",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "replication",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "retention",
    "select",
    "select-type",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
];

pub struct QueryProofV2 {
    access_key: String,
    signature: String,
    expires: String,
}

impl QueryProofV2 {
    pub fn parse(request: &SignedRequest<'_>, options: &AuthOptions) -> Result<Self> {
        if !options.sigv2_presigned {
            let message =
                "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.";
            return Err(S3Error::invalid_request(message));
        }
        let parameter = |name: &str| {
            request.query.get(name).filter(|value| !value.is_empty()).map(str::to_owned).ok_or_else(|| {
                S3Error::access_denied(
                    "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters",
                )
            })
        };
        let proof = Self {
            access_key: parameter("AWSAccessKeyId")?,
            // A `+` of base64 that was not percent-encoded reads as a space.
            signature: parameter("Signature")?.replace(' ', "+"),
            expires: parameter("Expires")?,
        };
        let Ok(valid_until) = proof.expires.parse::<u64>() else {
            return Err(S3Error::access_denied("Invalid date (should be seconds since epoch)"));
        };
        let now = unix_seconds(request.now);
        if now > valid_until {
            return Err(expired(now, valid_until));
        }
        let unsigned = Operation::TABLE
            .iter()
            .filter_map(|row| row.marker.sub_resource())
            .find(|name| request.query.has(name) && !SIGNED_PARAMETERS.contains(name));
        if let Some(name) = unsigned {
            let message = format!("The sub-resource {name:?} cannot be signed with Signature Version 2.");
            return Err(S3Error::access_denied(message));
        }
        Ok(proof)
    }

    pub fn access_key(&self) -> &str {
        &self.access_key
    }

    pub fn verify(&self, request: &SignedRequest<'_>, secret: &SecretKey) -> Result<()> {
        let forms = path_forms(request);
        let signed = |form: &String| {
            let string_to_sign = string_to_sign(request, &self.expires, form);
            matches(&sign(secret, &string_to_sign), &self.signature)
        };
        if forms.iter().any(signed) {
            return Ok(());
        }
        let string_to_sign = string_to_sign(request, &self.expires, &forms[0]);
        Err(mismatch(&self.access_key, &string_to_sign, &self.signature))
    }
}

/// Base64 of HMAC-SHA1; POST forms sign their policy with it too.
pub fn sign(secret: &SecretKey, string_to_sign: &str) -> String {
    STANDARD.encode(hmac_sha1(secret.expose().as_bytes(), string_to_sign.as_bytes()))
}

fn string_to_sign(request: &SignedRequest<'_>, expires: &str, path: &str) -> String {
    let mut out = String::with_capacity(256);
    out.extend([request.method.as_str(), "\n"]);
    out.extend([&header_or_parameter(request, "content-md5"), "\n"]);
    out.extend([&header_or_parameter(request, "content-type"), "\n"]);
    out.extend([expires, "\n"]);
    for (name, value) in amz_headers(request) {
        out.extend([name.as_str(), ":", value.as_str(), "\n"]);
    }
    out.push_str(path);
    push_parameters(&mut out, request);
    out
}

fn header_or_parameter(request: &SignedRequest<'_>, name: &str) -> String {
    let header = request.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned());
    header.or_else(|| request.query.get_ignore_case(name).map(str::to_owned)).unwrap_or_default()
}

/// `x-amz-*` of the headers, and of the query, where boto3 puts them; by name, repeated ones joined.
fn amz_headers(request: &SignedRequest<'_>) -> Vec<(String, String)> {
    let headers = request
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).trim().to_owned()));
    let parameters = request.query.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
    let mut signed: Vec<(String, String)> = Vec::new();
    for (name, value) in headers.chain(parameters).filter(|(name, _)| name.starts_with("x-amz-")) {
        match signed.iter_mut().find(|(have, _)| *have == name) {
            Some((_, joined)) => joined.extend([",", value.as_str()]),
            None => signed.push((name, value)),
        }
    }
    signed.sort();
    signed
}

/// `/bucket/key` as it stood in the request line. A bucket alone may also have been signed with a slash behind it: that is what boto3 signs,
/// and leaves out of the request line.
fn path_forms(request: &SignedRequest<'_>) -> Vec<String> {
    let raw_path = request.uri.path();
    if let Ok(bucket) = request.target.bucket()
        && is_virtual_host(raw_path, request.target)
    {
        return vec![format!("/{}{raw_path}", bucket.as_str())];
    }
    let mut forms = vec![raw_path.to_owned()];
    if raw_path.len() > 1 && !raw_path[1..].contains('/') {
        forms.push(format!("{raw_path}/"));
    }
    forms
}

/// The signed parameters by name, their values decoded.
fn push_parameters(out: &mut String, request: &SignedRequest<'_>) {
    let mut parameters: Vec<_> = request.query.iter().filter(|(name, _)| SIGNED_PARAMETERS.contains(name)).collect();
    parameters.sort_unstable();
    for (at, (name, value)) in parameters.into_iter().enumerate() {
        out.extend([if at == 0 { "?" } else { "&" }, name]);
        if !value.is_empty() {
            out.extend(["=", value]);
        }
    }
}

/// Whether the bucket came from the host name: then the path is the key alone.
fn is_virtual_host(raw_path: &str, target: &Target) -> bool {
    let path_style = Target::parse(raw_path, "", &[]);
    path_style.as_ref().ok() != Some(target)
}
