//! A cluster of one on a real drive: start, commit, read, stop, kill, start again.

use bytes::Bytes;
use futures::TryStreamExt;
use futures::future::join_all;
use onggi_storage_engine::error::ErrorKind as EngineErrorKind;

use crate::error::ErrorKind;
use crate::id::{OwnerKey, UserId};
use crate::metadata::client::Route;
use crate::metadata::command::{Change, SystemChange};
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::query;
use crate::metadata::record::Content;
use crate::testing::{TestEngine, create_user, initialize, start, user_names};

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_changes_are_seen_at_once_and_after_stop_and_start() {
    let engine = TestEngine::new();
    let cluster = start(&engine).await;
    initialize(&cluster).await;
    let outcome = create_user(&cluster, "anna").await;
    assert!(matches!(outcome, Outcome::UserCreated { .. }), "{outcome:?}");
    assert_eq!(user_names(&cluster).await, ["anna"]);
    assert_eq!(create_user(&cluster, "anna").await, Outcome::Refused(Refusal::UserExists));
    cluster.stop().await;
    cluster.stop().await;
    drop(cluster);

    let cluster = start(&engine).await;
    assert_eq!(user_names(&cluster).await, ["anna"]);
    create_user(&cluster, "berta").await;
    assert_eq!(user_names(&cluster).await, ["anna", "berta"]);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_loses_nothing_that_was_acknowledged() {
    let mut engine = TestEngine::new();
    let mut expected = Vec::new();
    for round in 0..3 {
        let cluster = start(&engine).await;
        if round == 0 {
            initialize(&cluster).await;
        }
        let mut names: Vec<String> = (0..40).map(|number| format!("user-{round}-{number:02}")).collect();
        join_all(names.iter().map(|name| create_user(&cluster, name))).await;
        expected.append(&mut names);
        let after_kill = engine.killed();
        drop(cluster);
        engine = after_kill;
    }
    let cluster = start(&engine).await;
    let mut names = user_names(&cluster).await;
    names.sort();
    assert_eq!(names, expected);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_owner_has_a_group_of_its_own_range() {
    let engine = TestEngine::new();
    let cluster = start(&engine).await;
    initialize(&cluster).await;
    for user in 1..=40 {
        let name = format!("bucket-{user}");
        if user > 1 {
            create_user(&cluster, &format!("user-{user}")).await;
        }
        let created =
            cluster.metadata().create_bucket(UserId(user), name.clone(), String::new()).await.expect("creates");
        assert!(matches!(created, Outcome::BucketCreated { .. }), "{created:?}");
        let owner = UserId(user).owner_key();
        let read = move |view: &dyn crate::metadata::view::MetadataView| query::bucket(view, owner, &name);
        let bucket = cluster.metadata().read(Route::Owner(owner), read).await.expect("reads");
        assert!(bucket.is_some());
    }
    let status = cluster.status();
    assert_eq!(status.groups.len(), 17);
    let used = status.groups.iter().filter(|group| group.last_log_index > Some(2)).count();
    assert!(used > 10, "40 users in {used} groups");
    assert!(status.groups.iter().all(|group| group.failure.is_none() && group.leader == Some(status.node)));
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_come_back_whatever_their_size() {
    let engine = TestEngine::new();
    let cluster = start(&engine).await;
    let data = cluster.data();
    for bytes in [0_usize, 1, 32 * 1024, 32 * 1024 + 1, 64 * 1024, 1024 * 1024 + 7, 9 * 1024 * 1024] {
        let body: Vec<u8> = (0..bytes).map(|at| (at % 251) as u8).collect();
        let mut writer = data.blob_writer(OwnerKey(1));
        for piece in body.chunks(300_000) {
            writer.push(Bytes::copy_from_slice(piece)).await.expect("takes bytes");
        }
        let content = writer.finish().await.expect("finishes");
        assert_eq!(content.bytes, bytes as u64);
        if bytes <= 32 * 1024 {
            assert_eq!(content.inline, body, "{bytes} bytes travel inside the command");
            continue;
        }
        let ranges = [0..bytes, 1..bytes, bytes - 1..bytes, 32_700..bytes.min(65_537), bytes / 2..bytes / 2];
        for range in ranges {
            let stream = data.read(&content.content, bytes as u64, range.start as u64..range.end as u64);
            let read = stream.try_collect::<Vec<Bytes>>().await.expect("reads").concat();
            assert!(read == body[range.clone()], "{bytes} bytes, {range:?}");
        }
    }
    cluster.stop().await;
}

/// A drive that failed takes nothing any more, and what it said before stays readable.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_drive_acknowledges_nothing() {
    let engine = TestEngine::new();
    let cluster = start(&engine).await;
    initialize(&cluster).await;
    create_user(&cluster, "anna").await;
    let (metadata, poison) = (cluster.metadata(), cluster.engine().drive().poison().clone());
    let racing = tokio::spawn({
        let cluster = cluster.clone();
        async move {
            let mut acknowledged = vec!["anna".to_owned()];
            for number in 0..100_000 {
                let name = format!("user-{number}");
                let change = SystemChange::CreateUser { name: name.clone(), admin: false, quota_bytes: None };
                match cluster.metadata().commit(Change::System(change)).await {
                    Ok(Outcome::UserCreated { .. }) => acknowledged.push(name),
                    Ok(other) => panic!("{other:?}"),
                    Err(error) => {
                        assert!(matches!(error.kind(), ErrorKind::Internal | ErrorKind::OutcomeUnknown), "{error}");
                        return acknowledged;
                    }
                }
            }
            panic!("the drive never failed");
        }
    });
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    poison.set(onggi_storage_engine::error::Error::new(EngineErrorKind::DriveFailed, "a sync failed"));
    let acknowledged = racing.await.expect("ends");
    for _ in 0..3 {
        let change = SystemChange::DeleteUser { user: UserId(2) };
        let error = metadata.commit(Change::System(change)).await.expect_err("is refused");
        assert_eq!(error.kind(), ErrorKind::Internal);
    }
    let after = engine.killed();
    let again = start(&after).await;
    let names = user_names(&again).await;
    assert!(acknowledged.iter().all(|name| names.contains(name)));
    assert!(names.len() <= acknowledged.len() + 1, "at most the one whose outcome was unknown");
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_of_writers_gets_smaller_chunks_and_one_writer_full_ones() {
    let engine = TestEngine::new();
    let cluster = start(&engine).await;
    let data = cluster.data();
    let body = Bytes::from(vec![9; 5 * 1024 * 1024]);
    let crowd: Vec<_> = (0..16).map(|_| data.blob_writer(OwnerKey(1))).collect();
    let mut one_more = data.blob_writer(OwnerKey(1));
    one_more.push(body.clone()).await.expect("takes bytes");
    let content = one_more.finish().await.expect("finishes");
    assert!(matches!(content.content, Content::Blob { chunk_bytes: 524_288, .. }), "{content:?}");
    let read = data.read(&content.content, content.bytes, 0..content.bytes).try_collect::<Vec<Bytes>>().await;
    assert!(read.expect("reads").concat() == body);
    drop(crowd);
    let mut alone = data.blob_writer(OwnerKey(1));
    alone.push(body).await.expect("takes bytes");
    let content = alone.finish().await.expect("finishes");
    assert!(matches!(content.content, Content::Blob { chunk_bytes: 4_194_304, .. }), "{content:?}");
    cluster.stop().await;
}
