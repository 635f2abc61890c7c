//! HTTPS as the command line speaks it: whom it trusts, how text stands in a URL, and errors that say what is wrong.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// Trusts what this authority issued, and nothing else.
pub fn trusting(authority: &Path) -> Result<ClientConfig> {
    let certificates: Vec<_> = CertificateDer::pem_file_iter(authority).and_then(Iterator::collect).with_context(|| {
        format!(
            "{} cannot be read: name the certificate authority with --ca, or the node's data directory with --data-dir",
            authority.display()
        )
    })?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// An error with all that is behind it: the outermost says little more than "connect".
pub fn causes(error: &dyn std::error::Error) -> String {
    let chain = std::iter::successors(Some(error), |error| error.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Everything but the unreserved characters of RFC 3986 §2.3: a signature covers exactly this form.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// One segment of a path, or one value of a query.
pub fn segment(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}
