//! Nodes of one process, at one port.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use onggi_storage_engine::env::{Clock, SystemClock};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{ANNA, BERTA, CLUSTER, LIMIT, authority, drive, handler, mesh, until};
use crate::error::ErrorKind;
use crate::id::{NodeId, TokenId};
use crate::peer::{AddressBook, Caller, Handlers, InvitedCall, LocalNodes, Method, Neighbours, PeerEntry, Transport};

/// Carla and Berta share a port, and a process.
#[tokio::test]
async fn nodes_of_one_process_share_a_port_and_spare_each_other_the_network() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let address = listener.local_addr().expect("address").to_string();
    let carla = NodeId(3);
    let entry = |node: NodeId, address: &str| (node, PeerEntry { address: address.to_owned(), drive: drive(node) });
    // Berta and Carla have no way to call each other but through the process.
    let book =
        AddressBook::new(BTreeMap::from([entry(ANNA, "127.0.0.1:1"), entry(BERTA, &address), entry(carla, &address)]));
    let inside = AddressBook::new(BTreeMap::from([entry(ANNA, "127.0.0.1:1")]));
    let authority = authority(CLUSTER);
    let (here, stop) = (LocalNodes::default(), CancellationToken::new());
    tokio::spawn(here.clone().listen(listener, Duration::from_secs(1), stop.clone()));
    let says = |name: &'static str| {
        let who = move |from: Caller, _: Bytes| async move { Ok(vec![Bytes::from(format!("{name} to {from:?}"))]) };
        Handlers::new().with(Method::READ_INDEX, handler(who)).with(Method::JOIN, handler(who))
    };
    let stop_carla = CancellationToken::new();
    here.open(&mesh(&authority, BERTA, book.clone()), says("berta"), stop.clone());
    here.open(&mesh(&authority, carla, book.clone()), says("carla"), stop_carla.clone());

    let anna = mesh(&authority, ANNA, book.clone());
    tokio::spawn(anna.clone().run(CancellationToken::new()));
    let ask = async |to| anna.call(to, Method::READ_INDEX, Vec::new(), LIMIT).await;
    assert_eq!(ask(BERTA).await.expect("answers"), "berta to Node(NodeId(1))");
    assert_eq!(ask(carla).await.expect("answers"), "carla to Node(NodeId(1))");
    let invited = authority.issue_join(TokenId([5; 16]), SystemClock.unix_ms(), SystemClock.unix_ms() + 3_600_000);
    let invited = invited.expect("issues");
    let call =
        InvitedCall { address: &address, cluster: CLUSTER, credentials: &invited, drive: [9; 16], release: "test" };
    let joined = call.join(Vec::new(), LIMIT).await.expect("any of them answers");
    assert!(joined.starts_with(b"berta"), "{joined:?}");

    let neighbours = Neighbours::new(mesh(&authority, BERTA, inside), here.clone());
    let answer = neighbours.call(carla, Method::READ_INDEX, Vec::new(), LIMIT).await.expect("answers");
    assert_eq!(answer, "carla to Node(NodeId(2))");
    assert!(neighbours.is_up(carla));

    // One of them is given up: it is down for everybody, and the other one is not.
    here.close(carla);
    stop_carla.cancel();
    assert!(!neighbours.is_up(carla));
    let error = neighbours.call(carla, Method::READ_INDEX, Vec::new(), LIMIT).await.expect_err("is not in use");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    until("carla is down", || !anna.is_up(carla)).await;
    assert!(ask(carla).await.is_err());
    assert_eq!(ask(BERTA).await.expect("answers"), "berta to Node(NodeId(1))");
}
