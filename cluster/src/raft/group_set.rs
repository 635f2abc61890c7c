//! Group set: all groups of this node.
//! Owns: opening them at the start, in parallel; the task that purges their logs; stopping them.
//! Does not own: which groups there are (`placement`).

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::{join_all, try_join_all};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::group::{Group, GroupOptions, GroupStatus};
use super::group_keys::GroupKeys;
use super::options::RaftOptions;
use super::snapshot_file::SnapshotFiles;
use crate::data::FreedBlobs;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{GroupId, NodeId};
use crate::placement::PartitionMap;
use onggi_storage_engine::log_store::LogStore;
use onggi_storage_engine::metadata_store::MetadataStore;

/// What every group of the node shares.
#[derive(Clone)]
pub struct GroupSetOptions {
    pub node: NodeId,
    pub cluster_name: String,
    pub raft: RaftOptions,
    pub log_store: LogStore,
    pub metadata_store: MetadataStore,
    pub snapshot_files: SnapshotFiles,
    pub freed: FreedBlobs,
}

pub struct GroupSet {
    system: Arc<Group>,
    owners: BTreeMap<GroupId, Arc<Group>>,
}

impl GroupSet {
    /// Opens the system group alone: it knows the partition map.
    pub async fn open_system(options: &GroupSetOptions) -> Result<Arc<Group>> {
        open(options, GroupKeys::system()).await
    }

    /// Opens the groups of the owners, all at once: their elections share the log's syncs.
    pub async fn open(options: &GroupSetOptions, system: Arc<Group>, map: &PartitionMap) -> Result<Self> {
        let groups: std::collections::BTreeSet<GroupId> =
            map.partitions().iter().map(|partition| partition.group).collect();
        let opened = try_join_all(groups.iter().map(|group| open(options, GroupKeys::of_owners(*group, map)))).await?;
        Ok(Self { system, owners: opened.into_iter().map(|group| (group.id(), group)).collect() })
    }

    pub fn system(&self) -> &Arc<Group> {
        &self.system
    }

    pub fn get(&self, group: GroupId) -> Result<&Arc<Group>> {
        if group == GroupId::SYSTEM {
            return Ok(&self.system);
        }
        self.owners
            .get(&group)
            .ok_or_else(|| Error::new(ErrorKind::Unavailable, format!("group {} is not on this node", group.0)))
    }

    pub fn status(&self) -> Vec<GroupStatus> {
        self.all().map(|group| group.status()).collect()
    }

    /// Purges what has been flushed, again and again until `stop`.
    pub async fn purge_logs(self: Arc<Self>, interval: std::time::Duration, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(interval) => {}
            }
            for group in self.all() {
                if let Err(error) = group.purge_flushed().await {
                    tracing::warn!(group = group.id().0, %error, "the log is not purged");
                }
            }
        }
    }

    pub async fn stop(&self) {
        join_all(self.all().map(|group| group.stop())).await;
    }

    fn all(&self) -> impl Iterator<Item = &Arc<Group>> {
        std::iter::once(&self.system).chain(self.owners.values())
    }
}

async fn open(options: &GroupSetOptions, keys: GroupKeys) -> Result<Arc<Group>> {
    let deadline = Instant::now() + options.raft.start_timeout;
    let group = Group::open(GroupOptions {
        node: options.node,
        keys,
        config: options.raft.to_config(&options.cluster_name)?,
        log_store: options.log_store.clone(),
        metadata_store: options.metadata_store.clone(),
        snapshot_files: options.snapshot_files.clone(),
        freed: options.freed.clone(),
    });
    let group = Arc::new(group.await?);
    let ready = tokio::time::timeout_at(deadline, group.become_ready(deadline)).await.unwrap_or_else(|_| {
        let context = format!("group {} is not readable after {:?}", group.id().0, options.raft.start_timeout);
        Err(Error::new(ErrorKind::Unavailable, context))
    });
    match ready {
        Ok(()) => Ok(group),
        Err(error) => {
            group.stop().await;
            Err(error)
        }
    }
}
