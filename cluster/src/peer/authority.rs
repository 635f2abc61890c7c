//! Authority: the cluster's own certificate authority, by which nodes know each other.
//! Owns: its key (sealed in the system group), and the certificates that it issues to members and to invited nodes.
//! Does not own: who is a member (the system group), how a connection checks a certificate (the transport).
//! Invariant: a certificate has one DNS name, and that name says who the bearer is (`PeerName`).

mod credentials;
mod peer_name;

use std::fmt;

use bytes::Bytes;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData, SignatureAlgorithm,
};
use rustls_pki_types::PrivatePkcs8KeyDer;
use time::{Duration, OffsetDateTime};

pub use credentials::{PeerCredentials, PeerKey};
pub use peer_name::PeerName;

use super::Caller;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{ClusterId, NodeId, TokenId};
use crate::metadata::record::AuthorityRecord;
use crate::metadata::secret_box::SecretBox;

const AUTHORITY_DAYS: i64 = 20 * 365;
/// A node renews its own long before: it has what it takes, the authority's record and the master key.
pub const NODE_CERTIFICATE_DAYS: i64 = 365;
/// Certificates count from a little earlier: clocks of machines differ.
const SKEW: Duration = Duration::hours(1);

/// An uncompressed point of P-256 (SEC 1 §2.3.3).
pub const PUBLIC_KEY_BYTES: usize = 65;

pub struct Authority {
    cluster: ClusterId,
    certificate: Bytes,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub fn create(cluster: ClusterId, now_ms: u64) -> Result<Self> {
        let key = KeyPair::generate().map_err(|cause| failed("make the authority's key", cause))?;
        let params = authority_params(&cluster, moment(now_ms)?);
        let certificate =
            params.self_signed(&key).map_err(|cause| failed("make the authority's certificate", cause))?;
        let certificate = Bytes::copy_from_slice(certificate.der());
        Ok(Self { cluster, certificate, issuer: Issuer::new(params, key) })
    }

    /// The certificate, and the key sealed under the master key.
    pub fn seal(&self, secret_box: &SecretBox) -> Result<AuthorityRecord> {
        let sealed_key = secret_box.seal(&sealed_name(&self.cluster), self.issuer.key().serialized_der())?;
        Ok(AuthorityRecord { certificate: self.certificate.clone(), sealed_key })
    }

    /// `Corrupt`: the record is of another cluster, or was sealed under another master key.
    pub fn open(cluster: ClusterId, record: &AuthorityRecord, secret_box: &SecretBox) -> Result<Self> {
        let key = secret_box.open(&sealed_name(&cluster), &record.sealed_key)?;
        let key = KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(key), &PKCS_ECDSA_P256_SHA256)
            .map_err(|cause| Error::caused_by(ErrorKind::Corrupt, "read the authority's key", cause))?;
        // Only its name goes into what it issues, and that follows from the cluster.
        let params = authority_params(&cluster, OffsetDateTime::UNIX_EPOCH + SKEW);
        Ok(Self { cluster, certificate: record.certificate.clone(), issuer: Issuer::new(params, key) })
    }

    /// DER.
    pub fn certificate(&self) -> &Bytes {
        &self.certificate
    }

    /// A member's certificate for a key that never leaves the member.
    pub fn issue_node(&self, node: NodeId, public_key: &[u8; PUBLIC_KEY_BYTES], now_ms: u64) -> Result<Bytes> {
        let mut params = self.params(Caller::Node(node), now_ms)?;
        params.not_after = moment(now_ms)? + Duration::days(NODE_CERTIFICATE_DAYS);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(&params, &PublicKey(public_key))
    }

    /// What an invited node proves itself with: its key travels in the token.
    pub fn issue_join(&self, token: TokenId, now_ms: u64, expires_ms: u64) -> Result<PeerCredentials> {
        let key = PeerKey::generate()?;
        let mut params = self.params(Caller::Join(token), now_ms)?;
        params.not_after = moment(expires_ms)?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = self.sign(&params, &PublicKey(&key.public_key()?))?;
        Ok(PeerCredentials { certificate, key, authority: self.certificate.clone() })
    }

    fn params(&self, bearer: Caller, now_ms: u64) -> Result<CertificateParams> {
        let name = PeerName { bearer, cluster: self.cluster }.to_string();
        let mut params = CertificateParams::new([name]).map_err(|cause| failed("name a certificate", cause))?;
        params.distinguished_name = DistinguishedName::new();
        params.not_before = moment(now_ms)? - SKEW;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        Ok(params)
    }

    fn sign(&self, params: &CertificateParams, key: &PublicKey<'_>) -> Result<Bytes> {
        let signed =
            params.clone().signed_by(key, &self.issuer).map_err(|cause| failed("issue a certificate", cause))?;
        Ok(Bytes::copy_from_slice(signed.der()))
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority(…)")
    }
}

struct PublicKey<'a>(&'a [u8; PUBLIC_KEY_BYTES]);

impl PublicKeyData for PublicKey<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

/// Its name is the same for the same cluster, so that the issuer can be rebuilt from the key alone.
fn authority_params(cluster: &ClusterId, now: OffsetDateTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("Onggi cluster {}", hex::encode(cluster)));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = now - SKEW;
    params.not_after = now + Duration::days(AUTHORITY_DAYS);
    params
}

/// No access key has a space in it, so this is never taken for one.
fn sealed_name(cluster: &ClusterId) -> String {
    format!("authority of {}", hex::encode(cluster))
}

fn moment(unix_ms: u64) -> Result<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(unix_ms) * 1_000_000)
        .map_err(|cause| Error::caused_by(ErrorKind::Internal, "a certificate's time is out of range", cause))
}

fn failed(what: &str, cause: rcgen::Error) -> Error {
    Error::caused_by(ErrorKind::Internal, what, cause)
}

#[cfg(test)]
mod authority_test;
