//! A node whose drive fails goes on as a process, and must not keep its groups from going on elsewhere.

use onggi_storage_engine::error::Error as EngineError;

use super::test_nodes::{ALL, ANNA, BERTA, CLARA, Nodes, create_user, create_users_somewhere};
use crate::error::ErrorKind;
use crate::peer::memory::NetworkOptions;

fn fail_drive(nodes: &Nodes, node: crate::id::NodeId) {
    let poison = nodes.engine(node).drive().poison().clone();
    poison.set(EngineError::corrupt("a failed write, as the test has it"));
}

/// Nothing is written to it any more, so nothing tells openraft that it cannot be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_lead_an_idle_group_whose_leader_has_a_failed_drive() {
    let nodes = Nodes::start_as_voters().await;
    create_user(nodes.system(ANNA), "before").await.expect("commits");
    assert!(nodes.system(ANNA).is_leader());
    fail_drive(&nodes, ANNA);
    let refused = create_user(nodes.system(ANNA), "here").await.expect_err("cannot be written");
    assert_eq!(refused.kind(), ErrorKind::Unavailable, "another one will: {refused}");
    create_users_somewhere(&nodes, &[BERTA, CLARA], ["after".to_owned()]).await;
    assert!(!nodes.system(ANNA).is_leader());
    assert_eq!(nodes.system(ANNA).leader_hint(), None, "it does not know any more");
    let expected = ["before", "after"].map(str::to_owned).into();
    nodes.until_all_have(&[BERTA, CLARA], &expected).await;
}

/// Its group has stopped, and says of itself for ever what it was then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_lead_a_busy_group_whose_leader_has_a_failed_drive() {
    let nodes = Nodes::start_as_voters().await;
    create_user(nodes.system(ANNA), "before").await.expect("commits");
    let leader = nodes.system(ANNA).clone();
    let writes = tokio::spawn(async move {
        let mut number = 0;
        while create_user(&leader, &format!("meanwhile-{number}")).await.is_ok() {
            number += 1;
        }
    });
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    fail_drive(&nodes, ANNA);
    writes.await.expect("ends");
    create_users_somewhere(&nodes, &[BERTA, CLARA], ["after".to_owned()]).await;
    nodes.until("all have it", |nodes| [BERTA, CLARA].iter().all(|node| nodes.users(*node).contains("after"))).await;
    let read = nodes.system(ANNA).read_index().await.expect_err("does not lead");
    assert_eq!(read.kind(), ErrorKind::NotLeader, "{read}");
}

/// Where nobody else can, the error says what is wrong.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alone_it_says_that_its_drive_failed() {
    let nodes = Nodes::start(NetworkOptions::default()).await;
    create_user(nodes.system(ANNA), "before").await.expect("commits");
    fail_drive(&nodes, ANNA);
    let refused = create_user(nodes.system(ANNA), "after").await.expect_err("cannot be written");
    assert_eq!(refused.kind(), ErrorKind::Internal, "{refused}");
    assert_eq!(ALL.iter().filter(|node| nodes.users(**node).contains("before")).count(), 1);
}
