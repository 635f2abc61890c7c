//! Node: what is left of a simulated node when its process ends (disk, database, clock), and the process, if there is one.
//! Invariant: a process never shares its disk with the one before: each finds what the end of the other left, in a copy of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use onggi_storage_engine::drive::Reserve;
use onggi_storage_engine::env::simulated_disk::{Crash, Fuse, SimulatedDisk};
use onggi_storage_engine::env::{Environment, SystemRandom};
use onggi_storage_engine::rocks::MemoryDatabase;
use onggi_storage_engine::{EngineOptions, StorageEngine};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::clock::SimulatedClock;
use crate::cluster::{Cluster, ClusterNetwork, ClusterOptions, MembershipOptions};
use crate::data::RepairOptions;
use crate::error::Result;
use crate::id::{ClusterId, NodeId};
use crate::metadata::secret_box::MasterKey;
use crate::peer::AddressBook;
use crate::peer::memory::Network;
use crate::raft::RaftOptions;

const CLUSTER: ClusterId = [0xC1; 16];
const KEY: MasterKey = MasterKey([7; 32]);
pub const CHUNK_BYTES: u32 = 64 * 1024;
pub const INLINE_BYTES_MAX: u32 = 64;
/// Longer than any put takes from its last byte to its commit, with clocks that are wrong by `CLOCK_WRONG_MAX_MS`.
pub const GRACE: Duration = Duration::from_secs(15);
pub const CLOCK_WRONG_MAX_MS: i64 = 2000;
pub const SYNC_TIME: Duration = Duration::from_millis(1);

/// What a drive keeps back, in the proportions of a real one.
pub const RESERVE: Reserve = Reserve { store_bytes: 1 << 20, change_bytes: 512 << 10, vote_bytes: 32 << 10 };
const DRIVE_BYTES: u64 = 1 << 40;

pub struct Node {
    pub disk: SimulatedDisk,
    pub database: MemoryDatabase,
    pub clock: Arc<SimulatedClock>,
    pub process: Process,
    /// How many processes there were.
    pub starts: u64,
}

pub enum Process {
    None,
    Starting(JoinHandle<()>),
    Up(Up),
    /// It works on, but clients go elsewhere.
    Stopping(Up),
}

#[derive(Clone)]
pub struct Up {
    pub cluster: Cluster,
    /// Cancelled when the process ends.
    pub end: CancellationToken,
}

impl Node {
    pub fn new(begun: Instant) -> Self {
        let (disk, database) = (SimulatedDisk::new(DRIVE_BYTES, Fuse::never()), MemoryDatabase::default());
        database.set_sync_time(SYNC_TIME);
        let clock = Arc::new(SimulatedClock::new(begun));
        Self { disk, database, clock, process: Process::None, starts: 0 }
    }

    /// Room for `free_bytes` more, or for all that comes.
    pub fn leave_room(&self, free_bytes: Option<u64>) {
        let capacity = free_bytes.map_or(DRIVE_BYTES, |free| self.disk.used_bytes() + free);
        self.disk.set_capacity(capacity);
    }

    pub fn up(&self) -> Option<&Up> {
        match &self.process {
            Process::Up(up) => Some(up),
            Process::None | Process::Starting(_) | Process::Stopping(_) => None,
        }
    }

    /// What the process was doing ends where it stands. The network must have forgotten the node before.
    pub fn end(&mut self, crash: Crash, dice: &mut dyn FnMut() -> u64) {
        self.disk = self.disk.after_crash(crash, dice, Fuse::never());
        self.database = self.database.after_crash(crash, dice);
        match std::mem::replace(&mut self.process, Process::None) {
            Process::None => {}
            Process::Starting(start) => start.abort(),
            Process::Up(up) | Process::Stopping(up) => {
                up.end.cancel();
                // It runs on as a ghost on a copy of the drive that nobody looks at, without a network, until it has stopped.
                tokio::spawn(async move { up.cluster.stop().await });
            }
        }
    }

    pub fn environment(&self) -> Environment {
        Environment { clock: self.clock.clone(), random: Arc::new(SystemRandom), disk: Arc::new(self.disk.clone()) }
    }
}

pub async fn open(
    node: NodeId,
    groups: u32,
    environment: Environment,
    database: MemoryDatabase,
    network: Network,
) -> Result<Cluster> {
    let mut engine = EngineOptions::new(PathBuf::from("/drive"));
    engine.reserve = RESERVE;
    engine.chunk_store.lanes = 1;
    engine.chunk_store.extent_bytes_max = 1 << 20;
    engine.chunk_store.preallocation_bytes = 64 << 10;
    engine.chunk_store.reserve_bytes = 0;
    let engine = StorageEngine::open_simulated(engine, environment, database).await?;
    let options = ClusterOptions {
        node,
        groups,
        inline_bytes_max: INLINE_BYTES_MAX,
        chunk_bytes: CHUNK_BYTES,
        sweep_grace: GRACE,
        sweep_interval: Duration::from_secs(5),
        repair: RepairOptions { pass_interval: Duration::from_secs(10), ..RepairOptions::default() },
        raft: RaftOptions {
            // So few that a node that was away for seconds needs a snapshot.
            log_entries_kept: 4,
            purge_entries_min: 8,
            purge_interval: Duration::from_secs(2),
            start_timeout: Duration::from_secs(60),
            ..RaftOptions::default()
        },
        ..ClusterOptions::default()
    };
    let membership =
        MembershipOptions { cluster: CLUSTER, master_key: KEY, founder: node == NodeId::FOUNDER, announcement: None };
    let network = ClusterNetwork {
        peers: network.peers(node),
        addresses: AddressBook::new(Default::default()),
        serve: Box::new(move |handlers| {
            network.serve(node, handlers);
            Ok(())
        }),
    };
    Cluster::start_member(options, engine, network, membership).await
}
