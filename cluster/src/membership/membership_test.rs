//! A founder, tokens and joins on a real cluster of one.

use std::time::Duration;

use bytes::Bytes;
use expect_test::{expect, expect_file};
use onggi_storage_engine::format::Record;

use super::*;
use crate::cluster::Cluster;
use crate::id::{NodeId, TokenId};
use crate::metadata::command::{NewNode, NodeAddresses, NodeUpdate, SystemChange};
use crate::metadata::record::{AuthorityRecord, NodeState};
use crate::peer::authority::{PeerKey, PeerName};
use crate::peer::{Caller, Handlers, Method};
use crate::testing::{TestEngine, initialize, start};

const CLUSTER: ClusterId = [0xC1; 16];
const MASTER_KEY: MasterKey = MasterKey([7; 32]);

fn new_node(drive: u8) -> NewNode {
    let address = |port: u16| format!("node{drive}.example:{port}");
    NewNode {
        drive: [drive; 16],
        addresses: NodeAddresses { peer: address(9002), web: address(9001), s3: address(9000) },
        zone: "a".to_owned(),
        weight: 100,
        release: "0.1.0".to_owned(),
    }
}

fn authority() -> AuthorityRecord {
    Authority::create(CLUSTER, 1_790_000_000_000).unwrap().seal(&SecretBox::new(&MASTER_KEY.0)).unwrap()
}

async fn founded(engine: &TestEngine) -> (Cluster, Membership) {
    let cluster = start(engine).await;
    initialize(&cluster).await;
    let membership = Membership::new(CLUSTER, MASTER_KEY, cluster.metadata(), Environment::real());
    assert_eq!(membership.found(new_node(1), &authority()).await.unwrap(), NodeId(1));
    (cluster, membership)
}

fn request(drive: u8) -> JoinRequest {
    JoinRequest { public_key: PeerKey::generate().unwrap().public_key().unwrap(), node: new_node(drive) }
}

