//! Member: from a configuration and a data directory to a node that a cluster knows.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use onggi_cluster::id::{DriveId, NodeId};
use onggi_cluster::membership::{Announcement, JoinRequest, JoinToken, Membership, NodeIdentity, Recorded};
use onggi_cluster::metadata::command::NewNode;
use onggi_cluster::metadata::secret_box::MasterKey;
use onggi_cluster::peer::InvitedCall;
use onggi_storage_engine::StorageEngine;
use onggi_storage_engine::format::Record;

use crate::config::Config;
use crate::config::setting::HostPort;
use crate::node::addresses::Bound;
use crate::node::identity::{self, Established, OpenDrive};
use crate::node::join::{self, Invited, Patience};
use crate::services::Secret;

/// A member that answers at all does so within an election of the system group.
const JOIN_TIME_MAX: Duration = Duration::from_secs(10);

/// The first start of a directory that is no member's yet.
pub async fn join_if_asked(config: &Config, data_dir: &Path, bound: Bound, token: Option<&Secret>) -> Result<()> {
    if config.cluster.join.is_empty() {
        return Ok(());
    }
    let token = token.context("--join: the first start of a node that joins needs ONGGI_JOIN_TOKEN or --join-token")?;
    let token = JoinToken::parse(token.expose())?;
    let call = async |drive: DriveId, request: Bytes| {
        let call_one = async |member: &HostPort, request: Bytes| {
            let call = InvitedCall {
                address: &member.0,
                cluster: token.cluster,
                credentials: &token.credentials,
                drive,
                release: env!("CARGO_PKG_VERSION"),
            };
            call.join(vec![request], JOIN_TIME_MAX).await
        };
        join::ask(&config.cluster.join, &request, &Patience::default(), call_one).await
    };
    let describe = |drive| describe(config, bound, drive);
    let joined = join::join(data_dir, &Invited::by(&token), describe, call).await.context("join the cluster")?;
    let (node, cluster, nodes) = (joined.node.0, joined.cluster_name, joined.nodes.len());
    tracing::info!(node, cluster, nodes, "joined");
    Ok(())
}

/// One more drive of a process of which a node is a member already, and answers.
pub async fn add_drive(
    config: &Config,
    data_dir: &Path,
    bound: Bound,
    beside: &NodeIdentity,
    membership: &Membership,
) -> Result<NodeId> {
    let invited = Invited { cluster: beside.cluster, authority: beside.credentials.authority.clone() };
    let call = async |_: DriveId, request: Bytes| {
        let admitted = membership.admit_drive(beside.node, JoinRequest::from_bytes(&request)?).await?;
        Ok(admitted.to_bytes())
    };
    let describe = |drive| describe(config, bound, drive);
    let joined = join::join(data_dir, &invited, describe, call).await?;
    tracing::info!(node = joined.node.0, drive = %data_dir.display(), "a drive was added");
    Ok(joined.node)
}

pub fn establish(data_dir: &Path, engine: &StorageEngine, master_key: &MasterKey) -> Result<Established> {
    let identity = engine.drive().identity();
    let recorded = Recorded::read(engine.metadata_store(), &identity.drive).context("read who is on record")?;
    let now_ms = engine.environment().clock.unix_ms();
    identity::establish(data_dir, &OpenDrive { identity, recorded, master_key, now_ms })
}

/// This node as it wants to be known.
pub fn describe(config: &Config, bound: Bound, drive: DriveId) -> NewNode {
    NewNode {
        drive,
        addresses: bound.on_record(&config.cluster),
        zone: config.cluster.zone.clone(),
        weight: config.cluster.weight.get(),
        release: env!("CARGO_PKG_VERSION").to_string(),
    }
}

/// What the others are told at each start.
pub fn announcement(node: &NewNode) -> Announcement {
    Announcement { drive: node.drive, addresses: node.addresses.clone(), release: node.release.clone() }
}

/// What the operator is told of a node that another one refused for good.
pub fn dismissal(why: &str) -> String {
    format!("{why}; to join as a new node, start with an empty data directory, --join and a token")
}
