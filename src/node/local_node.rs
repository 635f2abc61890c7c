//! Local node: one drive of this process at work, as the node of the cluster that it is.
//! Owns: the order in which its parts start and stop; whether its drive failed.
//! Does not own: the other drives of the process (`host`).

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::{Context, Result, anyhow};
use onggi_cluster::id::{HostId, NodeId};
use onggi_cluster::membership::NodeIdentity;
use onggi_cluster::metadata::record::NodeState;
use onggi_cluster::peer::LocalNodes;
use onggi_cluster::{Cluster, ErrorKind, MembershipOptions};
use onggi_storage_engine::StorageEngine;
use onggi_storage_engine::env::Environment;

use super::Part;
use crate::admin_api::AdminApi;
use crate::drive_api::DriveApi;
use crate::drive_api::accounts::Accounts;
use crate::gateway::web::Web;
use crate::node::host::HostParts;
use crate::node::identity::Established;
use crate::node::peers::{self, OpenPeers};
use crate::node::registration::Registration;
use crate::node::renewal::Renewal;
use crate::node::{member, options};
use crate::s3_api::S3Api;
use crate::services::Services;

pub struct LocalNode {
    pub identity: NodeIdentity,
    pub data_dir: PathBuf,
    pub cluster: Cluster,
    pub services: Services,
    pub s3: S3Api,
    pub web: Web,
    /// Registration first, peers last.
    parts: Mutex<Vec<Part>>,
    /// Why it was given up, while others of the process go on.
    failure: OnceLock<String>,
}

/// Opened, and known to be a node; not heard of by anybody yet.
pub struct OpenDrive {
    pub data_dir: PathBuf,
    pub engine: StorageEngine,
}

impl OpenDrive {
    pub async fn open(parts: &HostParts, data_dir: &Path) -> Result<Self> {
        let options = options::engine(&parts.config, data_dir, &parts.memory);
        let engine = StorageEngine::open(options, Environment::real())
            .await
            .with_context(|| format!("open the data directory {}", data_dir.display()))?;
        Ok(Self { data_dir: data_dir.to_path_buf(), engine })
    }
}

/// Whoever hears first that the node is none any more, the connection or the announcement: the operator is told the same.
fn not_started(error: onggi_cluster::Error) -> anyhow::Error {
    match error.kind() {
        ErrorKind::Conflict => anyhow!(member::dismissal(&error.to_string())),
        _ => anyhow!(error).context("start the cluster"),
    }
}

impl LocalNode {
    /// Returns when it can serve requests.
    pub async fn start(parts: &HostParts, drive: OpenDrive) -> Result<Self> {
        let OpenDrive { data_dir, engine } = drive;
        let master_key = parts.master_key()?;
        let established = member::establish(&data_dir, &engine, master_key)?;
        let Established { identity, .. } = &established;
        let identity = identity.clone();
        parts.nodes.announce(identity.node);
        let described = member::describe(&parts.config, parts.bound, identity.drive);
        let membership = MembershipOptions {
            cluster: identity.cluster,
            master_key: master_key.clone(),
            founder: identity.node == NodeId::FOUNDER,
            announcement: Some(member::announcement(&described)),
        };
        let OpenPeers { network, mesh, part: peers } = peers::open(&data_dir, &established, &parts.nodes)?;
        let options = options::cluster(&parts.config, &identity);
        let started = tokio::select! {
            started = Cluster::start_member(options, engine, network, membership) => started.map_err(not_started),
            why = mesh.dismissed() => Err(anyhow!(member::dismissal(&why))),
        };
        let cluster = match started {
            Ok(cluster) => cluster,
            Err(error) => {
                parts.nodes.close(identity.node);
                peers.stop().await;
                return Err(error);
            }
        };
        let membership = cluster.membership().context("a node is a member of its cluster")?.clone();
        let services = Services::new(cluster.metadata(), cluster.data(), &master_key.0, membership.clone());
        let s3 = S3Api::new(services.clone(), options::s3(&parts.config));
        let admin = AdminApi::new(services.clone(), parts.system.clone());
        let accounts = Accounts::new(services.accounts.clone(), &parts.config.web.redirect_uris);
        let drive = DriveApi::new(services.clone(), options::presigner(&parts.config, parts.bound), &master_key.0);
        let web = Web::new(admin, accounts, drive, parts.system.clone(), parts.metrics.clone());

        let renewal = Renewal::new(&data_dir, membership.clone(), mesh);
        let registration = Registration::new(membership, established, described, renewal);
        let admitted = registration.first_attempt().await;
        let mut own = Part::new();
        own.spawn("registration", |stop| registration.run(stop));
        let node = Self {
            identity,
            data_dir,
            cluster,
            services,
            s3,
            web,
            parts: Mutex::new(vec![own, peers]),
            failure: OnceLock::new(),
        };
        match admitted {
            Ok(()) => Ok(node),
            Err(error) => {
                node.stop(&parts.nodes).await;
                Err(error)
            }
        }
    }

    pub fn number(&self) -> NodeId {
        self.identity.node
    }

    /// As the cluster has it on record, if this node knows already.
    pub fn host(&self) -> Option<HostId> {
        self.cluster.placement().nodes.get(&self.number()).map(|record| record.host)
    }

    /// The operator empties it.
    pub fn is_draining(&self) -> bool {
        let placement = self.cluster.placement();
        placement.nodes.get(&self.number()).is_some_and(|record| record.state == NodeState::Draining)
    }

    /// `false` once it was given up.
    pub fn is_in_use(&self) -> bool {
        self.failure.get().is_none()
    }

    /// Why its drive takes no writes until a restart.
    pub fn failure(&self) -> Option<String> {
        self.failure.get().cloned().or_else(|| self.cluster.engine().drive().health().status().failed)
    }

    pub fn takes_objects(&self) -> bool {
        self.cluster.engine().drive().health().status().takes_objects
    }

    /// From now on other nodes of the process take its requests, and for all others it is down.
    pub fn give_up(&self, nodes: &LocalNodes, why: String) {
        nodes.close(self.number());
        if self.failure.set(why).is_ok() {
            for part in self.parts.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                part.stop.cancel();
            }
        }
    }

    /// A second call does nothing.
    pub async fn stop(&self, nodes: &LocalNodes) {
        let parts = std::mem::take(&mut *self.parts.lock().unwrap_or_else(PoisonError::into_inner));
        let mut parts = parts.into_iter();
        if let Some(registration) = parts.next() {
            registration.stop().await;
        }
        self.cluster.stop().await;
        for part in parts {
            part.stop().await;
        }
        nodes.close(self.number());
    }
}
