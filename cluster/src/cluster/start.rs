//! Start: brings a node up, alone or among others.
//! Owns: the order. The groups that are on this drive first; then other nodes may call; then this node waits for them, because each of
//! a cluster that starts as a whole needs a majority of the others to answer; then the work that nobody waits for.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use onggi_storage_engine::StorageEngine;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::group_truth::GroupTruth;
use super::network::ClusterNetwork;
use super::options::{self, ClusterOptions};
use super::{Cluster, Inner};
use crate::data::{
    Backfills, BlobQueues, DataNode, DataNodeOptions, DataOptions, ReplicaMap, ReplicaSet, SweepOptions,
};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{ClusterId, GroupId, NodeId};
use crate::membership::{Announcement, AnnouncementService, JoinService, Membership, announce};
use crate::metadata::client::{Admission, MetadataClient, Route, Routing, with_metadata_handlers};
use crate::metadata::secret_box::MasterKey;
use crate::metadata::{TreeRetention, bucket_steps, tree_keeper};
use crate::peer::{Handlers, Method};
use crate::placement::mover::{AutoSplit, Carrier, Director, Follower, HasBytes, Residents, Splitter, read_placement};
use crate::placement::{Placement, PlacementPublisher, PlacementView, Surveyor, load_partition_map};
use crate::raft::{GroupSet, GroupSetOptions, Opening, SnapshotFiles, serve_groups};

/// While the system group has no leader that this node knows of, it is asked again this often.
const PLACEMENT_POLL: Duration = Duration::from_millis(50);

/// Who this node is in its cluster.
pub struct MembershipOptions {
    pub cluster: ClusterId,
    pub master_key: MasterKey,
    /// The first node: what is not there yet it makes. Every other one waits for what there is.
    pub founder: bool,
    /// Said to the others at a start, which may call this node where it was before.
    pub announcement: Option<Announcement>,
}

impl Cluster {
    /// A cluster of this node alone, that no other node will ever join: for tests and tools.
    pub async fn start(options: ClusterOptions, engine: StorageEngine) -> Result<Self> {
        Self::start_node(options, engine, ClusterNetwork::alone(), None).await
    }

    /// A member of a cluster. Returns when this node can serve requests.
    pub async fn start_member(
        options: ClusterOptions,
        engine: StorageEngine,
        network: ClusterNetwork,
        membership: MembershipOptions,
    ) -> Result<Self> {
        Self::start_node(options, engine, network, Some(membership)).await
    }

