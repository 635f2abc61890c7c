use std::time::Duration;

use bytes::Bytes;
use futures::future::{BoxFuture, join_all};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{Network, NetworkOptions};
use crate::error::{Error, ErrorKind, Result};
use crate::id::NodeId;
use crate::peer::{Caller, Handlers, Method, Payload, Peers};

const LIMIT: Duration = Duration::from_secs(1);
const ANNA: NodeId = NodeId(1);
const BERTA: NodeId = NodeId(2);

fn echo() -> Handlers {
    Handlers::new().with(Method::PING, |_: Caller, payload: Bytes| -> BoxFuture<'static, Result<Payload>> {
        Box::pin(async move { Ok(vec![Bytes::from_static(b"echo "), payload]) })
    })
}

fn two_nodes(options: NetworkOptions) -> (Network, Peers) {
    let network = Network::new(options);
    network.serve(ANNA, echo());
    network.serve(BERTA, echo());
    let peers = network.peers(ANNA);
    (network, peers)
}

async fn ping(peers: &Peers) -> Result<Bytes, ErrorKind> {
    let payload = vec![Bytes::from_static(b"a"), Bytes::from_static(b"b")];
    peers.call(BERTA, Method::PING, payload, LIMIT).await.map_err(|error| error.kind())
}

#[tokio::test(start_paused = true)]
async fn a_call_takes_both_delays_and_its_answer_comes_back() {
    let delay = Duration::from_millis(20);
    let (_network, peers) = two_nodes(NetworkOptions { delay: delay..=delay, ..NetworkOptions::default() });
    let start = Instant::now();
    assert_eq!(ping(&peers).await, Ok(Bytes::from_static(b"echo ab")));
    assert_eq!(start.elapsed(), 2 * delay);
}

#[tokio::test(start_paused = true)]
async fn a_handler_s_error_comes_back_with_its_kind_and_text() {
    let (network, peers) = two_nodes(NetworkOptions::default());
    let full = |_: Caller, _: Bytes| -> BoxFuture<'static, Result<Payload>> {
        Box::pin(async { Err(Error::new(ErrorKind::Full, "the drive is full")) })
    };
    network.serve(BERTA, Handlers::new().with(Method::PING, full));
    let error = peers.call(BERTA, Method::PING, Vec::new(), LIMIT).await.expect_err("fails");
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Full, "the drive is full"));
    assert_eq!(
        peers.call(BERTA, Method::PROPOSE, Vec::new(), LIMIT).await.expect_err("fails").kind(),
        ErrorKind::NotFound
    );
}

#[tokio::test(start_paused = true)]
async fn calls_are_handled_in_the_order_of_call_whatever_their_delays_and_polls() {
    let delay = Duration::ZERO..=Duration::from_millis(50);
    let (network, peers) = two_nodes(NetworkOptions { delay, seed: 7, ..NetworkOptions::default() });
    let (seen, mut order) = mpsc::unbounded_channel();
    let record = move |_: Caller, payload: Bytes| -> BoxFuture<'static, Result<Payload>> {
        seen.send(payload).expect("the test listens");
        Box::pin(async { Ok(Vec::new()) })
    };
    network.serve(BERTA, Handlers::new().with(Method::RAFT_APPEND, record));
    let calls: Vec<_> = (0..100_u8)
        .map(|number| peers.call(BERTA, Method::RAFT_APPEND, vec![Bytes::copy_from_slice(&[number])], LIMIT))
        .collect();
    join_all(calls.into_iter().rev()).await.into_iter().for_each(|done| assert!(done.is_ok()));
    for number in 0..100_u8 {
        assert_eq!(order.recv().await.expect("came")[0], number);
    }
}

#[tokio::test(start_paused = true)]
async fn a_cut_in_either_direction_leaves_the_outcome_open_until_it_heals() {
    let (network, peers) = two_nodes(NetworkOptions::default());
    for (from, to) in [(ANNA, BERTA), (BERTA, ANNA)] {
        network.cut(from, to);
        let start = Instant::now();
        assert_eq!(ping(&peers).await, Err(ErrorKind::OutcomeUnknown));
        assert_eq!(start.elapsed(), LIMIT);
        assert!(!peers.is_up(BERTA));
        network.heal_all();
        assert!(ping(&peers).await.is_ok());
        assert!(peers.is_up(BERTA));
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_down_refuses_and_one_that_goes_down_breaks_what_is_on_its_way() {
    let (network, peers) = two_nodes(NetworkOptions::default());
    let stuck = |_: Caller, _: Bytes| -> BoxFuture<'static, Result<Payload>> { Box::pin(std::future::pending()) };
    network.serve(BERTA, Handlers::new().with(Method::PING, stuck));
    let start = Instant::now();
    let on_its_way = tokio::spawn({
        let peers = peers.clone();
        async move { ping(&peers).await }
    });
    tokio::time::sleep(Duration::from_millis(10)).await;
    network.stop(BERTA);
    assert_eq!(on_its_way.await.expect("ends"), Err(ErrorKind::OutcomeUnknown));
    assert_eq!(ping(&peers).await, Err(ErrorKind::Unavailable));
    assert!(start.elapsed() < LIMIT, "neither waits for the limit");
    network.serve(BERTA, echo());
    assert!(ping(&peers).await.is_ok());
    network.stop(ANNA);
    assert_eq!(ping(&peers).await, Err(ErrorKind::Unavailable), "from a node that is down");
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_loses_the_same_messages() {
    let mut runs = Vec::new();
    for seed in [3, 3, 4] {
        let (_network, peers) = two_nodes(NetworkOptions { seed, lost_per_mille: 300, ..NetworkOptions::default() });
        let mut answered = Vec::new();
        for _ in 0..64 {
            answered.push(ping(&peers).await.is_ok());
        }
        runs.push(answered);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
    assert!(runs[0].contains(&true) && runs[0].contains(&false));
}
