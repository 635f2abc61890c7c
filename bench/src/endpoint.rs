//! Endpoint: where an S3 server is and with which keys, as `http://ACCESS:SECRET@HOST:PORT`.
//! Owns: the text form, and opening connections with or without TLS.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// A byte stream to the server.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

#[derive(Clone)]
pub struct Endpoint {
    /// Host and port, as the Host header has them.
    pub authority: String,
    pub access_key: String,
    pub secret_key: String,
    tls: Option<TlsConnector>,
}

impl Endpoint {
    /// Keys that the URL lacks come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
    pub fn parse(url: &str, ca_file: Option<&Path>) -> anyhow::Result<Self> {
        let (scheme, rest) = url.split_once("://").context("an endpoint is http://HOST:PORT or https://HOST:PORT")?;
        let rest = rest.trim_end_matches('/');
        let (access_key, secret_key, authority) = match rest.rsplit_once('@') {
            Some((keys, authority)) => {
                let (access, secret) = keys.split_once(':').context("keys in an endpoint are ACCESS:SECRET@")?;
                (decode(access)?, decode(secret)?, authority)
            }
            None => (from_environment("AWS_ACCESS_KEY_ID")?, from_environment("AWS_SECRET_ACCESS_KEY")?, rest),
        };
        let (tls, default_port) = match scheme {
            "http" => (None, 80),
            "https" => (Some(tls_connector(ca_file.context("--ca is needed to trust an https endpoint")?)?), 443),
            other => bail!("{other} is not a scheme of S3"),
        };
        let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let authority = if has_port { authority.to_string() } else { format!("{authority}:{default_port}") };
        Ok(Self { authority, access_key, secret_key, tls })
    }

    pub async fn connect(&self) -> anyhow::Result<TokioIo<Box<dyn Stream>>> {
        let stream =
            TcpStream::connect(&self.authority).await.with_context(|| format!("connect to {}", self.authority))?;
        stream.set_nodelay(true)?;
        let Some(tls) = &self.tls else { return Ok(TokioIo::new(Box::new(stream))) };
        let (host, _) = self.authority.rsplit_once(':').context("authority without a port")?;
        let stream = tls.connect(ServerName::try_from(host.to_string())?, stream).await.context("TLS handshake")?;
        Ok(TokioIo::new(Box::new(stream)))
    }
}

/// Without the secret.
impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}", if self.tls.is_some() { "https" } else { "http" }, self.authority)
    }
}

fn decode(text: &str) -> anyhow::Result<String> {
    Ok(percent_decode_str(text).decode_utf8()?.into_owned())
}

fn from_environment(name: &str) -> anyhow::Result<String> {
    std::env::var(name).with_context(|| format!("no keys in the endpoint, and {name} is not set"))
}

fn tls_connector(ca_file: &Path) -> anyhow::Result<TlsConnector> {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca_file).with_context(|| format!("read {}", ca_file.display()))? {
        roots.add(certificate?)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth())))
}

#[cfg(test)]
mod tests {
    use super::Endpoint;

    #[test]
    fn keys_are_decoded_and_a_port_is_added() {
        let endpoint = Endpoint::parse("http://ke%3Ay:sec%2Fret@jar.example/", None).expect("endpoint");
        assert_eq!((endpoint.access_key.as_str(), endpoint.secret_key.as_str()), ("ke:y", "sec/ret"));
        assert_eq!(endpoint.to_string(), "http://jar.example:80");
    }

    #[test]
    fn what_cannot_be_reached_is_refused() {
        for url in ["127.0.0.1:9000", "ftp://a:b@127.0.0.1", "http://only-access@127.0.0.1", "https://a:b@127.0.0.1"] {
            assert!(Endpoint::parse(url, None).is_err(), "{url}");
        }
    }
}
