//! A group whose majority is lost goes on with a replica that takes over, and with nothing less than that replica had.

use std::collections::BTreeSet;

use super::replica_on_drive::{ReplicaOnDrive, TakeOver};
use super::test_nodes::{ALL, ANNA, BERTA, CLARA, Nodes, create_user, create_users_somewhere};
use crate::error::{ErrorKind, Result};
use crate::id::{GroupId, NodeId};

async fn replica(nodes: &Nodes, node: NodeId) -> ReplicaOnDrive {
    let engine = nodes.stores_of_stopped(node).await;
    let replica = ReplicaOnDrive::read(&engine, GroupId::SYSTEM).await.expect("reads").expect("is there");
    engine.close().await.expect("closes");
    replica
}

async fn take_over(nodes: &Nodes, node: NodeId, replica: &ReplicaOnDrive, term: u64) -> Result<TakeOver> {
    let engine = nodes.stores_of_stopped(node).await;
    let taken = ReplicaOnDrive::take_over(&engine, GroupId::SYSTEM, node, replica.end, term).await;
    engine.close().await.expect("closes");
    taken
}

fn names(range: std::ops::Range<u32>) -> BTreeSet<String> {
    range.map(|number| format!("user-{number:02}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_replica_goes_on_alone_and_gets_others_again() {
    let mut nodes = Nodes::start_as_voters().await;
    create_users_somewhere(&nodes, &ALL, names(0..10)).await;
    nodes.until_all_have(&ALL, &names(0..10)).await;
    // Berta misses what Anna gets, and comes back with less.
    nodes.kill(BERTA).await;
    create_users_somewhere(&nodes, &[ANNA, CLARA], names(10..20)).await;
    nodes.until_all_have(&[ANNA, CLARA], &names(0..20)).await;
    nodes.kill(CLARA).await;
    nodes.kill(ANNA).await;

    let (anna, berta) = (replica(&nodes, ANNA).await, replica(&nodes, BERTA).await);
    assert_eq!(anna.voters, [BTreeSet::from(ALL)]);
    assert!(anna.end > berta.end, "{anna:?} {berta:?}");
    let term = anna.term.max(berta.term) + 1;
    assert_eq!(take_over(&nodes, ANNA, &anna, term).await.expect("takes over"), TakeOver::Done);
    assert_eq!(take_over(&nodes, ANNA, &anna, term).await.expect("has taken over"), TakeOver::DoneBefore);
    assert_eq!(replica(&nodes, ANNA).await.voters, [BTreeSet::from([ANNA])]);

    nodes.run(ANNA).await;
    create_user(nodes.leader_among(&[ANNA]).await, "after").await.expect("is decided by Anna alone");
    let expected: BTreeSet<String> = names(0..20).into_iter().chain(["after".to_owned()]).collect();
    nodes.until_all_have(&[ANNA], &expected).await;

    // It asks for votes as one of three, and gets none.
    nodes.run(BERTA).await;
    nodes.leader_among(&[ANNA]).await.add_learner(BERTA).await.expect("adds Berta");
    nodes.until_all_have(&[ANNA, BERTA], &expected).await;
    nodes.make_voters(&[ANNA, BERTA]).await;
    create_users_somewhere(&nodes, &[ANNA, BERTA], names(20..22)).await;
    nodes.until("Berta has it", |nodes| nodes.users(BERTA).contains("user-21")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_taken_over_where_the_log_went_on() {
    let mut nodes = Nodes::start_as_voters().await;
    nodes.kill(ANNA).await;
    let before = replica(&nodes, ANNA).await;
    nodes.run(ANNA).await;
    create_users_somewhere(&nodes, &ALL, names(0..3)).await;
    nodes.until_all_have(&ALL, &names(0..3)).await;
    nodes.kill(ANNA).await;
    let now = replica(&nodes, ANNA).await;
    let refused = take_over(&nodes, ANNA, &before, now.term + 1).await.expect_err("is too old");
    assert_eq!(refused.kind(), ErrorKind::Conflict);
    let refused = take_over(&nodes, ANNA, &now, now.term).await.expect_err("the term has been");
    assert_eq!(refused.kind(), ErrorKind::Conflict);
    assert_eq!(replica(&nodes, ANNA).await, now, "nothing was changed");
}
