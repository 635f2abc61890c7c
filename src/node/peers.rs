//! Peers: the connections of this process's nodes to the others of their cluster, and theirs to them.
//! Owns: the one peer port, and when a node begins to answer there: after the groups on its drive are open, before any other node is waited for.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use onggi_cluster::ClusterNetwork;
use onggi_cluster::id::NodeId;
use onggi_cluster::peer::{AddressBook, LocalNodes, Mesh, MeshOptions, Neighbours, PeerEntry, PeerLimits};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Part;
use crate::node::identity::{Established, PeerFiles};

pub struct PeerPort {
    listener: TcpListener,
}

pub struct OpenPeers {
    /// For the cluster.
    pub network: ClusterNetwork,
    /// The connections themselves: they show the certificate.
    pub mesh: Mesh,
    /// The tasks behind them; they stop last.
    pub part: Part,
}

impl PeerPort {
    pub async fn bind(address: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(address).await.with_context(|| {
            format!("listen on {address}: is another process using it? choose another address with --peer-listen")
        })?;
        Ok(Self { listener })
    }

    pub fn address(&self) -> Result<SocketAddr> {
        self.listener.local_addr().context("address of the peer port")
    }

    /// From here on every node of this process is called here, once it answers at all.
    pub fn listen(self, nodes: LocalNodes) -> Part {
        let mut part = Part::new();
        let handshake = PeerLimits::default().handshake;
        part.spawn("peer listener", |stop| nodes.listen(self.listener, handshake, stop));
        part
    }
}

/// The connections of one node of this process.
pub fn open(data_dir: &Path, established: &Established, nodes: &LocalNodes) -> Result<OpenPeers> {
    let identity = &established.identity;
    let addresses = AddressBook::new(established.peers.clone());
    let mesh = Mesh::new(MeshOptions {
        node: identity.node,
        cluster: identity.cluster,
        drive: identity.drive,
        release: env!("CARGO_PKG_VERSION").to_owned(),
        credentials: identity.credentials.clone(),
        book: addresses.clone(),
        limits: PeerLimits::default(),
    })?;
    let mut part = Part::new();
    let changes = addresses.subscribe();
    let files = PeerFiles::new(data_dir);
    part.spawn("address book", |stop| keep_addresses(files, changes, stop));
    let calls = mesh.clone();
    part.spawn("peer connections", |stop| calls.run(stop));
    let (answers, here, stop) = (mesh.clone(), nodes.clone(), part.stop.clone());
    let serve = Box::new(move |handlers| {
        here.open(&answers, handlers, stop);
        Ok(())
    });
    let peers = Arc::new(Neighbours::new(mesh.clone(), nodes.clone()));
    Ok(OpenPeers { network: ClusterNetwork { peers, addresses, serve }, mesh, part })
}

/// A node that was killed must know whom to let in before it can be told: the records of its drive may be from before they joined.
async fn keep_addresses(
    files: PeerFiles,
    mut changes: watch::Receiver<BTreeMap<NodeId, PeerEntry>>,
    stop: CancellationToken,
) {
    while let Some(Ok(())) = stop.run_until_cancelled(changes.changed()).await {
        let nodes = changes.borrow_and_update().clone();
        // A small file, seldom written.
        if let Err(error) = files.keep_nodes(nodes.into_iter()) {
            tracing::error!(error = format!("{error:#}"), "the addresses of the other nodes could not be kept");
        }
    }
}
