//! A group on real stores: purge, snapshots, failure of the log.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::join_all;
use onggi_storage_engine::StorageEngine;
use openraft::RaftSnapshotBuilder;
use openraft::storage::RaftStateMachine;

use super::group_keys::GroupKeys;
use super::linearizable::ReadGate;
use super::snapshot::{Snapshots, read_flushed};
use super::snapshot_file::SnapshotFiles;
use super::snapshot_install;
use super::state_machine::StateMachine;
use super::test_nodes::records;
use crate::data::BlobQueues;
use crate::error::ErrorKind;
use crate::id::{GroupId, NodeId};
use crate::testing::{TestEngine, create_user, initialize, start, user_names};

fn files(engine: &StorageEngine) -> SnapshotFiles {
    let directory = engine.snapshots_directory().to_owned();
    SnapshotFiles { disk: engine.environment().disk.clone(), directory }
}

async fn system_state_machine(engine: &StorageEngine) -> StateMachine {
    let keys = Arc::new(GroupKeys::system());
    let store = engine.metadata_store().clone();
    let clock = engine.environment().clock.clone();
    let blob_changes = BlobQueues::new(clock, std::time::Duration::ZERO).changes();
    let snapshots = Snapshots::new(store.clone(), keys.clone(), files(engine));
    let gate = Arc::new(ReadGate::new(NodeId(1)));
    StateMachine::open(store, keys, gate, blob_changes, snapshots).await.expect("opens")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_was_stopped_says_that_nothing_happened() {
    let directory = TestEngine::new();
    let cluster = start(&directory).await;
    let system = cluster.groups().system().clone();
    system.stop().await;
    let refused = system.propose(Bytes::from_static(b"a command")).await.expect_err("stopped");
    assert_eq!(refused.kind(), ErrorKind::Unavailable, "{refused}: another node may lead by now");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_purged_only_up_to_what_was_flushed_and_a_start_behind_the_purge_works() {
    let directory = TestEngine::new();
    let cluster = start(&directory).await;
    initialize(&cluster).await;
    let engine = cluster.engine();
    let system = cluster.groups().system().clone();
    let names: Vec<String> = (0..1500).map(|number| format!("user-{number:04}")).collect();
    for some in names.chunks(500) {
        join_all(some.iter().map(|name| create_user(&cluster, name))).await;
    }
    system.purge_flushed().await.expect("looks");
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(system.status().purged_index, None, "nothing was flushed, so nothing may go");

    engine.metadata_store().flush().await.expect("flushes");
    let keys = GroupKeys::system();
    let flushed = read_flushed(engine.metadata_store(), &keys).await.expect("reads").last_applied.expect("applied");
    system.purge_flushed().await.expect("purges");
    let purged = wait_for(|| system.status().purged_index).await;
    assert!(purged > 400 && purged <= flushed.index - 1000, "purged to {purged}, flushed to {}", flushed.index);
    create_user(&cluster, "last").await;
    let killed = directory.killed();
    drop((cluster, system));

    let cluster = start(&killed).await;
    let mut found = user_names(&cluster).await;
    found.sort();
    assert_eq!(found.len(), 1501);
    assert!(names.iter().all(|name| found.binary_search(name).is_ok()));
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_a_group_that_just_sent_a_snapshot_can_be_purged_up_to_it() {
    let directory = TestEngine::new();
    let cluster = start(&directory).await;
    initialize(&cluster).await;
    let engine = cluster.engine();
    engine.metadata_store().flush().await.expect("flushes");
    create_user(&cluster, "later").await;
    let mut state_machine = system_state_machine(engine).await;
    assert!(state_machine.try_create_snapshot_builder(false).await.is_some(), "up to what is flushed");
    // Is of now, and flushes.
    state_machine.get_current_snapshot().await.expect("reads").expect("for a peer");
    assert!(state_machine.try_create_snapshot_builder(false).await.is_some(), "up to what is flushed by now");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_installed_elsewhere_gives_the_same_state() {
    let directory = TestEngine::new();
    let cluster = start(&directory).await;
    initialize(&cluster).await;
    let names: Vec<String> = (0..300).map(|number| format!("user-{number}")).collect();
    join_all(names.iter().map(|name| create_user(&cluster, name))).await;
    cluster.stop().await;
    drop(cluster);

    let source = directory.open().await;
    let mut state_machine = system_state_machine(&source).await;
    let built = state_machine.try_create_snapshot_builder(true).await.expect("a builder").build_snapshot().await;
    let built = built.expect("builds");

    let other = TestEngine::new();
    let target = other.open().await;
    let mut batch = target.metadata_store().batch();
    let stale = crate::metadata::key::SystemSpace.user_name("stale");
    batch.put(&stale, b"a record that the snapshot does not have");
    target.metadata_store().apply(batch).expect("writes");
    let mut installed = system_state_machine(&target).await;
    installed.install_snapshot(&built.meta, built.snapshot).await.expect("installs");

    let keys = GroupKeys::system();
    assert!(records(&source, &keys).len() > 600);
    assert_eq!(records(&source, &keys), records(&target, &keys));
    let applied = installed.applied_state().await.expect("reads");
    assert_eq!(applied, state_machine.applied_state().await.expect("reads"));
    let left = std::fs::read_dir(target.snapshots_directory()).expect("reads").count();
    assert_eq!(left, 0, "staging files are gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_install_that_was_cut_short_is_done_again() {
    let directory = TestEngine::new();
    let cluster = start(&directory).await;
    initialize(&cluster).await;
    create_user(&cluster, "anna").await;
    cluster.stop().await;
    drop(cluster);
    let source = directory.open().await;
    let mut state_machine = system_state_machine(&source).await;
    let built = state_machine.try_create_snapshot_builder(true).await.expect("a builder").build_snapshot().await;
    let super::snapshot::SnapshotData::State(state) = built.expect("builds").snapshot else { panic!("no state") };

    // As a crash leaves it: the file whole, the intent there, some records replaced.
    let other = TestEngine::new();
    let target = other.open().await;
    files(&target).write(state, &files(&target).staging_path(GroupId::SYSTEM)).await.expect("writes");
    let intent = target.snapshots_directory().join("group-0.install");
    std::fs::write(&intent, b"install\n").expect("writes");
    let keys = Arc::new(GroupKeys::system());
    snapshot_install::resume(target.metadata_store(), &keys, &files(&target)).await.expect("resumes");
    assert_eq!(records(&source, &keys), records(&target, &keys));
    assert!(!intent.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_snapshot_is_refused_whatever_byte_is_wrong() {
    let directory = TestEngine::new();
    let cluster = start(&directory).await;
    initialize(&cluster).await;
    cluster.stop().await;
    drop(cluster);
    let engine = directory.open().await;
    let mut state_machine = system_state_machine(&engine).await;
    let built = state_machine.try_create_snapshot_builder(true).await.expect("a builder").build_snapshot().await;
    let super::snapshot::SnapshotData::State(state) = built.expect("builds").snapshot else { panic!("no state") };
    let files = files(&engine);
    let path = files.staging_path(GroupId::SYSTEM);
    files.write(state, &path).await.expect("writes");
    let whole = std::fs::read(&path).expect("reads");
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        std::fs::write(&path, &damaged).expect("writes");
        assert!(files.open(&path).is_err(), "byte {at}");
        std::fs::write(&path, &whole[..at]).expect("writes");
        assert!(files.open(&path).is_err(), "cut at {at}");
    }
}

/// The value once it is there; bounded.
async fn wait_for<T>(value: impl Fn() -> Option<T>) -> T {
    for _ in 0..500 {
        if let Some(value) = value() {
            return value;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("it did not come within 5 s");
}