    async fn start_node(
        options: ClusterOptions,
        engine: StorageEngine,
        network: ClusterNetwork,
        membership: Option<MembershipOptions>,
    ) -> Result<Self> {
        options::check(&options)?;
        let ClusterNetwork { peers, addresses, serve } = network;
        let environment = engine.environment().clone();
        let queues = BlobQueues::new(environment.clock.clone(), options.sweep_grace);
        let founds = membership.as_ref().is_none_or(|membership| membership.founder);
        let opening = if founds { Opening::Found } else { Opening::Join };
        let group_options = GroupSetOptions {
            node: options.node,
            cluster_name: options.name.clone(),
            raft: options.raft.clone(),
            peers: peers.clone(),
            log_store: engine.log_store().clone(),
            metadata_store: engine.metadata_store().clone(),
            snapshot_files: SnapshotFiles {
                disk: environment.disk.clone(),
                directory: engine.snapshots_directory().to_owned(),
            },
            blob_changes: queues.changes(),
            drive: engine.drive().health().clone(),
        };
        let groups = GroupSet::open(group_options, opening).await?;
        let known = read_placement(groups.system()).await?;
        // Only while nobody else has a say: then what is known here is all there is. In a cluster of several the records of this drive may
        // be older than the truth, and a group that is not here may have moved away: made anew, there would be two of it.
        let decides_alone = groups.system().voters().into_iter().eq([options.node]);
        let founds = founds && decides_alone && !known.as_ref().is_some_and(Placement::is_on_record);
        let (publisher, placement) = PlacementPublisher::new(known.unwrap_or_else(Placement::unknown));

        let admission = Admission::new(engine.drive().health().clone());
        let routing = Routing::new(options.node, groups.clone(), placement.clone(), peers.clone());
        let metadata = MetadataClient::new(
            routing.clone(),
            environment.clone(),
            admission.clone(),
            options.proposals_in_flight_max,
        );
        let (replicas, replica_watch) = watch::channel(Arc::new(replica_map(&placement.now())));
        let data = DataNode::new(DataNodeOptions {
            node: options.node,
            chunks: engine.chunk_store().clone(),
            metadata: engine.metadata_store().clone(),
            environment: environment.clone(),
            peers: peers.clone(),
            replicas: replica_watch,
            states: Arc::new(GroupTruth { node: options.node, groups: groups.clone(), metadata: metadata.clone() }),
            queues,
            data: DataOptions { inline_bytes_max: options.inline_bytes_max, chunk_bytes: options.chunk_bytes },
            repair: options.repair.clone(),
            sweep: SweepOptions { interval: options.sweep_interval, grace: options.sweep_grace },
        });
        let announcement = membership.as_ref().and_then(|membership| membership.announcement.clone());
        let membership = membership.map(|MembershipOptions { cluster, master_key, .. }| {
            Membership::new(cluster, master_key, metadata.clone(), environment.clone())
        });
        let surveyor = Surveyor::new(options.node, groups.clone(), placement.clone(), metadata.clone(), peers.clone());
        let handlers = Surveyor::handlers(&groups, &placement, data.handlers(Handlers::new()));
        let mut handlers = with_metadata_handlers(serve_groups(&groups, handlers), routing, admission);
        if let Some(membership) = &membership {
            let announcements = AnnouncementService::new(membership.clone(), addresses.clone());
            handlers =
                handlers.with(Method::JOIN, JoinService::new(membership.clone())).with(Method::ANNOUNCE, announcements);
        }
        serve(handlers)?;

        let residents = Residents::new(options.node, groups.clone(), placement.clone(), metadata.clone());
        if founds {
            let map = load_partition_map(groups.system(), options.groups, &environment).await?;
            groups.found_all(&map).await?;
            // Until the founder has put itself and the groups on record.
            publisher.publish(Placement::alone(map, options.node));
        } else {
            residents.settle().await?;
            if membership.is_some() {
                let known = first_placement(&metadata, options.node, options.raft.start_timeout);
                let known = match &announcement {
                    Some(announcement) => tokio::select! {
                        biased;
                        known = known => known?,
                        refused = announce(&peers, &addresses, options.node, announcement) => return Err(refused),
                    },
                    None => known.await?,
                };
                publisher.publish(known);
                residents.settle().await?;
            }
        }

        let stop = CancellationToken::new();
        let mut repair_is_held = Arc::default();
        let mut tasks = Tasks { stop: stop.clone(), tasks: Vec::new() };
        // A cluster that is not on record stays as it was founded: there is nothing to follow.
        if membership.is_some() {
            let follower = Follower::new(groups.system().clone(), publisher, addresses);
            tasks.spawn("placement", |stop| follower.run(stop));
            tasks.spawn("residents", |stop| residents.run(stop));
            let has_bytes = has_bytes(groups.clone(), data.backfills());
            let carrier = Carrier::new(
                options.node,
                groups.clone(),
                placement.clone(),
                metadata.clone(),
                has_bytes,
                peers.clone(),
            );
            tasks.spawn("mover", |stop| carrier.run(stop));
            let splitter = Splitter::new(groups.clone(), placement.clone(), metadata.clone());
            tasks.spawn("splitter", |stop| splitter.run(stop));
            let auto_split = AutoSplit {
                groups: groups.clone(),
                surveyor: surveyor.clone(),
                entries_max: options.group_entries_max,
            };
            tasks.spawn("auto split", |stop| auto_split.run(stop));
            let director = Director::new(
                options.node,
                groups.clone(),
                placement.clone(),
                metadata.clone(),
                peers.clone(),
                options.gone_after,
            );
            repair_is_held = director.is_held();
            tasks.spawn("director", |stop| director.run(stop));
        }
        replicas.send_replace(Arc::new(replica_map(&placement.now())));
        tasks.spawn("replica map", |stop| follow_replicas(placement.clone(), replicas, stop));
        tasks.spawn("log purge", |stop| groups.clone().purge_logs(options.raft.purge_interval, stop));
        tasks.spawn("bucket janitor", |stop| bucket_steps::run_janitor(metadata.clone(), stop));
        tasks.spawn("tree keeper", |stop| tree_keeper::run(metadata.clone(), TreeRetention::default(), stop));
        if membership.is_some() {
            tasks.spawn("data", |stop| data.clone().run(stop));
        } else {
            tasks.spawn("data", |stop| data.clone().run_alone(stop));
        }
        tracing::info!(node = options.node.0, groups = groups.all().len(), "cluster started");
        let tasks = Mutex::new(tasks.tasks);
        let inner = Inner {
            node: options.node,
            peers,
            placement,
            groups,
            metadata,
            surveyor,
            membership,
            data,
            engine,
            repair_is_held,
            stop,
            tasks,
        };
        Ok(Self { inner: Arc::new(inner) })
    }
}

