//! Renewal: a new certificate for this node, long before the old one ends. Nobody is asked: every member can open the authority.

use std::path::Path;

use anyhow::Result;
use onggi_cluster::membership::{Membership, NodeIdentity};
use onggi_cluster::peer::Mesh;
use onggi_cluster::peer::authority::PeerCredentials;
use onggi_storage_engine::env::Environment;

use crate::node::identity::{NewIdentity, PeerFiles, is_renewal_due};

pub struct Renewal {
    files: PeerFiles,
    membership: Membership,
    mesh: Mesh,
}

impl Renewal {
    pub fn new(data_dir: &Path, membership: Membership, mesh: Mesh) -> Self {
        Self { files: PeerFiles::new(data_dir), membership, mesh }
    }

    pub async fn renew_if_due(&self) {
        match self.renew().await {
            Ok(false) => {}
            Ok(true) => tracing::info!("the node's certificate was renewed"),
            Err(error) => tracing::error!(error = format!("{error:#}"), "the node's certificate could not be renewed"),
        }
    }

    async fn renew(&self) -> Result<bool> {
        let now_ms = Environment::real().clock.unix_ms();
        let Some(stored) = self.files.load()?.filter(|stored| is_renewal_due(stored.issued_ms, now_ms)) else {
            return Ok(false);
        };
        let identity = stored.identity;
        let PeerCredentials { key, authority, .. } = identity.credentials;
        let certificate = self.membership.renew(identity.node, &key).await?;
        let credentials = PeerCredentials { certificate, key, authority };
        let identity = NodeIdentity { credentials: credentials.clone(), ..identity };
        self.files.keep(&NewIdentity { identity: &identity, issued_ms: now_ms })?;
        self.mesh.renew(&credentials)?;
        Ok(true)
    }
}
