//! Files of a node's identity: `<data-dir>/peer/`, readable by their owner only.
//!
//! `node-key.pem`, `node-cert.pem`, `ca.pem`: what it shows to other nodes, and whom it believes. `node.json`: its number; written
//! last, so that what is there is whole. `join.json`: a join was begun. `nodes.json`: where the others were then.
//! `authority.json`: the sealed authority, on a founder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use onggi_cluster::id::{ClusterId, NodeId};
use onggi_cluster::membership::NodeIdentity;
use onggi_cluster::metadata::record::AuthorityRecord;
use onggi_cluster::peer::PeerEntry;
use onggi_cluster::peer::authority::{PeerCredentials, PeerKey};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::private_file;

const FORMAT: u32 = 1;

pub struct PeerFiles {
    directory: PathBuf,
}

pub struct StoredIdentity {
    pub identity: NodeIdentity,
    /// When its certificate was.
    pub issued_ms: u64,
}

pub struct NewIdentity<'a> {
    pub identity: &'a NodeIdentity,
    pub issued_ms: u64,
}

#[derive(Serialize, Deserialize)]
struct NodeFile {
    format: u32,
    node: u64,
    cluster: String,
    drive: String,
    certificate_issued_ms: u64,
}

#[derive(Serialize, Deserialize)]
struct JoinFile {
    format: u32,
    cluster: String,
}

#[derive(Serialize, Deserialize)]
struct NodesFile {
    format: u32,
    nodes: Vec<KnownNode>,
}

#[derive(Serialize, Deserialize)]
struct KnownNode {
    node: u64,
    address: String,
    drive: String,
}

#[derive(Serialize, Deserialize)]
struct AuthorityFile {
    format: u32,
    /// DER in base64.
    certificate: String,
    /// As it stands in the system group.
    sealed_key: String,
}

impl PeerFiles {
    pub fn new(data_dir: &Path) -> Self {
        Self { directory: data_dir.join("peer") }
    }

    /// `None`: the node is no member yet.
    pub fn load(&self) -> Result<Option<StoredIdentity>> {
        let Some(file) = self.read_json::<NodeFile>("node.json")? else { return Ok(None) };
        ensure!(file.format == FORMAT, "{} is of another release", self.path("node.json").display());
        let certificate = |name: &str| -> Result<Bytes> {
            let pem = self.required(name)?;
            let der = CertificateDer::from_pem_slice(pem.as_bytes()).with_context(|| self.damaged(name))?;
            Ok(Bytes::copy_from_slice(&der))
        };
        let credentials = PeerCredentials {
            certificate: certificate("node-cert.pem")?,
            key: parse_key(&self.required("node-key.pem")?).with_context(|| self.damaged("node-key.pem"))?,
            authority: certificate("ca.pem")?,
        };
        let identity = NodeIdentity {
            node: NodeId(file.node),
            cluster: parse_id(&file.cluster).with_context(|| self.damaged("node.json"))?,
            drive: parse_id(&file.drive).with_context(|| self.damaged("node.json"))?,
            credentials,
        };
        Ok(Some(StoredIdentity { identity, issued_ms: file.certificate_issued_ms }))
    }

    /// From here on the node is a member.
    pub fn keep(&self, new: &NewIdentity<'_>) -> Result<()> {
        let identity = new.identity;
        self.replace("ca.pem", &pem("CERTIFICATE", &identity.credentials.authority))?;
        self.replace("node-cert.pem", &pem("CERTIFICATE", &identity.credentials.certificate))?;
        let file = NodeFile {
            format: FORMAT,
            node: identity.node.0,
            cluster: hex::encode(identity.cluster),
            drive: hex::encode(identity.drive),
            certificate_issued_ms: new.issued_ms,
        };
        self.replace("node.json", &json(&file)?)
    }

    /// Kept over attempts: the key that a certificate was issued for must be the one that is here.
    pub fn load_or_create_key(&self) -> Result<PeerKey> {
        if let Some(pem) = self.read("node-key.pem")? {
            return parse_key(&pem).with_context(|| self.damaged("node-key.pem"));
        }
        let key = PeerKey::generate()?;
        self.replace("node-key.pem", &pem("PRIVATE KEY", key.der()))?;
        Ok(key)
    }

