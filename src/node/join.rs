//! Join: makes an empty data directory a member of a cluster.
//! Owns: the order of the steps. Interrupted anywhere, the same command again goes on: the drive, its id and the key are kept,
//! and the cluster knows the same token with the same drive as the same node.
//! Does not own: how the call is carried (the caller gives it), what the cluster decides.

mod members;

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use onggi_cluster::id::{ClusterId, DriveId, NodeId};
use onggi_cluster::membership::{JoinRequest, JoinResponse, JoinToken, NodeIdentity};
use onggi_cluster::metadata::command::NewNode;
use onggi_cluster::metadata::record::NodeRecord;
use onggi_cluster::metadata::secret_box::MasterKey;
use onggi_cluster::peer::authority::PeerCredentials;
use onggi_storage_engine::drive::{Drive, Reserve};
use onggi_storage_engine::env::Environment;
use onggi_storage_engine::format::Record;

pub use members::{Patience, ask};

use crate::node::identity::{NewIdentity, PeerFiles, peers_of};
use crate::node::master_key;

/// What was agreed with the cluster.
#[derive(Debug)]
pub struct Joined {
    pub node: NodeId,
    pub cluster_name: String,
    pub nodes: Vec<NodeRecord>,
}

/// Whether the directory is a member's already; then there is nothing to join, and no token is needed.
pub fn is_member(data_dir: &Path) -> Result<bool> {
    Ok(PeerFiles::new(data_dir).load()?.is_some())
}

/// Who may be believed about the cluster.
#[derive(Clone, Debug)]
pub struct Invited {
    pub cluster: ClusterId,
    /// Its certificate, DER.
    pub authority: Bytes,
}

impl Invited {
    pub fn by(token: &JoinToken) -> Self {
        Self { cluster: token.cluster, authority: token.credentials.authority.clone() }
    }
}

/// The drive must not be open. `describe` says what the node is like, given its drive; `call` carries a `JoinRequest` to a
/// member and back, over a way that only the inviting cluster can answer.
pub async fn join(
    data_dir: &Path,
    invited: &Invited,
    describe: impl FnOnce(DriveId) -> NewNode,
    call: impl AsyncFnOnce(DriveId, Bytes) -> Result<Bytes>,
) -> Result<Joined> {
    let files = PeerFiles::new(data_dir);
    check_unused(data_dir, &files, &invited.cluster)?;
    std::fs::create_dir_all(data_dir).with_context(|| format!("make {}", data_dir.display()))?;
    files.begin_join(&invited.cluster)?;
    // Held until the node is a member: two processes must not join with one drive.
    let drive = Drive::open(data_dir, &Environment::real(), Some(invited.cluster), Reserve::default())
        .with_context(|| format!("make a drive in {}", data_dir.display()))?;
    let key = files.load_or_create_key()?;
    let drive_id = drive.identity().drive;
    let request = JoinRequest { public_key: key.public_key()?, node: describe(drive_id) };
    let answer = call(drive_id, request.to_bytes()).await?;
    let answer = JoinResponse::from_bytes(&answer).context("the member's answer is not understood")?;

    let JoinResponse { node, cluster_name, certificate, master_key, nodes } = answer;
    adopt(data_dir, &master_key)?;
    // The others call before the system group's records are here, and strangers are not let in.
    files.keep_nodes(peers_of(&nodes))?;
    let credentials = PeerCredentials { certificate, key, authority: invited.authority.clone() };
    let identity = NodeIdentity { node, cluster: invited.cluster, drive: drive_id, credentials };
    let issued_ms = Environment::real().clock.unix_ms();
    files.keep(&NewIdentity { identity: &identity, issued_ms })?;
    Ok(Joined { node, cluster_name, nodes })
}

fn check_unused(data_dir: &Path, files: &PeerFiles, cluster: &ClusterId) -> Result<()> {
    match files.join_begun()? {
        Some(begun) if begun != *cluster => bail!(
            "a join to the cluster {} was begun in {}, and this one is to {}: use an empty data directory",
            hex::encode(begun),
            data_dir.display(),
            hex::encode(cluster)
        ),
        Some(_) => Ok(()),
        None => {
            let in_use = ["drive.json", "rocks", "extents"].iter().any(|name| data_dir.join(name).exists());
            ensure!(!in_use, "{} is in use: a node that joins begins with an empty data directory", data_dir.display());
            Ok(())
        }
    }
}

fn adopt(data_dir: &Path, cluster: &MasterKey) -> Result<()> {
    match master_key::find(data_dir)? {
        Some(ours) => ensure!(
            ours == *cluster,
            "the master key of this node (ONGGI_MASTER_KEY, or the file master-key) is not the cluster's: leave it out, or \
             give that of the cluster"
        ),
        None => master_key::keep(data_dir, cluster)?,
    }
    Ok(())
}

#[cfg(test)]
#[path = "join/join_test.rs"]
mod join_test;
