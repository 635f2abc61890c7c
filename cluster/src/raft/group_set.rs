//! Group set: all groups of this node.
//! Owns: opening, closing and deleting them while others run; looking one up; the tasks that keep them going and purge their logs.
//! Does not own: which groups there should be (`placement`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use futures::future::{join_all, try_join_all};
use onggi_storage_engine::drive::Health;
use onggi_storage_engine::log_store::LogStore;
use onggi_storage_engine::metadata_store::MetadataStore;
use openraft::Config;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::group::{Group, GroupOptions, GroupStatus};
use super::group_keys::GroupKeys;
use super::network::Network;
use super::options::RaftOptions;
use super::pacemaker::Pacemaker;
use super::promise::Promise;
use super::snapshot_file::SnapshotFiles;
use crate::data::BlobChanges;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{GroupId, NodeId};
use crate::metadata::key::GroupSpace;
use crate::peer::Peers;
use crate::placement::PartitionMap;

/// What every group of the node shares.
#[derive(Clone)]
pub struct GroupSetOptions {
    pub node: NodeId,
    pub cluster_name: String,
    pub raft: RaftOptions,
    pub peers: Peers,
    pub log_store: LogStore,
    pub metadata_store: MetadataStore,
    pub snapshot_files: SnapshotFiles,
    pub blob_changes: BlobChanges,
    pub drive: Arc<Health>,
}

/// What becomes of a group whose log is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// This node is its first voter.
    Found,
    /// It stays empty until its leader adds this node.
    Join,
}

pub struct GroupSet {
    options: GroupSetOptions,
    config: Arc<Config>,
    network: Arc<Network>,
    system: Arc<Group>,
    /// Those of owners.
    owners: RwLock<BTreeMap<GroupId, Arc<Group>>>,
    /// Groups that are being opened or closed, so that nobody does both at once.
    changing: Mutex<BTreeSet<GroupId>>,
    stop: CancellationToken,
}

impl GroupSet {
    /// Opens the system group alone: it knows which others there are.
    pub async fn open(options: GroupSetOptions, opening: Opening) -> Result<Arc<Self>> {
        let config = options.raft.to_config(&options.cluster_name)?;
        let (peers, files) = (options.peers.clone(), options.snapshot_files.clone());
        let network = Arc::new(Network::new(peers, files, options.raft.append_limit));
        let system = open(&options, &config, &network, GroupKeys::system(), opening).await?;
        let (peers, heartbeat, stop) = (options.peers.clone(), options.raft.heartbeat, CancellationToken::new());
        let (owners, changing) = (RwLock::default(), Mutex::default());
        let set = Arc::new(Self { options, config, network, system, owners, changing, stop: stop.clone() });
        // From the start: the groups of other members wait for a leader.
        tokio::spawn(Pacemaker { groups: Arc::downgrade(&set), peers, heartbeat }.run(stop));
        Ok(set)
    }

    /// Opens the groups of the owners that this node founds, all at once: their elections share the log's syncs.
    pub async fn found_all(&self, map: &PartitionMap) -> Result<()> {
        let groups: BTreeSet<GroupId> = map.partitions().iter().map(|partition| partition.group).collect();
        let opened = groups.iter().map(|group| self.open_group(GroupKeys::of_owners(*group, map), Opening::Found));
        try_join_all(opened).await.map(|_| ())
    }

    /// Opens a group that this node is or will be a member of. One that is open already is given as it is.
    pub async fn open_member(&self, keys: GroupKeys) -> Result<Arc<Group>> {
        self.open_group(keys, Opening::Join).await
    }

    /// Stops a group and deletes all that this node has of it: log, records, snapshots. Its vote stays (`LogStore::forget`).
    /// Safe to ask for again after a crash or an error, and for a group that is not open.
    pub async fn retire(&self, keys: GroupKeys) -> Result<()> {
        let id = keys.group();
        let _change = self.change(id)?;
        let open = self.owners_mut(|owners| owners.remove(&id));
        // One that is not open is opened once more: that ends an install that was cut short, and knows where everything stands.
        let group = match open {
            Some(group) => group,
            None => Arc::new(Group::open(self.group_options(keys)).await?),
        };
        group.stop().await;
        let promised = Promise::on_leaving(&self.options.log_store, id).await?;
        self.options.log_store.forget(id.0, promised).await?;
        group.delete_records().await?;
        self.options.snapshot_files.remove_all(id)?;
        tracing::info!(group = id.0, "a group left this node");
        Ok(())
    }

    /// Whether the drive has a log or a state of a group that is not open: a retirement was cut short.
    pub async fn has_leftovers(&self, group: GroupId) -> Result<bool> {
        let log = self.options.log_store.state(group.0)?;
        let state = self.options.metadata_store.get(&GroupSpace(group).applied()).await?;
        Ok(state.is_some() || log.last.is_some() || log.purged.is_some() || log.committed.is_some())
    }

