//! A proof by Signature Version 4, wherever in the request it stood: what is signed, and whether the signature matches.
//! Does not own: how it is written in the Authorization header (`sigv4`) and in the query (`presigned`).
//! Invariant: whatever can be refused without the secret was refused before there is a `ProofV4`.

use crate::s3_api::auth::body::{BodyIntegrity, ChunkSigner};
use crate::s3_api::auth::canonical::{canonical_request, unsigned_headers};
use crate::s3_api::auth::credential::Credential;
use crate::s3_api::auth::signature::{SigningKeys, matches, mismatch, sha256_hex};
use crate::s3_api::auth::{SecretKey, SignedRequest};
use crate::s3_api::error::{Result, S3Error};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const ALGORITHM_V4A: &str = "AWS4-ECDSA-P256-SHA256";

pub struct ProofV4 {
    pub(super) credential: Credential,
    pub(super) signed_headers: Vec<String>,
    pub(super) signature: String,
    /// `YYYYMMDDTHHMMSSZ`.
    pub(super) date_time: String,
    pub(super) payload_hash: String,
    /// The one parameter of the query that the signature does not cover: itself.
    pub(super) left_out: Option<&'static str>,
}

impl ProofV4 {
    pub fn access_key(&self) -> &str {
        &self.credential.access_key
    }

    pub fn verify(&self, request: &SignedRequest<'_>, secret: &SecretKey, keys: &SigningKeys) -> Result<BodyIntegrity> {
        let canonical = canonical_request(request, &self.signed_headers, self.left_out, &self.payload_hash);
        let scope = self.credential.scope();
        let string_to_sign = string_to_sign(&self.date_time, &scope, &canonical);
        let key = keys.get(secret, &self.credential);
        if !matches(&key.sign(&string_to_sign), &self.signature) {
            return Err(
                mismatch(self.access_key(), &string_to_sign, &self.signature).field("CanonicalRequest", canonical)
            );
        }
        let signer = ChunkSigner::new(key, self.date_time.clone(), scope, self.signature.clone());
        BodyIntegrity::from_payload_hash(&self.payload_hash, Some(signer))
    }
}

fn string_to_sign(date_time: &str, scope: &str, canonical_request: &str) -> String {
    format!("{ALGORITHM}\n{date_time}\n{scope}\n{}", sha256_hex(canonical_request.as_bytes()))
}

pub(super) fn require_signed(request: &SignedRequest<'_>, signed_headers: &[String]) -> Result<()> {
    let unsigned = unsigned_headers(request, signed_headers);
    if unsigned.is_empty() {
        return Ok(());
    }
    let message = "There were headers present in the request which were not signed";
    Err(S3Error::access_denied(message).field("HeadersNotSigned", unsigned.join(", ")))
}

/// Refuses an algorithm that is not ours, by its name.
pub(super) fn check_algorithm(algorithm: &str) -> Result<()> {
    match algorithm {
        ALGORITHM => Ok(()),
        ALGORITHM_V4A => Err(S3Error::not_implemented("Signature Version 4A (AWS4-ECDSA-P256-SHA256)")),
        _ => Err(S3Error::invalid_argument("Unsupported Authorization Type", "Authorization", algorithm)),
    }
}
