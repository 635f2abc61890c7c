//! Buckets in two steps, cut short at every step.

use tokio_util::sync::CancellationToken;

use crate::cluster::Cluster;
use crate::id::{RequestId, UserId};
use crate::metadata::client::Route;
use crate::metadata::command::{Change, Command, OwnerChange, SystemChange};
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::query;
use crate::metadata::record::BucketNameRecord;
use crate::testing::{TestEngine, create_user, initialize, start};

const NAME: &str = "pictures";

async fn name_record(cluster: &Cluster) -> Option<BucketNameRecord> {
    cluster.metadata().read(Route::System, |view| query::bucket_name(view, NAME)).await.expect("reads")
}

async fn has_bucket(cluster: &Cluster) -> bool {
    let owner = UserId::ROOT.owner_key();
    let bucket = cluster.metadata().read(Route::Owner(owner), move |view| query::bucket(view, owner, NAME)).await;
    bucket.expect("reads").is_some()
}

async fn create(cluster: &Cluster) -> Outcome {
    cluster.metadata().create_bucket(UserId::ROOT, NAME.to_owned(), String::new()).await.expect("answers")
}

async fn delete(cluster: &Cluster) -> Outcome {
    cluster.metadata().delete_bucket(UserId::ROOT, NAME.to_owned()).await.expect("answers")
}

async fn reserve(cluster: &Cluster) -> BucketNameRecord {
    let change =
        SystemChange::ReserveBucketName { name: NAME.to_owned(), owner: UserId::ROOT, location: String::new() };
    cluster.metadata().commit(Change::System(change)).await.expect("commits");
    name_record(cluster).await.expect("is reserved")
}

/// Step 2, as the creation and the janitor send it.
async fn create_in_group(cluster: &Cluster, reservation: RequestId, time_ms: u64, retry: bool) -> Outcome {
    let change = OwnerChange::CreateBucket { name: NAME.to_owned(), location: String::new() };
    let change = Change::Owner { owner: UserId::ROOT.owner_key(), change };
    let command = Command { request: reservation, retry, time_ms, change };
    cluster.metadata().commit_command(command).await.expect("commits")
}

async fn finish_leftovers(cluster: &Cluster) {
    cluster.metadata().finish_leftovers(0, &CancellationToken::new()).await.expect("finishes");
}

async fn cluster(engine: &TestEngine) -> Cluster {
    let cluster = start(engine).await;
    initialize(&cluster).await;
    // The janitor's first pass is over: there was nothing to do.
    finish_leftovers(&cluster).await;
    cluster
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_comes_and_goes() {
    let engine = TestEngine::new();
    let cluster = cluster(&engine).await;
    create_user(&cluster, "anna").await;
    assert!(matches!(create(&cluster).await, Outcome::BucketCreated { .. }));
    assert_eq!(create(&cluster).await, Outcome::Refused(Refusal::BucketOwnedByYou));
    let other = cluster.metadata().create_bucket(UserId(2), NAME.to_owned(), String::new()).await.expect("answers");
    assert_eq!(other, Outcome::Refused(Refusal::BucketNameTaken));
    let other = cluster.metadata().delete_bucket(UserId(2), NAME.to_owned()).await.expect("answers");
    assert_eq!(other, Outcome::Refused(Refusal::NoSuchBucket));
    assert_eq!(delete(&cluster).await, Outcome::Done);
    assert_eq!((name_record(&cluster).await, has_bucket(&cluster).await), (None, false));
    assert_eq!(delete(&cluster).await, Outcome::Refused(Refusal::NoSuchBucket));
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_that_was_cut_short_is_brought_to_its_end() {
    for done_in_group in [false, true] {
        let engine = TestEngine::new();
        let cluster = cluster(&engine).await;
        let reserved = reserve(&cluster).await;
        if done_in_group {
            create_in_group(&cluster, reserved.reservation, reserved.reserved_ms, false).await;
        }
        finish_leftovers(&cluster).await;
        assert!(name_record(&cluster).await.is_some_and(|record| !record.pending), "{done_in_group}");
        assert!(has_bucket(&cluster).await, "{done_in_group}");
        cluster.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_that_was_cut_short_is_brought_to_its_end() {
    let engine = TestEngine::new();
    let cluster = cluster(&engine).await;
    let Outcome::BucketCreated { bucket } = create(&cluster).await else { panic!("not created") };
    let change = Change::Owner { owner: UserId::ROOT.owner_key(), change: OwnerChange::DeleteBucket { bucket } };
    assert_eq!(cluster.metadata().commit(change).await.expect("commits"), Outcome::Done);
    finish_leftovers(&cluster).await;
    assert_eq!(name_record(&cluster).await, None);
    assert!(matches!(create(&cluster).await, Outcome::BucketCreated { .. }), "the name is free");
    cluster.stop().await;
}

/// A janitor that read the pending name, and comes to step 2 after the bucket was confirmed and deleted.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_roll_forward_does_not_bring_a_deleted_bucket_back() {
    let engine = TestEngine::new();
    let cluster = cluster(&engine).await;
    let reserved = reserve(&cluster).await;
    assert!(matches!(create(&cluster).await, Outcome::BucketCreated { .. }), "goes on with the reservation");
    assert_eq!(delete(&cluster).await, Outcome::Done);
    create_in_group(&cluster, reserved.reservation, reserved.reserved_ms, true).await;
    assert!(!has_bucket(&cluster).await);
    cluster.stop().await;
}