/// As the transport calls the handler, with the text of the error.
async fn call(membership: &Membership, from: Caller, payload: Bytes) -> std::result::Result<JoinResponse, String> {
    let handlers = Handlers::new().with(Method::JOIN, JoinService::new(membership.clone()));
    let answer = handlers.handle(from, Method::JOIN, payload).await.map_err(|error| error.to_string())?;
    Ok(JoinResponse::from_bytes(&answer.concat()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_one_node_goes_on_record_once() {
    let engine = TestEngine::new();
    let (cluster, membership) = founded(&engine).await;
    let groups = cluster.metadata().read(Route::System, query::groups).await.unwrap();
    assert_eq!(groups.len(), 17);
    assert!(groups.iter().all(|group| group.voters == [NodeId(1)] && group.target == [NodeId(1)] && group.step == 1));

    let standing = cluster.metadata().read(Route::System, query::authority).await.unwrap().unwrap();
    assert_eq!(membership.found(new_node(1), &standing).await.unwrap(), NodeId(1));
    assert_eq!(cluster.metadata().read(Route::System, query::groups).await.unwrap(), groups);

    let other = membership.found(new_node(1), &authority()).await.unwrap_err().to_string();
    expect!["the certificate authority in the data directory is not the one on record in the cluster"]
        .assert_eq(&other);
    let other = membership.found(new_node(2), &standing).await.unwrap_err().to_string();
    expect!["the cluster has nodes on record, and this drive is none of theirs: join with a token instead"]
        .assert_eq(&other);
    cluster.stop().await;
    drop((cluster, membership));

    let engine = engine.open().await;
    let recorded = Recorded::read(engine.metadata_store(), &[1; 16]).unwrap();
    assert_eq!(recorded.authority, Some(standing));
    assert_eq!(recorded.node.map(|record| record.node), Some(NodeId(1)));
    let stranger = Recorded::read(engine.metadata_store(), &[9; 16]).unwrap();
    assert!(stranger.node.is_none() && stranger.nodes.len() == 1);
    engine.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invited_node_gets_what_makes_it_a_member() {
    let engine = TestEngine::new();
    let (cluster, membership) = founded(&engine).await;
    let invitation = membership.invite(Duration::from_secs(3600), Some("b".to_owned())).await.unwrap();
    let token = JoinToken::parse(&invitation.token.to_text()).unwrap();
    assert_eq!(token.cluster, CLUSTER);
    let from = Caller::Join(token.token);

    let first = call(&membership, from, request(2).to_bytes()).await.unwrap();
    assert_eq!((first.node, first.cluster_name.as_str(), &first.master_key), (NodeId(2), "test", &MASTER_KEY));
    let nodes: Vec<_> = first.nodes.iter().map(|node| (node.node.0, node.zone.as_str())).collect();
    assert_eq!(nodes, [(1, "a"), (2, "b")]);
    let name = PeerName { bearer: Caller::Node(NodeId(2)), cluster: CLUSTER }.to_string();
    assert!(first.certificate.windows(name.len()).any(|window| window == name.as_bytes()));

    // The answer was lost: the joiner asks again, perhaps with a new key.
    let again = call(&membership, from, request(2).to_bytes()).await.unwrap();
    assert_eq!(again.node, NodeId(2));
    assert_ne!(again.certificate, first.certificate);
    assert_eq!(format!("{again:?}"), "JoinResponse { node: NodeId(2), .. }");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_says_why() {
    let engine = TestEngine::new();
    let (cluster, membership) = founded(&engine).await;
    let hour = Duration::from_secs(3600);
    let used = membership.invite(hour, None).await.unwrap().token.token;
    let fresh = membership.invite(hour, None).await.unwrap().token.token;
    let expired = membership.invite(Duration::ZERO, None).await.unwrap().token.token;
    call(&membership, Caller::Join(used), request(2).to_bytes()).await.unwrap();
    let refused = async |from, request: JoinRequest| call(&membership, from, request.to_bytes()).await.unwrap_err();

    expect!["the join token was used by node 2; each node needs one of its own (`onggi admin token create`)"]
        .assert_eq(&refused(Caller::Join(used), request(3)).await);
    expect!["the join token has expired; make a new one with `onggi admin token create`"]
        .assert_eq(&refused(Caller::Join(expired), request(3)).await);
    expect!["the join token is not known: it was revoked, or is of another cluster; make a new one with `onggi admin token create`"]
        .assert_eq(&refused(Caller::Join(TokenId([0; 16])), request(3)).await);
    expect!["the drive is on record as node 2's; to join as a new node, remove node 2 and start with an empty data directory"]
        .assert_eq(&refused(Caller::Join(fresh), request(2)).await);
    expect!["a member does not join again"].assert_eq(&refused(Caller::Node(NodeId(2)), request(3)).await);
    let mut nowhere = request(3);
    nowhere.node.addresses.peer = "0.0.0.0".to_owned();
    expect!["an address is written HOST:PORT, like `node2.example:9002` or `[fd00::2]:9002`"]
        .assert_eq(&refused(Caller::Join(fresh), nowhere).await);
    let garbage = call(&membership, Caller::Join(fresh), Bytes::from_static(b"garbage")).await.unwrap_err();
    assert!(garbage.contains("read join request"), "{garbage}");
    // None of this used the token up.
    assert_eq!(call(&membership, Caller::Join(fresh), request(3).to_bytes()).await.unwrap().node, NodeId(3));
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_reports_what_changed() {
    let engine = TestEngine::new();
    let (cluster, membership) = founded(&engine).await;
    let addresses = NodeAddresses { peer: "moved:2".to_owned(), ..new_node(1).addresses };
    membership.report(NodeId(1), [1; 16], addresses.clone(), "0.2.0").await.unwrap();
    let record = cluster.metadata().read(Route::System, |view| query::node(view, NodeId(1))).await.unwrap().unwrap();
    assert_eq!((record.peer_address.as_str(), record.release.as_str()), ("moved:2", "0.2.0"));

    let refused =
        async |node, drive| membership.report(node, drive, addresses.clone(), "0.2.0").await.unwrap_err().to_string();
    expect!["node 1 is on record with another drive"].assert_eq(&refused(NodeId(1), [2; 16]).await);
    expect!["node 2 is not on record in the cluster"].assert_eq(&refused(NodeId(2), [2; 16]).await);
    let token = membership.invite(Duration::from_secs(3600), None).await.unwrap().token.token;
    call(&membership, Caller::Join(token), request(2).to_bytes()).await.unwrap();
    let update = NodeUpdate { state: Some(NodeState::Removed), ..NodeUpdate::default() };
    membership.commit(SystemChange::UpdateNode { node: NodeId(2), update }).await.unwrap();
    expect!["node 2 was removed from the cluster"].assert_eq(&refused(NodeId(2), [2; 16]).await);
    cluster.stop().await;
}

#[test]
fn bytes_of_version_1_stay_as_they_are() {
    let request = JoinRequest { public_key: [4; 65], node: new_node(2) };
    let response = JoinResponse {
        node: NodeId(2),
        cluster_name: "jar".to_owned(),
        certificate: Bytes::from_static(b"certificate"),
        master_key: MASTER_KEY,
        nodes: Vec::new(),
    };
    assert_eq!(JoinRequest::from_bytes(&request.to_bytes()).unwrap(), request);
    assert_eq!(JoinResponse::from_bytes(&response.to_bytes()).unwrap(), response);
    let hex = |bytes: Bytes| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let text = format!("join request: {}\njoin response: {}\n", hex(request.to_bytes()), hex(response.to_bytes()));
    expect_file!["../../tests/fixtures/v1/join.txt"].assert_eq(&text);
}
