//! Signatures: HMAC, the derivation of Signature Version 4 keys and the cache of derived keys.
//! AWS IAM User Guide, "Create a signed AWS API request".

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::s3_api::auth::SecretKey;
use crate::s3_api::auth::credential::Credential;
use crate::s3_api::error::{ErrorCode, S3Error};

pub const SHA256_OF_NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A day's working set of keys and regions; past it the cache starts anew, which costs four HMACs a request.
const SIGNING_KEYS_MAX: usize = 4096;

/// A key derived from a secret for one day, region and service: it signs nothing else.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SigningKey([u8; 32]);

impl SigningKey {
    pub fn derive(secret: &SecretKey, date: &str, region: &str, service: &str) -> Self {
        let date_key = hmac_sha256(format!("AWS4{}", secret.expose()).as_bytes(), date.as_bytes());
        let region_key = hmac_sha256(&date_key, region.as_bytes());
        let service_key = hmac_sha256(&region_key, service.as_bytes());
        Self(hmac_sha256(&service_key, b"aws4_request"))
    }

    /// Lower-case hex, as it stands in requests.
    pub fn sign(&self, string_to_sign: &str) -> String {
        hex::encode(hmac_sha256(&self.0, string_to_sign.as_bytes()))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

/// Derived keys by what they are derived from. The secret is part of that, so a changed secret never meets an old key.
#[derive(Default)]
pub struct SigningKeys {
    derived: Mutex<HashMap<(String, String), SigningKey>>,
}

impl SigningKeys {
    pub fn get(&self, secret: &SecretKey, credential: &Credential) -> SigningKey {
        let from = (secret.expose().to_owned(), credential.scope());
        let mut derived = self.derived.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = derived.get(&from) {
            return *key;
        }
        if derived.len() >= SIGNING_KEYS_MAX {
            derived.clear();
        }
        let key = SigningKey::derive(secret, &credential.date, &credential.region, &credential.service);
        derived.insert(from, key);
        key
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKeys(…)")
    }
}

/// Whether what the client sent is what we computed, in a time that does not tell where they differ.
pub fn matches(computed: &str, provided: &str) -> bool {
    computed.as_bytes().ct_eq(provided.as_bytes()).into()
}

/// 403 with what was signed, so that the author of a client can compare. Nothing in it is secret.
pub fn mismatch(access_key: &str, string_to_sign: &str, provided: &str) -> S3Error {
    S3Error::new(ErrorCode::SignatureDoesNotMatch)
        .field("AWSAccessKeyId", access_key)
        .field("StringToSign", string_to_sign)
        .field("SignatureProvided", provided)
}

pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length: RFC 2104 §2")]
fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length: RFC 2104 §2")]
pub fn hmac_sha1(key: &[u8], message: &[u8]) -> [u8; 20] {
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::{SIGNING_KEYS_MAX, SigningKey, SigningKeys};
    use crate::s3_api::auth::SecretKey;
    use crate::s3_api::auth::credential::Credential;

    /// AWS General Reference, "Deriving a signing key: examples".
    #[test]
    fn derived_key_of_the_documentation() {
        let secret = SecretKey::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        let key = SigningKey::derive(&secret, "20120215", "us-east-1", "iam");
        assert_eq!(hex::encode(key.0), "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d");
        assert_eq!(format!("{key:?} {secret:?}"), "SigningKey(…) Secret(…)");
    }

    #[test]
    fn cache_is_bounded_and_knows_the_secret() {
        let keys = SigningKeys::default();
        let credential = |region: String| Credential {
            access_key: "a".to_owned(),
            date: "20130524".to_owned(),
            region,
            service: "s3".to_owned(),
        };
        let (one, other) = (SecretKey::new("one"), SecretKey::new("other"));
        let of_one = keys.get(&one, &credential("r".to_owned()));
        assert_eq!(keys.get(&one, &credential("r".to_owned())), of_one);
        assert_ne!(keys.get(&other, &credential("r".to_owned())), of_one);
        for region in 0..SIGNING_KEYS_MAX + 10 {
            keys.get(&one, &credential(region.to_string()));
        }
        assert!(keys.derived.lock().unwrap().len() <= SIGNING_KEYS_MAX);
    }
}
