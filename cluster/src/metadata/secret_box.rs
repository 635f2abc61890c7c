//! Secret box: secrets as they stand in records.
//! Owns: sealing and opening under the master key, with XChaCha20-Poly1305. The name of what the secret belongs to (an access
//! key id, the cluster's authority) is bound to it, so that a record whose secret was swapped for another's does not open.
//! Does not own: where the master key comes from (a file or the environment).
//! Invariant: neither the master key nor a secret is ever printed.

use std::fmt;

use bytes::Bytes;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use crate::error::{Error, ErrorKind, Result};

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;

/// 256 bits.
pub const MASTER_KEY_BYTES: usize = 32;

/// What seals every secret of a cluster; the same on all of its nodes. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey(pub [u8; MASTER_KEY_BYTES]);

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

pub struct SecretBox {
    cipher: XChaCha20Poly1305,
}

impl SecretBox {
    pub fn new(master_key: &[u8; MASTER_KEY_BYTES]) -> Self {
        Self { cipher: XChaCha20Poly1305::new(master_key.into()) }
    }

    /// `version ‖ nonce ‖ ciphertext and tag`. The nonce is random: at 192 bits two are never the same.
    pub fn seal(&self, name: &str, secret: &[u8]) -> Result<Bytes> {
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let payload = Payload { msg: secret, aad: name.as_bytes() };
        let sealed = self
            .cipher
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| Error::new(ErrorKind::Internal, "seal a secret"))?;
        Ok([&[VERSION][..], &nonce, &sealed].concat().into())
    }

    /// `Corrupt` if the bytes were changed, belong to another name, or were sealed under another master key.
    pub fn open(&self, name: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        let not_ours = || Error::new(ErrorKind::Corrupt, "open a sealed secret: is the master key the right one?");
        let (version, rest) = sealed.split_first().ok_or_else(not_ours)?;
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_BYTES>().ok_or_else(not_ours)?;
        if *version != VERSION {
            return Err(not_ours());
        }
        let payload = Payload { msg: ciphertext, aad: name.as_bytes() };
        self.cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| not_ours())
    }
}

impl fmt::Debug for SecretBox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBox(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_what_it_sealed_and_nothing_else() {
        let secret_box = SecretBox::new(&[7; MASTER_KEY_BYTES]);
        let sealed = secret_box.seal("AKEY", b"a secret").unwrap();
        assert_eq!(secret_box.open("AKEY", &sealed).unwrap(), b"a secret");

        let refused = |secret_box: &SecretBox, access_key: &str, sealed: &[u8]| {
            assert_eq!(secret_box.open(access_key, sealed).unwrap_err().kind(), ErrorKind::Corrupt);
        };
        refused(&secret_box, "OTHER", &sealed);
        refused(&SecretBox::new(&[8; MASTER_KEY_BYTES]), "AKEY", &sealed);
        for position in 0..sealed.len() {
            let mut changed = sealed.to_vec();
            changed[position] ^= 1;
            refused(&secret_box, "AKEY", &changed);
            refused(&secret_box, "AKEY", &sealed[..position]);
        }
    }

    #[test]
    fn the_same_secret_is_sealed_differently_each_time() {
        let secret_box = SecretBox::new(&[7; MASTER_KEY_BYTES]);
        let (one, two) = (secret_box.seal("AKEY", b"a secret").unwrap(), secret_box.seal("AKEY", b"a secret").unwrap());
        assert_ne!(one, two);
        assert!(!one.windows(8).any(|window| window == b"a secret"));
    }

    #[test]
    fn nothing_secret_is_printed() {
        assert_eq!(format!("{:?}", SecretBox::new(&[7; MASTER_KEY_BYTES])), "SecretBox(…)");
        assert_eq!(format!("{:?}", MasterKey([7; MASTER_KEY_BYTES])), "MasterKey(…)");
    }
}
