//! openraft's own storage suite, on the real log store and the real metadata store; and on those that a simulation has.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use onggi_storage_engine::env::simulated_disk::{Fuse, SimulatedDisk};
use onggi_storage_engine::env::{Environment, SystemClock, simulation};
use onggi_storage_engine::rocks::MemoryDatabase;
use onggi_storage_engine::{EngineOptions, StorageEngine};
use openraft::testing::log::{StoreBuilder, Suite};

use super::group_keys::GroupKeys;
use super::linearizable::ReadGate;
use super::log::Log;
use super::snapshot::Snapshots;
use super::snapshot_file::SnapshotFiles;
use super::state_machine::StateMachine;
use super::type_config::TypeConfig;
use crate::data::BlobQueues;
use crate::id::{GroupId, NodeId};
use crate::testing::TestEngine;

type StorageError = openraft::StorageError<TypeConfig>;

enum Stores {
    Real,
    Simulated,
}

impl Stores {
    async fn open(&self) -> (Option<TestEngine>, StorageEngine) {
        match self {
            Self::Real => {
                let engine = TestEngine::new();
                let storage = engine.open().await;
                (Some(engine), storage)
            }
            Self::Simulated => {
                let disk = Arc::new(SimulatedDisk::new(1 << 40, Fuse::never()));
                let environment = Environment { disk, ..Environment::real() };
                let options = EngineOptions::new(PathBuf::from("/drive"));
                let opened = StorageEngine::open_simulated(options, environment, MemoryDatabase::default());
                (None, opened.await.expect("opens"))
            }
        }
    }
}

impl StoreBuilder<TypeConfig, Log, StateMachine, Option<TestEngine>> for Stores {
    async fn build(&self) -> Result<(Option<TestEngine>, Log, StateMachine), StorageError> {
        let (engine, storage) = self.open().await;
        let gate = Arc::new(ReadGate::new(NodeId(0)));
        let keys = Arc::new(GroupKeys::system());
        let files = SnapshotFiles {
            disk: storage.environment().disk.clone(),
            directory: storage.snapshots_directory().to_owned(),
        };
        let store = storage.metadata_store().clone();
        let blob_changes = BlobQueues::new(Arc::new(SystemClock), Duration::ZERO).changes();
        let snapshots = Snapshots::new(store.clone(), keys.clone(), files);
        let log = Log::new(GroupId::SYSTEM, storage.log_store().clone(), gate.clone());
        let state_machine = StateMachine::open(store, keys, gate, blob_changes, snapshots).await.expect("opens");
        Ok((engine, log, state_machine))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stores_pass_the_suite_of_openraft() {
    Suite::test_all(Stores::Real).await.expect("the suite passes");
}

#[test]
fn the_stores_of_a_simulation_pass_it_too() {
    simulation::run(1, || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("a runtime").block_on(Suite::test_all(Stores::Simulated)).expect("the suite passes");
    });
}
