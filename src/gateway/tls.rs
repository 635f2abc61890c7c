//! TLS: the certificate that listeners show, and its reload.
//! Owns: which certificate is current. Connections that are open keep the one they began with.
//! Does not own: the authority that issues it when no files are configured (`local_authority`).

mod local_authority;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::interval;
use tokio_util::sync::CancellationToken;

pub use crate::gateway::tls::local_authority::{LocalAuthority, authority_path};

/// How often the files are looked at.
const CHECK_INTERVAL: Duration = Duration::from_secs(10);
/// How often the local authority issues anew: often enough that a certificate never comes near its end.
const REISSUE_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

pub enum CertificateSource {
    Files { certificate: PathBuf, private_key: PathBuf },
    LocalAuthority { authority: Box<LocalAuthority>, names: Vec<String> },
}

/// The current certificate, shared by all listeners.
pub struct Certificates {
    source: CertificateSource,
    current: RwLock<Current>,
}

struct Current {
    key: Arc<CertifiedKey>,
    loaded: SystemTime,
    modified: Option<SystemTime>,
}

impl Certificates {
    pub fn load(source: CertificateSource) -> Result<Arc<Self>> {
        let current = source.load()?;
        Ok(Arc::new(Self { source, current: RwLock::new(current) }))
    }

    pub fn server_config(self: &Arc<Self>) -> Result<Arc<ServerConfig>> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(self.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    /// Loads again on SIGHUP and when the source has something new, until `stop`. What is broken is not taken.
    pub async fn watch(self: Arc<Self>, stop: CancellationToken) -> std::io::Result<()> {
        let mut hangup = signal(SignalKind::hangup())?;
        let mut check = interval(CHECK_INTERVAL);
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                _ = hangup.recv() => self.reload(),
                _ = check.tick() => if self.is_stale() { self.reload() },
            }
        }
    }

    fn reload(&self) {
        match self.source.load() {
            Ok(current) => {
                *self.current.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = current;
                tracing::info!("certificate loaded");
            }
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "certificate not loaded, keeping the one in use")
            }
        }
    }

    fn is_stale(&self) -> bool {
        let current = self.current.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        match &self.source {
            CertificateSource::Files { .. } => self.source.modified() != current.modified,
            CertificateSource::LocalAuthority { .. } => {
                current.loaded.elapsed().is_ok_and(|age| age >= REISSUE_INTERVAL)
            }
        }
    }
}

impl CertificateSource {
    fn load(&self) -> Result<Current> {
        // Before the bytes: a change in between is then seen at the next look.
        let modified = self.modified();
        let (chain, private_key) = match self {
            CertificateSource::Files { certificate, private_key } => {
                (read_chain(certificate)?, read_private_key(private_key)?)
            }
            CertificateSource::LocalAuthority { authority, names } => authority.issue(names)?,
        };
        let key = CertifiedKey::from_der(chain, private_key, &ring::default_provider())
            .context("certificate and private key do not fit together")?;
        Ok(Current { key: Arc::new(key), loaded: SystemTime::now(), modified })
    }

    fn modified(&self) -> Option<SystemTime> {
        let CertificateSource::Files { certificate, private_key } = self else { return None };
        let modified = |path: &Path| std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
        modified(certificate).max(modified(private_key))
    }
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let chain: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .with_context(|| format!("`tls.certificate`: {} cannot be read as PEM", path.display()))?;
    anyhow::ensure!(!chain.is_empty(), "`tls.certificate`: {} holds no certificate", path.display());
    Ok(chain)
}

fn read_private_key(path: &Path) -> Result<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_file(path)
        .with_context(|| format!("`tls.private_key`: {} cannot be read as a PEM private key", path.display()))
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.read().unwrap_or_else(|poisoned| poisoned.into_inner()).key.clone())
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificates")
    }
}
