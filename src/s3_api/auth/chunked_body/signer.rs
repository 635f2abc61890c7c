//! Chunk signatures: each continues the one before it, the first continues the request's. So no chunk can be dropped,
//! repeated or moved.

use sha2::{Digest, Sha256};

use crate::s3_api::auth::signature::{SHA256_OF_NOTHING, SigningKey, matches, sha256_hex};
use crate::s3_api::error::{ErrorCode, Result, S3Error};

#[derive(Clone, Debug)]
pub struct ChunkSigner {
    key: SigningKey,
    date_time: String,
    scope: String,
    previous: String,
}

impl ChunkSigner {
    /// `seed` is the signature of the request.
    pub fn new(key: SigningKey, date_time: String, scope: String, seed: String) -> Self {
        Self { key, date_time, scope, previous: seed }
    }

    pub(super) fn verify_chunk(&mut self, payload: ChunkHasher, signature: &str) -> Result<()> {
        let string_to_sign = self.string_to_sign(
            "AWS4-HMAC-SHA256-PAYLOAD",
            &format!("{SHA256_OF_NOTHING}\n{}", hex::encode(payload.sha256.finalize())),
        );
        self.verify(string_to_sign, signature)
    }

    /// Trailers in the order they came, `name:value` and a line feed each.
    pub(super) fn verify_trailers(&mut self, trailers: &[(String, String)], signature: &str) -> Result<()> {
        let canonical: String = trailers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let string_to_sign = self.string_to_sign("AWS4-HMAC-SHA256-TRAILER", &sha256_hex(canonical.as_bytes()));
        self.verify(string_to_sign, signature)
    }

    fn string_to_sign(&self, algorithm: &str, digest: &str) -> String {
        format!("{algorithm}\n{}\n{}\n{}\n{digest}", self.date_time, self.scope, self.previous)
    }

    fn verify(&mut self, string_to_sign: String, signature: &str) -> Result<()> {
        let computed = self.key.sign(&string_to_sign);
        if !matches(&computed, signature) {
            return Err(S3Error::new(ErrorCode::SignatureDoesNotMatch)
                .field("StringToSign", string_to_sign)
                .field("SignatureProvided", signature));
        }
        self.previous = computed;
        Ok(())
    }
}

#[derive(Debug, Default)]
pub(super) struct ChunkHasher {
    sha256: Sha256,
}

impl ChunkHasher {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
    }
}