    pub(super) fn metadata_store(&self) -> &MetadataStore {
        &self.options.metadata_store
    }

    pub(super) fn log_store(&self) -> &LogStore {
        &self.options.log_store
    }

    pub(super) fn snapshot_files(&self) -> &SnapshotFiles {
        &self.options.snapshot_files
    }

    pub fn system(&self) -> &Arc<Group> {
        &self.system
    }

    /// `None` if the group is not open on this node.
    pub fn find(&self, group: GroupId) -> Option<Arc<Group>> {
        if group == GroupId::SYSTEM {
            return Some(self.system.clone());
        }
        self.owners.read().unwrap_or_else(PoisonError::into_inner).get(&group).cloned()
    }

    pub fn get(&self, group: GroupId) -> Result<Arc<Group>> {
        let absent = || Error::new(ErrorKind::Unavailable, format!("group {} is not on this node", group.0));
        self.find(group).ok_or_else(absent)
    }

    /// The system group first.
    pub fn all(&self) -> Vec<Arc<Group>> {
        self.select(|_| true)
    }

    pub(super) fn select(&self, choose: impl Fn(&Group) -> bool) -> Vec<Arc<Group>> {
        let mut chosen = Vec::new();
        self.for_each(|group| {
            if choose(group) {
                chosen.push(group.clone());
            }
        });
        chosen
    }

    /// `visit` must be quick: groups can neither be opened nor closed meanwhile.
    pub(super) fn for_each(&self, mut visit: impl FnMut(&Arc<Group>)) {
        let owners = self.owners.read().unwrap_or_else(PoisonError::into_inner);
        std::iter::once(&self.system).chain(owners.values()).for_each(&mut visit);
    }

    pub fn status(&self) -> Vec<GroupStatus> {
        self.all().iter().map(|group| group.status()).collect()
    }

    /// Purges what has been flushed, again and again until `stop`.
    pub async fn purge_logs(self: Arc<Self>, interval: Duration, stop: CancellationToken) {
        loop {
            tokio::select! {
                biased;
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

    /// From here on no message of another node is handed to any group.
    pub(super) fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    pub async fn stop(&self) {
        self.stop.cancel();
        join_all(self.all().iter().map(|group| group.stop())).await;
    }

    async fn open_group(&self, keys: GroupKeys, opening: Opening) -> Result<Arc<Group>> {
        let id = keys.group();
        let _change = self.change(id)?;
        if let Some(group) = self.find(id) {
            return Ok(group);
        }
        let group = open(&self.options, &self.config, &self.network, keys, opening).await?;
        self.owners_mut(|owners| owners.insert(id, group.clone()));
        Ok(group)
    }

    fn group_options(&self, keys: GroupKeys) -> GroupOptions {
        group_options(&self.options, &self.config, &self.network, keys)
    }

    fn owners_mut<T>(&self, change: impl FnOnce(&mut BTreeMap<GroupId, Arc<Group>>) -> T) -> T {
        change(&mut self.owners.write().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, group: GroupId) -> Result<Changing<'_>> {
        let mut changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        if group == GroupId::SYSTEM || !changing.insert(group) {
            return Err(Error::new(ErrorKind::Unavailable, format!("group {} is being opened or closed", group.0)));
        }
        Ok(Changing { set: self, group })
    }
}

/// Ends when it is dropped.
struct Changing<'a> {
    set: &'a GroupSet,
    group: GroupId,
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        self.set.changing.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.group);
    }
}

async fn open(
    options: &GroupSetOptions,
    config: &Arc<Config>,
    network: &Arc<Network>,
    keys: GroupKeys,
    opening: Opening,
) -> Result<Arc<Group>> {
    let limit = options.raft.start_timeout;
    let deadline = Instant::now() + limit;
    let group = Arc::new(Group::open(group_options(options, config, network, keys)).await?);
    let start = async {
        if opening == Opening::Found {
            group.found().await?;
        }
        group.become_ready(deadline).await
    };
    let ready = tokio::time::timeout_at(deadline, start).await.unwrap_or_else(|_| {
        let context = format!("group {} is not readable after {limit:?}", group.id().0);
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

fn group_options(
    options: &GroupSetOptions,
    config: &Arc<Config>,
    network: &Arc<Network>,
    keys: GroupKeys,
) -> GroupOptions {
    GroupOptions {
        node: options.node,
        keys,
        config: config.clone(),
        raft: options.raft.clone(),
        network: network.clone(),
        log_store: options.log_store.clone(),
        metadata_store: options.metadata_store.clone(),
        snapshot_files: options.snapshot_files.clone(),
        blob_changes: options.blob_changes.clone(),
        drive: options.drive.clone(),
    }
}
