//! TLS between nodes: 1.3 only, both sides show a certificate of the cluster's authority.
//! Owns: how a certificate is checked, and who its bearer is. Does not own: who issues them (`authority`).
//! No session is resumed: each connection proves anew who is at its ends.

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::version::TLS13;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme};

use super::Caller;
use super::authority::{PeerCredentials, PeerName};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{ClusterId, NodeId};

/// The name of no node: whoever calls it takes any.
pub const ANY_NODE: NodeId = NodeId(0);

/// What a node uses at both ends of connections.
#[derive(Clone)]
pub struct TlsIdentity {
    pub client: Arc<ClientConfig>,
    pub server: Arc<ServerConfig>,
}

impl TlsIdentity {
    pub fn of_member(credentials: &PeerCredentials) -> Result<Self> {
        let (provider, roots) = (Arc::new(ring::default_provider()), roots(credentials)?);
        let client = ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&TLS13])
            .map_err(failed)?
            .with_root_certificates(roots.clone());
        let client = with_certificate(client, credentials)?;
        let callers = WebPkiClientVerifier::builder_with_provider(roots, provider.clone())
            .build()
            .map_err(|cause| Error::caused_by(ErrorKind::Internal, "trust the cluster's authority", cause))?;
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])
            .map_err(failed)?
            .with_client_cert_verifier(callers)
            .with_single_cert(chain(credentials), key(credentials))
            .map_err(failed)?;
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
        Ok(Self { client: Arc::new(client), server: Arc::new(server) })
    }
}

/// For an invited node, which does not know the numbers of members: any member will do.
pub fn client_of_invited(credentials: &PeerCredentials, cluster: ClusterId) -> Result<Arc<ClientConfig>> {
    let provider = Arc::new(ring::default_provider());
    let webpki = rustls::client::WebPkiServerVerifier::builder_with_provider(roots(credentials)?, provider.clone())
        .build()
        .map_err(|cause| Error::caused_by(ErrorKind::Internal, "trust the cluster's authority", cause))?;
    let client = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .map_err(failed)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyMember { webpki, cluster }));
    Ok(Arc::new(with_certificate(client, credentials)?))
}

/// The name that a member's certificate carries.
pub fn server_name(node: NodeId, cluster: ClusterId) -> Result<ServerName<'static>> {
    let name = PeerName { bearer: Caller::Node(node), cluster }.to_string();
    ServerName::try_from(name).map_err(|cause| Error::caused_by(ErrorKind::Internal, "name a peer", cause))
}

/// Who the bearer of a certificate is, if it has the one name that ours have. Its signature was checked before.
pub fn bearer(certificates: Option<&[CertificateDer<'_>]>, cluster: ClusterId) -> Option<Caller> {
    let certificate = webpki::EndEntityCert::try_from(certificates?.first()?).ok()?;
    let mut names = certificate.valid_dns_names();
    let name = PeerName::parse(names.next()?)?;
    (names.next().is_none() && name.cluster == cluster).then_some(name.bearer)
}

/// Asks of a server that it is some member, and leaves everything else to webpki.
#[derive(Debug)]
struct AnyMember {
    webpki: Arc<rustls::client::WebPkiServerVerifier>,
    cluster: ClusterId,
}

impl ServerCertVerifier for AnyMember {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        let Some(Caller::Node(node)) = bearer(Some(std::slice::from_ref(end_entity)), self.cluster) else {
            return Err(CertificateError::NotValidForName.into());
        };
        let name = server_name(node, self.cluster).map_err(|error| rustls::Error::General(error.to_string()))?;
        self.webpki.verify_server_cert(end_entity, intermediates, &name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        self.webpki.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        self.webpki.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.webpki.supported_verify_schemes()
    }
}

fn with_certificate(
    builder: rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>,
    credentials: &PeerCredentials,
) -> Result<ClientConfig> {
    let mut client = builder.with_client_auth_cert(chain(credentials), key(credentials)).map_err(failed)?;
    client.resumption = Resumption::disabled();
    // The name is readable on the wire: a number and the cluster's id, no secrets. Several nodes share a port, each with its certificate.
    client.enable_sni = true;
    Ok(client)
}

fn roots(credentials: &PeerCredentials) -> Result<Arc<RootCertStore>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(credentials.authority.to_vec())).map_err(failed)?;
    Ok(Arc::new(roots))
}

fn chain(credentials: &PeerCredentials) -> Vec<CertificateDer<'static>> {
    vec![CertificateDer::from(credentials.certificate.to_vec())]
}

fn key(credentials: &PeerCredentials) -> PrivateKeyDer<'static> {
    PrivatePkcs8KeyDer::from(credentials.key.der().to_vec()).into()
}

fn failed(cause: rustls::Error) -> Error {
    Error::caused_by(ErrorKind::Internal, "set up TLS between nodes", cause)
}
