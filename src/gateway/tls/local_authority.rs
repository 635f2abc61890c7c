//! Local authority: the certificate authority of a node that was given no certificate.
//! Owns: `<data-dir>/tls`: the authority's certificate, which clients trust, and its key, which never leaves.
//! Invariant: made once, at first start; the certificates it issues live in memory only.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};

use crate::private_file;

const AUTHORITY_DAYS: i64 = 10 * 365;
/// Issued anew every day, so the end is never near; short, because it cannot be revoked.
const CERTIFICATE_DAYS: i64 = 30;

pub struct LocalAuthority {
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

/// The file that clients are told to trust.
pub fn authority_path(data_dir: &Path) -> PathBuf {
    data_dir.join("tls").join("ca.pem")
}

impl LocalAuthority {
    pub fn open_or_create(data_dir: &Path) -> Result<Self> {
        let path = authority_path(data_dir);
        let key_path = data_dir.join("tls").join("ca-key.pem");
        fs::create_dir_all(data_dir.join("tls")).context("make the directory of the local certificate authority")?;
        let key = match private_file::read(&key_path).context("read the key of the local certificate authority")? {
            Some(pem) => KeyPair::from_pem(&pem).with_context(|| format!("{} is damaged", key_path.display()))?,
            None => {
                let key = KeyPair::generate()?;
                private_file::create(&key_path, &key.serialize_pem()).context("write the authority's key")?;
                key
            }
        };
        let params = authority_params(&key);
        // A crash between the two files leaves the key alone; the certificate follows from it.
        if !path.exists() {
            let pem = params.self_signed(&key)?.pem();
            private_file::create_public(&path, &pem).with_context(|| format!("write {}", path.display()))?;
        }
        let pem = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
        let certificate = rustls::pki_types::pem::PemObject::from_pem_slice(&pem)
            .with_context(|| format!("{} is damaged: remove it to have it made again", path.display()))?;
        Ok(Self { certificate, issuer: Issuer::new(params, key) })
    }

    /// A new key and a certificate for these names and addresses.
    pub fn issue(&self, names: &[String]) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
        let key = KeyPair::generate()?;
        let mut params =
            CertificateParams::new(names).context("`tls.names` and the listen addresses must be host names")?;
        params.not_before = OffsetDateTime::now_utc() - Duration::hours(1);
        params.not_after = OffsetDateTime::now_utc() + Duration::days(CERTIFICATE_DAYS);
        params.distinguished_name.push(DnType::CommonName, "onggi");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let private_key = PrivatePkcs8KeyDer::from(key.serialize_der());
        Ok((vec![certificate.der().clone(), self.certificate.clone()], private_key.into()))
    }
}

/// The same for the same key, so that the issuer can be rebuilt from the key alone.
fn authority_params(key: &KeyPair) -> CertificateParams {
    let fingerprint = hex::encode(&Sha256::digest(key.public_key_raw())[..4]);
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    // Named after its key: clients that trust several nodes' authorities tell them apart.
    params.distinguished_name.push(DnType::CommonName, format!("Onggi local authority {fingerprint}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = OffsetDateTime::now_utc() - Duration::hours(1);
    params.not_after = OffsetDateTime::now_utc() + Duration::days(AUTHORITY_DAYS);
    params
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_stays_the_same_and_its_certificates_differ() {
        let directory = tempfile::tempdir().unwrap();
        let names = ["localhost".to_string(), "127.0.0.1".to_string()];
        let first = LocalAuthority::open_or_create(directory.path()).unwrap().issue(&names).unwrap();
        let second = LocalAuthority::open_or_create(directory.path()).unwrap().issue(&names).unwrap();
        assert_eq!(first.0[1], second.0[1], "the authority");
        assert_ne!(first.0[0], second.0[0], "the certificates");
    }
}
