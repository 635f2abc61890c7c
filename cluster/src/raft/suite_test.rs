//! openraft's own storage suite, on the real log store and the real metadata store.

use std::sync::Arc;
use std::time::Duration;

use onggi_storage_engine::env::SystemClock;
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

struct Stores;

impl StoreBuilder<TypeConfig, Log, StateMachine, TestEngine> for Stores {
    async fn build(&self) -> Result<(TestEngine, Log, StateMachine), StorageError> {
        let engine = TestEngine::new();
        let storage = engine.open().await;
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
    Suite::test_all(Stores).await.expect("the suite passes");
}
