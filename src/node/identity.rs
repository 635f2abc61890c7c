//! Identity: who this node is, decided before the cluster starts and never changed again.
//! Owns: founding a cluster, and whether a data directory is a member's, a founder's, or one that must not start.
//! Does not own: joining (`join`), what the files look like (`files`).
//! Invariant: a directory in which a join was begun never founds a cluster; a node's number stays with the drive that has it.

mod files;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use onggi_cluster::id::NodeId;
use onggi_cluster::membership::{NodeIdentity, Recorded};
use onggi_cluster::metadata::record::{AuthorityRecord, NodeRecord, NodeState};
use onggi_cluster::metadata::secret_box::{MasterKey, SecretBox};
use onggi_cluster::peer::PeerEntry;
use onggi_cluster::peer::authority::{Authority, PeerCredentials};
use onggi_storage_engine::drive;

pub use files::{NewIdentity, PeerFiles};

/// Two thirds of a certificate's life.
const RENEW_AFTER_MS: u64 = 243 * 24 * 60 * 60 * 1000;

pub struct Established {
    pub identity: NodeIdentity,
    /// The authority of the cluster that this node founds: to be put on record, at every start until it is.
    pub founding: Option<AuthorityRecord>,
    /// Where the others are, as far as this drive knows: as they were told when the node joined, or as they are in its records.
    pub peers: BTreeMap<NodeId, PeerEntry>,
}

/// Of an open drive: who it is, and what its records say.
pub struct OpenDrive<'a> {
    pub identity: &'a drive::Identity,
    pub recorded: Recorded,
    pub master_key: &'a MasterKey,
    pub now_ms: u64,
}

/// Of the node whose data directory this is, running or not; an error if it is none.
pub fn identity_of(data_dir: &Path) -> Result<NodeIdentity> {
    let stored = PeerFiles::new(data_dir).load()?;
    let stored =
        stored.with_context(|| format!("{} is not the data directory of a member of a cluster", data_dir.display()))?;
    Ok(stored.identity)
}

/// Who this node is: as its files say; if they are lost, as its records say; if there are none, the founder of a cluster.
pub fn establish(data_dir: &Path, drive: &OpenDrive<'_>) -> Result<Established> {
    let files = PeerFiles::new(data_dir);
    check_not_removed(drive.recorded.node.as_ref())?;
    if let Some(stored) = files.load()? {
        check_drive(&stored.identity, drive.identity, data_dir)?;
        let founding = files.authority()?;
        let identity = renewed(&files, stored.identity, stored.issued_ms, drive);
        let mut peers: BTreeMap<_, _> = peers_of(&drive.recorded.nodes).collect();
        // Written at every change, while records may not have been flushed when the node was killed.
        peers.extend(files.nodes()?);
        return Ok(Established { identity, founding, peers });
    }
    match (&drive.recorded.node, &drive.recorded.authority) {
        (Some(node), Some(authority)) => {
            tracing::warn!(node = node.node.0, "the files of the node's identity are lost and are made again");
            let identity = issue(&files, node.node, authority, drive)?;
            let founding = (node.node == NodeId::FOUNDER).then(|| authority.clone());
            Ok(Established { identity, founding, peers: peers_of(&drive.recorded.nodes).collect() })
        }
        _ if !drive.recorded.nodes.is_empty() => bail!(
            "the drive in {} holds records of a cluster of which it is no member; start with an empty data directory, \
             --join and a token",
            data_dir.display()
        ),
        _ if files.join_begun()?.is_some() => bail!(
            "a join was begun in {} and is not finished: start again with the same --join and token, or with an empty data \
             directory",
            data_dir.display()
        ),
        _ => found(&files, drive),
    }
}

/// Interrupted anywhere, the next start goes on: nothing counts before the last file is there.
fn found(files: &PeerFiles, drive: &OpenDrive<'_>) -> Result<Established> {
    let cluster = drive.identity.cluster;
    let authority = match files.authority()? {
        Some(authority) => authority,
        None => {
            let made = Authority::create(cluster, drive.now_ms)?.seal(&SecretBox::new(&drive.master_key.0))?;
            files.keep_authority(&made)?;
            made
        }
    };
    let identity = issue(files, NodeId::FOUNDER, &authority, drive)?;
    Ok(Established { identity, founding: Some(authority), peers: BTreeMap::new() })
}

/// A certificate for the key that is in the files, or for a new one.
fn issue(files: &PeerFiles, node: NodeId, authority: &AuthorityRecord, drive: &OpenDrive<'_>) -> Result<NodeIdentity> {
    let cluster = drive.identity.cluster;
    let key = files.load_or_create_key()?;
    let opened = Authority::open(cluster, authority, &SecretBox::new(&drive.master_key.0))
        .context("open the cluster's certificate authority")?;
    let certificate = opened.issue_node(node, &key.public_key()?, drive.now_ms)?;
    let credentials = PeerCredentials { certificate, key, authority: authority.certificate.clone() };
    let identity = NodeIdentity { node, cluster, drive: drive.identity.drive, credentials };
    files.keep(&NewIdentity { identity: &identity, issued_ms: drive.now_ms })?;
    Ok(identity)
}

/// With a new certificate, if the one in the files has lived two thirds of its life.
fn renewed(files: &PeerFiles, identity: NodeIdentity, issued_ms: u64, drive: &OpenDrive<'_>) -> NodeIdentity {
    let is_due = is_renewal_due(issued_ms, drive.now_ms);
    match &drive.recorded.authority {
        Some(authority) if is_due => match issue(files, identity.node, authority, drive) {
            Ok(renewed) => renewed,
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "the node's certificate could not be renewed");
                identity
            }
        },
        _ => identity,
    }
}

pub fn is_renewal_due(issued_ms: u64, now_ms: u64) -> bool {
    now_ms.saturating_sub(issued_ms) > RENEW_AFTER_MS
}

/// Who may be called and may call.
pub fn peers_of(nodes: &[NodeRecord]) -> impl Iterator<Item = (NodeId, PeerEntry)> {
    let members = nodes.iter().filter(|record| record.state != NodeState::Removed);
    members.map(|record| (record.node, PeerEntry { address: record.peer_address.clone(), drive: record.drive }))
}

/// If the drive knows it already: nobody would answer this node, and it would wait for long.
fn check_not_removed(node: Option<&NodeRecord>) -> Result<()> {
    match node {
        Some(node) if node.state == NodeState::Removed => bail!(
            "node {} was removed from the cluster; to join as a new node, start with an empty data directory, --join and a \
             token",
            node.node.0
        ),
        _ => Ok(()),
    }
}

fn check_drive(node: &NodeIdentity, drive: &drive::Identity, data_dir: &Path) -> Result<()> {
    if node.cluster != drive.cluster {
        bail!(
            "{} mixes two clusters: the node in peer/ belongs to {}, the drive to {}",
            data_dir.display(),
            hex::encode(node.cluster),
            hex::encode(drive.cluster)
        );
    }
    if node.drive != drive.drive {
        bail!(
            "{} has the identity of node {} but not its drive: what that node promised to keep is lost. Remove node {} \
             (`onggi admin node remove`), and join as a new node with an empty data directory",
            data_dir.display(),
            node.node.0,
            node.node.0
        );
    }
    Ok(())
}

#[cfg(test)]
#[path = "identity/identity_test.rs"]
mod identity_test;
