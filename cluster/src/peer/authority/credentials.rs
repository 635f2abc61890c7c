//! Credentials: what a node shows to other nodes, and whom it believes.

use std::fmt;

use bytes::Bytes;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls_pki_types::PrivatePkcs8KeyDer;

use super::PUBLIC_KEY_BYTES;
use crate::error::{Error, ErrorKind, Result};

/// Of a member, or of an invited node.
#[derive(Clone, PartialEq, Eq)]
pub struct PeerCredentials {
    /// DER.
    pub certificate: Bytes,
    pub key: PeerKey,
    /// The certificate (DER) of the authority that both sides must be able to show a certificate of.
    pub authority: Bytes,
}

/// A private key, PKCS#8. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct PeerKey(Bytes);

impl PeerKey {
    pub fn generate() -> Result<Self> {
        let key = KeyPair::generate()
            .map_err(|cause| Error::caused_by(ErrorKind::Internal, "make a key for a peer", cause))?;
        Ok(Self(key.serialize_der().into()))
    }

    /// `Corrupt` if it is not a P-256 key.
    pub fn from_der(der: Bytes) -> Result<Self> {
        let key = Self(der);
        key.public_key()?;
        Ok(key)
    }

    pub fn der(&self) -> &Bytes {
        &self.0
    }

    pub fn public_key(&self) -> Result<[u8; PUBLIC_KEY_BYTES]> {
        let corrupt = |cause: rcgen::Error| Error::caused_by(ErrorKind::Corrupt, "read a peer's private key", cause);
        let der = PrivatePkcs8KeyDer::from(self.0.as_ref());
        let key = KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_ECDSA_P256_SHA256).map_err(corrupt)?;
        let public_key = key.public_key_raw().try_into();
        public_key
            .map_err(|_| Error::new(ErrorKind::Corrupt, "read a peer's private key: its public key is no P-256 point"))
    }
}

impl fmt::Debug for PeerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PeerKey(…)")
    }
}

impl fmt::Debug for PeerCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PeerCredentials(…)")
    }
}