/// A learner has the bytes of a group when it has all that the log names which stood here when it was asked first.
fn has_bytes(groups: Arc<GroupSet>, backfills: Backfills) -> HasBytes {
    Arc::new(move |node, group| {
        let last_index = groups.find(group).and_then(|group| group.status().last_log_index);
        backfills.is_complete(node, group, last_index.unwrap_or(0))
    })
}

struct Tasks {
    stop: CancellationToken,
    tasks: Vec<(&'static str, JoinHandle<()>)>,
}

impl Tasks {
    fn spawn<F: Future<Output = ()> + Send + 'static>(
        &mut self,
        name: &'static str,
        run: impl FnOnce(CancellationToken) -> F,
    ) {
        self.tasks.push((name, tokio::spawn(run(self.stop.clone()))));
    }
}

/// Where everything is, as of now: a new member knows nothing until the system group's leader has sent it what there is, and
/// one that was away may be far behind.
async fn first_placement(metadata: &MetadataClient, node: NodeId, limit: Duration) -> Result<Placement> {
    let deadline = Instant::now() + limit;
    loop {
        let read = metadata.read(Route::System, |view| Placement::read(view)).await;
        match read {
            Ok(Some(placement)) if placement.nodes.contains_key(&node) => return Ok(placement),
            Err(error) if error.kind() != ErrorKind::Unavailable => return Err(error),
            _ if Instant::now() < deadline => tokio::time::sleep(PLACEMENT_POLL).await,
            _ => {
                let context =
                    format!("nothing was heard of the cluster within {limit:?}: can its other nodes be reached?");
                return Err(Error::new(ErrorKind::Unavailable, context));
            }
        }
    }
}

async fn follow_replicas(
    mut placement: PlacementView,
    replicas: watch::Sender<Arc<ReplicaMap>>,
    stop: CancellationToken,
) {
    loop {
        replicas.send_replace(Arc::new(replica_map(&placement.now())));
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            more = placement.changed() => if !more { return },
        }
    }
}

fn replica_map(placement: &Placement) -> ReplicaMap {
    let of_owners = placement.groups.values().filter(|record| record.group != GroupId::SYSTEM);
    let nodes: Vec<NodeId> = placement.nodes.keys().copied().collect();
    ReplicaMap::new(placement.map.clone(), of_owners.map(ReplicaSet::from).collect::<Vec<_>>(), nodes)
}
