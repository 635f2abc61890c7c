//! A pass over a real group: what is past its time goes, the rest stays.

use std::time::Duration;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::TreeRetention;
use crate::cluster::Cluster;
use crate::id::{BucketId, UploadId, UserId};
use crate::metadata::client::Route;
use crate::metadata::command::tree::{At, CreateSession, TreeChange};
use crate::metadata::command::{Change, OwnerChange};
use crate::metadata::key::{BucketSpace, TreeSpace};
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::query::tree as query;
use crate::metadata::record::tree::{Author, EntryName, SessionKind, TreePath};
use crate::testing::{TestEngine, initialize, start};

fn path(text: &str) -> TreePath {
    text.split('/').map(|name| EntryName { name: name.to_owned(), key: name.to_owned() }).collect()
}

async fn change(cluster: &Cluster, bucket: BucketId, change: TreeChange) -> Outcome {
    let author = Author { user: UserId::ROOT, device: String::new() };
    let change = OwnerChange::Tree { bucket, author, quota_bytes: None, change };
    let owner = UserId::ROOT.owner_key();
    cluster.metadata().commit(Change::Owner { owner, change }).await.expect("commits")
}

async fn session(cluster: &Cluster, bucket: BucketId, id: u8, expires_ms: u64) {
    let create = CreateSession {
        session: UploadId([id; 16]),
        kind: SessionKind::Sequential,
        bytes: None,
        details: Bytes::new(),
        expires_ms,
    };
    change(cluster, bucket, TreeChange::CreateSession(create)).await;
}

/// Items of the trash, rows of the feed, and sessions.
async fn left(cluster: &Cluster, bucket: BucketId) -> (usize, usize, usize) {
    let owner = UserId::ROOT.owner_key();
    let tree = TreeSpace(BucketSpace::new(owner, bucket));
    let client = cluster.metadata();
    let read = client.read(Route::Owner(owner), move |view| {
        let trash = query::trash(view, tree, None, 100)?.len();
        let vacated = query::vacated_places(view, tree, 100)?.len();
        Ok((trash, vacated, query::sessions(view, tree, None, 100)?.len()))
    });
    read.await.expect("reads")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_past_its_time_goes() {
    let engine = TestEngine::new();
    let cluster = start(&engine).await;
    initialize(&cluster).await;
    let name = "root--drive".to_owned();
    let created = cluster.metadata().create_bucket(UserId::ROOT, name, String::new()).await.expect("answers");
    let Outcome::BucketCreated { bucket } = created else { panic!("{created:?}") };
    for at in ["a/b/c", "d"] {
        change(&cluster, bucket, TreeChange::CreateFolder { path: path(at), rename: None }).await;
    }
    change(&cluster, bucket, TreeChange::Trash { at: At::Path(path("a")), expected_rev: None }).await;
    session(&cluster, bucket, 1, 1).await;
    session(&cluster, bucket, 2, u64::MAX).await;

    let keep = |retention| {
        let (client, stop) = (cluster.metadata(), CancellationToken::new());
        async move { client.keep_trees(retention, &stop).await.expect("keeps") }
    };
    keep(TreeRetention::default()).await;
    assert_eq!(left(&cluster, bucket).await, (1, 1, 1), "only the session is past its end");

    tokio::time::sleep(Duration::from_millis(20)).await;
    let short = TreeRetention { trash: Duration::from_millis(10), feed: Duration::from_millis(10) };
    keep(short).await;
    assert_eq!(left(&cluster, bucket).await, (0, 0, 1));
    let at = At::Path(path("a"));
    let again = change(&cluster, bucket, TreeChange::Trash { at, expected_rev: None }).await;
    assert_eq!(again, Outcome::Refused(Refusal::NoSuchEntry));
}
