//! Drive key: the access key with which the drive presigns addresses of S3 for its users. No record holds it: each node derives it from the
//! cluster's master key, and what S3 asks for a signature is found in the same way.
//! Invariant: the secret never leaves the process; what leaves it is signatures, each for one request and some hours.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use onggi_cluster::id::UserId;
use sha2::Sha256;

use super::fresh::KeyPair;
use super::secret::Secret;

/// With a character that no key of an operator has.
const PREFIX: &str = "OGD-";

/// Cheap to clone.
#[derive(Clone)]
pub(super) struct DriveKeys([u8; 32]);

impl DriveKeys {
    pub(super) fn derive(master_key: &[u8; 32]) -> Self {
        Self(mac(master_key, b"onggi drive access key v1", &[]))
    }

    pub(super) fn key_of(&self, user: UserId) -> KeyPair {
        let secret = mac(&self.0, b"secret", &user.0.to_be_bytes());
        KeyPair { access_key: format!("{PREFIX}{:016x}", user.0), secret: Secret::new(STANDARD_NO_PAD.encode(secret)) }
    }

    /// Whose it is, if it has the form of one.
    pub(super) fn user_of(access_key: &str) -> Option<UserId> {
        let digits = access_key.strip_prefix(PREFIX)?;
        let well_formed = digits.len() == 16 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        well_formed.then(|| u64::from_str_radix(digits, 16).ok()).flatten().map(UserId)
    }
}

fn mac(key: &[u8; 32], purpose: &[u8], of: &[u8]) -> [u8; 32] {
    let mut tag = [0; 32];
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) {
        mac.update(purpose);
        mac.update(of);
        tag.copy_from_slice(&mac.finalize().into_bytes());
    }
    tag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_says_whose_it_is_and_each_user_and_cluster_has_another() {
        let keys = DriveKeys::derive(&[1; 32]);
        let key = keys.key_of(UserId(7));
        assert_eq!(key.access_key, "OGD-0000000000000007");
        assert_eq!(DriveKeys::user_of(&key.access_key), Some(UserId(7)));
        assert_ne!(key.secret, keys.key_of(UserId(8)).secret);
        assert_ne!(key.secret, DriveKeys::derive(&[2; 32]).key_of(UserId(7)).secret);
        for other in ["", "OGD-", "OGD-7", "OGD-000000000000000G", "OGD-+000000000000007", "OGDAAAAAAAAAAAAAAAAA"] {
            assert_eq!(DriveKeys::user_of(other), None, "{other}");
        }
    }
}