    /// The cluster that a join was begun for.
    pub fn join_begun(&self) -> Result<Option<ClusterId>> {
        let Some(file) = self.read_json::<JoinFile>("join.json")? else { return Ok(None) };
        parse_id(&file.cluster).with_context(|| self.damaged("join.json")).map(Some)
    }

    /// Before anything else of a join: see the invariant of `identity`.
    pub fn begin_join(&self, cluster: &ClusterId) -> Result<()> {
        self.replace("join.json", &json(&JoinFile { format: FORMAT, cluster: hex::encode(cluster) })?)
    }

    /// Where the others were when this node joined; empty on a founder.
    pub fn nodes(&self) -> Result<BTreeMap<NodeId, PeerEntry>> {
        let Some(file) = self.read_json::<NodesFile>("nodes.json")? else { return Ok(BTreeMap::new()) };
        let entry = |known: KnownNode| {
            let drive = parse_id(&known.drive).with_context(|| self.damaged("nodes.json"))?;
            Ok((NodeId(known.node), PeerEntry { address: known.address, drive }))
        };
        file.nodes.into_iter().map(entry).collect()
    }

    pub fn keep_nodes(&self, nodes: impl Iterator<Item = (NodeId, PeerEntry)>) -> Result<()> {
        let known = |(node, PeerEntry { address, drive }): (NodeId, PeerEntry)| KnownNode {
            node: node.0,
            address,
            drive: hex::encode(drive),
        };
        self.replace("nodes.json", &json(&NodesFile { format: FORMAT, nodes: nodes.map(known).collect() })?)
    }

    pub fn authority(&self) -> Result<Option<AuthorityRecord>> {
        let Some(file) = self.read_json::<AuthorityFile>("authority.json")? else { return Ok(None) };
        let decode =
            |text: &str| STANDARD.decode(text).map(Bytes::from).with_context(|| self.damaged("authority.json"));
        Ok(Some(AuthorityRecord { certificate: decode(&file.certificate)?, sealed_key: decode(&file.sealed_key)? }))
    }

    pub fn keep_authority(&self, authority: &AuthorityRecord) -> Result<()> {
        let file = AuthorityFile {
            format: FORMAT,
            certificate: STANDARD.encode(&authority.certificate),
            sealed_key: STANDARD.encode(&authority.sealed_key),
        };
        self.replace("authority.json", &json(&file)?)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn damaged(&self, name: &str) -> String {
        format!("{} is damaged", self.path(name).display())
    }

    fn read(&self, name: &str) -> Result<Option<String>> {
        let path = self.path(name);
        private_file::read(&path).with_context(|| format!("read {}", path.display()))
    }

    fn required(&self, name: &str) -> Result<String> {
        self.read(name)?.with_context(|| format!("{} is missing, but the node is a member", self.path(name).display()))
    }

    fn read_json<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let Some(text) = self.read(name)? else { return Ok(None) };
        serde_json::from_str(&text).with_context(|| self.damaged(name)).map(Some)
    }

    fn replace(&self, name: &str, text: &str) -> Result<()> {
        let path = self.path(name);
        fs::create_dir_all(&self.directory).with_context(|| format!("make {}", self.directory.display()))?;
        private_file::replace(&path, text).with_context(|| format!("write {}", path.display()))
    }
}

fn json(file: &impl Serialize) -> Result<String> {
    Ok(serde_json::to_string_pretty(file)? + "\n")
}

/// RFC 7468.
fn pem(label: &str, der: &[u8]) -> String {
    const LINE_CHARS: usize = 64;
    let text = STANDARD.encode(der);
    let mut out = format!("-----BEGIN {label}-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE_CHARS));
        out.push_str(line);
        out.push('\n');
        rest = after;
    }
    out + &format!("-----END {label}-----\n")
}

fn parse_key(pem: &str) -> Result<PeerKey> {
    let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes())?;
    Ok(PeerKey::from_der(Bytes::copy_from_slice(der.secret_pkcs8_der()))?)
}

fn parse_id(text: &str) -> Result<[u8; 16]> {
    let mut id = [0; 16];
    hex::decode_to_slice(text, &mut id)?;
    Ok(id)
}
