//! Real connections over loopback: who is let in, what is bounded, what a broken way does to calls.

mod local_nodes;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use onggi_storage_engine::env::{Clock, SystemClock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::authority::{Authority, PeerCredentials, PeerKey};
use super::dial::{Dial, Dialed};
use super::frame::{FRAME_BYTES_MAX, Frame, Outgoing};
use super::hello::Hello;
use super::limits::BULK_REQUESTS_MAX;
use super::tls::{self, TlsIdentity};
use super::{
    AddressBook, Caller, Class, Handler, Handlers, InvitedCall, Mesh, MeshOptions, Method, Payload, PeerEntry,
    PeerLimits, Transport,
};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{ClusterId, DriveId, NodeId, TokenId};

const CLUSTER: ClusterId = [0xC1; 16];
const ANNA: NodeId = NodeId(1);
const BERTA: NodeId = NodeId(2);
const LIMIT: Duration = Duration::from_secs(10);

fn drive(node: NodeId) -> DriveId {
    [node.0 as u8; 16]
}

fn authority(cluster: ClusterId) -> Authority {
    Authority::create(cluster, SystemClock.unix_ms()).expect("an authority")
}

fn credentials(authority: &Authority, node: NodeId) -> PeerCredentials {
    let key = PeerKey::generate().expect("a key");
    let certificate = authority.issue_node(node, &key.public_key().expect("its point"), SystemClock.unix_ms());
    PeerCredentials { certificate: certificate.expect("issues"), key, authority: authority.certificate().clone() }
}

/// Times of tests: a tenth of the real ones.
fn quick() -> PeerLimits {
    PeerLimits {
        connect: Duration::from_millis(300),
        handshake: Duration::from_millis(1000),
        stall: Duration::from_secs(3),
        backoff_min: Duration::from_millis(10),
        backoff_max: Duration::from_millis(100),
        ping_interval: Duration::from_millis(50),
        down_after: Duration::from_millis(300),
        ..PeerLimits::default()
    }
}

fn handler<F>(answer: impl Fn(Caller, Bytes) -> F + Send + Sync + 'static) -> impl Handler
where
    F: Future<Output = Result<Payload>> + Send + 'static,
{
    move |from: Caller, payload: Bytes| -> BoxFuture<'static, Result<Payload>> { answer(from, payload).boxed() }
}

/// PROPOSE and CHUNK_APPEND answer what they got; READ_INDEX says who called; CHUNK_READ answers many bytes.
fn handlers() -> Handlers {
    Handlers::new()
        .with(Method::PROPOSE, handler(|_, payload| async { Ok(vec![payload]) }))
        .with(Method::CHUNK_APPEND, handler(|_, payload| async { Ok(vec![payload]) }))
        .with(Method::READ_INDEX, handler(|from, _| async move { Ok(vec![Bytes::from(format!("{from:?}"))]) }))
        .with(Method::JOIN, handler(|from, _| async move { Ok(vec![Bytes::from(format!("{from:?}"))]) }))
        .with(
            Method::GROUP_STATUS,
            handler(|_, _| async { Err(Error::new(ErrorKind::NotLeader, "somebody else leads")) }),
        )
}

struct Cluster {
    authority: Authority,
    book: AddressBook,
    anna: Mesh,
    stop_berta: CancellationToken,
    berta_address: String,
}

impl Cluster {
    /// Berta serves; Anna calls.
    async fn start(handlers: Handlers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let berta_address = listener.local_addr().expect("address").to_string();
        let entry = |node, address: &str| (node, PeerEntry { address: address.to_owned(), drive: drive(node) });
        let book = AddressBook::new(BTreeMap::from([entry(ANNA, "127.0.0.1:1"), entry(BERTA, &berta_address)]));
        let authority = authority(CLUSTER);
        let anna = mesh(&authority, ANNA, book.clone());
        tokio::spawn(anna.clone().run(CancellationToken::new()));
        let mut cluster = Self { authority, book, anna, stop_berta: CancellationToken::new(), berta_address };
        cluster.serve_berta(listener, handlers);
        cluster
    }

    fn serve_berta(&mut self, listener: TcpListener, handlers: Handlers) {
        self.stop_berta = CancellationToken::new();
        let berta = mesh(&self.authority, BERTA, self.book.clone());
        tokio::spawn(berta.serve(listener, handlers, self.stop_berta.clone()));
    }

    async fn call(&self, method: Method, payload: Payload) -> Result<Bytes> {
        self.anna.call(BERTA, method, payload, LIMIT).await
    }

    async fn echoes(&self) -> bool {
        let payload = vec![Bytes::from_static(b"hello")];
        self.call(Method::PROPOSE, payload).await.is_ok_and(|answer| answer == "hello")
    }

    /// Speaks to Berta as Anna would, but for what a test changes.
    async fn dial(&self, as_node: PeerCredentials, hello: Hello) -> Result<Dialed> {
        let config = TlsIdentity::of_member(&as_node)?.client;
        let server_name = tls::server_name(BERTA, CLUSTER)?;
        let limits = quick();
        let (connect, handshake, stall) = (limits.connect, limits.handshake, limits.stall);
        Dial { address: &self.berta_address, config, server_name, hello, connect, handshake, stall }.dial().await
    }

    async fn dial_as_anna(&self, class: Class) -> Dialed {
        let hello = Hello::new(CLUSTER, ANNA, drive(ANNA), class, "test");
        self.dial(credentials(&self.authority, ANNA), hello).await.expect("is let in")
    }
}

fn mesh(authority: &Authority, node: NodeId, book: AddressBook) -> Mesh {
    mesh_with(authority, node, book, quick())
}

fn mesh_with(authority: &Authority, node: NodeId, book: AddressBook, limits: PeerLimits) -> Mesh {
    let credentials = credentials(authority, node);
    let (cluster, drive, release) = (CLUSTER, drive(node), "test".to_owned());
    Mesh::new(MeshOptions { node, cluster, drive, release, credentials, book, limits }).expect("a mesh")
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !holds() {
        assert!(Instant::now() < deadline, "it never came: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_come_back_with_their_own_answers() {
    let cluster = Cluster::start(handlers()).await;
    assert_eq!(cluster.call(Method::READ_INDEX, Vec::new()).await.expect("answers"), "Node(NodeId(1))");
    let calls = (0..500_u32).map(|number| {
        let method = if number % 2 == 0 { Method::PROPOSE } else { Method::CHUNK_APPEND };
        let pieces = vec![Bytes::from(number.to_string()), Bytes::from(vec![b'x'; (number * 37 % 70_000) as usize])];
        let (expected, call) = (pieces.concat(), cluster.call(method, pieces));
        async move { (call.await.expect("answers"), expected) }
    });
    for (answer, expected) in join_all(calls).await {
        assert_eq!(answer, expected);
    }
    let error = cluster.call(Method::GROUP_STATUS, Vec::new()).await.expect_err("fails");
    assert_eq!(error.kind(), ErrorKind::NotLeader);
    assert!(error.to_string().contains("somebody else leads"), "{error}");
    assert_eq!(cluster.call(Method::VIEW_GET, Vec::new()).await.expect_err("none").kind(), ErrorKind::NotFound);
    until("a round trip", || cluster.anna.round_trip(BERTA).is_some()).await;
    println!("round trip {:?}", cluster.anna.round_trip(BERTA));
}

/// On one thread: nothing of a lane can be sent while the next call is put into it.
#[tokio::test]
async fn the_largest_payload_goes_through_and_a_larger_one_is_refused_before_it_is_sent() {
    let cluster = Cluster::start(handlers()).await;
    let largest = Bytes::from(vec![7; FRAME_BYTES_MAX - 11]);
    assert_eq!(cluster.call(Method::CHUNK_APPEND, vec![largest.clone()]).await.expect("goes through"), largest);
    let larger = vec![largest, Bytes::from_static(b"1")];
    let refused = cluster.call(Method::CHUNK_APPEND, larger).await.expect_err("too large");
    assert_eq!(refused.kind(), ErrorKind::Internal);
    let much = || vec![Bytes::from(vec![0; 16 * 1024 * 1024])];
    // Three times a lane's room in one go, without a moment to send any of it.
    let calls: Vec<_> = (0..24).map(|_| cluster.anna.call(BERTA, Method::CHUNK_APPEND, much(), 12 * LIMIT)).collect();
    let outcomes = join_all(calls).await;
    let refused: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err().map(Error::kind)).collect();
    assert!(!refused.is_empty() && refused.iter().all(|kind| *kind == ErrorKind::Overloaded), "{refused:?}");
    assert!(cluster.echoes().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn control_calls_are_handled_in_the_order_in_which_they_were_made() {
    let (seen, mut order) = mpsc::unbounded_channel();
    let record = move |_: Caller, payload: Bytes| -> BoxFuture<'static, Result<Payload>> {
        seen.send(payload).expect("the test listens");
        async { Ok(Vec::new()) }.boxed()
    };
    let cluster = Cluster::start(Handlers::new().with(Method::RAFT_APPEND, record)).await;
    let call = |number: u32| {
        let payload = vec![Bytes::copy_from_slice(&number.to_be_bytes())];
        cluster.anna.call(BERTA, Method::RAFT_APPEND, payload, LIMIT)
    };
    let calls: Vec<_> = (0..500).map(call).collect();
    for done in join_all(calls.into_iter().rev()).await {
        done.expect("is handled");
    }
    for number in 0..500_u32 {
        assert_eq!(order.recv().await.expect("came"), number.to_be_bytes()[..]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_shows_no_certificate_gets_no_answer() {
    let cluster = Cluster::start(handlers()).await;
    // Without TLS at all.
    let mut plain = TcpStream::connect(&cluster.berta_address).await.expect("connects");
    plain.write_all(b"GET / HTTP/1.1\r\nHost: berta\r\n\r\n").await.expect("writes");
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(LIMIT, plain.read_to_end(&mut answer)).await.expect("is closed");
    assert!(!answer.starts_with(b"HTTP") && answer.len() < 16, "an alert at most: {answer:?}");
    // With TLS, without a certificate.
    let mut roots = rustls::RootCertStore::empty();
    roots.add(cluster.authority.certificate().to_vec().into()).expect("a root");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tcp = TcpStream::connect(&cluster.berta_address).await.expect("connects");
    let name = tls::server_name(BERTA, CLUSTER).expect("a name");
    let mut tls = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, tcp).await.expect("TLS 1.3 begins");
    let hello = Hello::new(CLUSTER, ANNA, drive(ANNA), Class::Control, "test");
    let frame = Outgoing::hello(&onggi_storage_engine::format::Record::to_bytes(&hello));
    let _ = tls.write_all(&[&frame.front[..], &frame.payload.concat()].concat()).await;
    let mut answer = Vec::new();
    let ended = tokio::time::timeout(LIMIT, tls.read_to_end(&mut answer)).await.expect("is closed");
    assert!(ended.is_err() && answer.is_empty(), "{answer:?}");
    assert!(cluster.echoes().await, "others are served");
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_of_another_authority_are_refused_on_both_sides() {
    let cluster = Cluster::start(handlers()).await;
    let hello = || Hello::new(CLUSTER, ANNA, drive(ANNA), Class::Control, "test");
    let foreign = authority(CLUSTER);
    let theirs = credentials(&foreign, ANNA);
    let refused = cluster.dial(theirs.clone(), hello()).await.err().expect("the client refuses the server");
    assert!(refused.to_string().contains("invalid peer certificate"), "{refused}");
    let trusting = PeerCredentials { authority: cluster.authority.certificate().clone(), ..theirs };
    assert!(cluster.dial(trusting, hello()).await.is_err(), "the server refuses the client");
    // Of the same authority, with a name of another cluster: cannot be issued, but would be refused.
    let mut other = credentials(&authority([9; 16]), ANNA);
    other.authority = cluster.authority.certificate().clone();
    assert!(cluster.dial(other, hello()).await.is_err());
    assert!(cluster.echoes().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_certificate_with_a_wrong_hello_is_refused_and_told_why() {
    let cluster = Cluster::start(handlers()).await;
    let anna = || credentials(&cluster.authority, ANNA);
    let hello = Hello::new(CLUSTER, ANNA, drive(ANNA), Class::Control, "test");
    for (wrong, why) in [
        (Hello { drive: [99; 16], ..hello.clone() }, "another drive"),
        (Hello { node: BERTA, ..hello.clone() }, "its certificate says node 1"),
        (Hello { cluster: [9; 16], ..hello.clone() }, "another cluster"),
        (Hello { protocol_min: 2, protocol_max: 9, ..hello.clone() }, "protocols"),
    ] {
        let refused = cluster.dial(anna(), wrong).await.err().expect("refused");
        assert!(refused.kind() == ErrorKind::Unavailable && refused.to_string().contains(why), "{refused}");
    }
    let stranger = NodeId(77);
    let hello = Hello::new(CLUSTER, stranger, drive(stranger), Class::Control, "test");
    let refused = cluster.dial(credentials(&cluster.authority, stranger), hello).await.err().expect("refused");
    assert!(refused.to_string().contains("no member"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_on_another_drive_is_not_called() {
    let cluster = Cluster::start(handlers()).await;
    let entry = PeerEntry { address: cluster.berta_address.clone(), drive: [99; 16] };
    let book = AddressBook::new(BTreeMap::from([(BERTA, entry)]));
    let anna = mesh(&cluster.authority, ANNA, book);
    let refused = anna.call(BERTA, Method::PROPOSE, Vec::new(), LIMIT).await.expect_err("not the node on record");
    assert!(refused.kind() == ErrorKind::Unavailable && refused.to_string().contains("another drive"), "{refused}");
    assert!(!anna.is_up(BERTA));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invited_node_may_join_and_nothing_else() {
    let cluster = Cluster::start(handlers()).await;
    let now = SystemClock.unix_ms();
    let token = TokenId([5; 16]);
    let credentials = cluster.authority.issue_join(token, now, now + 60_000).expect("issues");
    let call =
        |address, credentials| InvitedCall { address, cluster: CLUSTER, credentials, drive: [7; 16], release: "test" };
    let address = cluster.berta_address.as_str();
    let answer = call(address, &credentials).join(Vec::new(), LIMIT).await.expect("answers");
    assert_eq!(answer, format!("{:?}", Caller::Join(token)));

    let hello = Hello::new(CLUSTER, NodeId(0), [7; 16], Class::Control, "test");
    let Dialed { mut reader, mut writer, .. } = cluster.dial(credentials.clone(), hello).await.expect("is let in");
    writer.send(&Outgoing::request(1, Method::PROPOSE, Vec::new())).await.expect("writes");
    let answer = reader.next(FRAME_BYTES_MAX).await.expect("reads");
    assert!(matches!(answer, Some(Frame::Failure { call: 1, kind: ErrorKind::Conflict, .. })), "{answer:?}");

    // It believes members of its own cluster's authority only.
    let mut misled = credentials.clone();
    misled.authority = authority(CLUSTER).certificate().clone();
    assert_eq!(
        call(address, &misled).join(Vec::new(), LIMIT).await.expect_err("refuses").kind(),
        ErrorKind::Unavailable
    );
    let expired = cluster.authority.issue_join(token, now - 7_200_000, now - 3_600_000).expect("issues");
    assert!(call(address, &expired).join(Vec::new(), LIMIT).await.is_err(), "an invitation ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_belong_ends_its_connection_and_no_other() {
    let cluster = Cluster::start(handlers()).await;
    let frames: [&[u8]; 5] = [
        b"\xff\xff\xff\xff",
        b"\0\0\0\x09\x09\0\0\0\0\0\0\0\0",
        b"\0\0\0\x01\x01",
        b"\0\0\0\x09\x02\0\0\0\0\0\0\0\x05",
        b"GET / HTTP/1.1\r\n\r\n",
    ];
    for garbage in frames {
        let Dialed { mut reader, mut writer, .. } = cluster.dial_as_anna(Class::Control).await;
        let frame = Outgoing { front: Bytes::copy_from_slice(garbage), payload: Vec::new() };
        writer.send(&frame).await.expect("writes");
        let end = tokio::time::timeout(LIMIT, reader.next(FRAME_BYTES_MAX)).await.expect("is closed");
        assert!(matches!(end, Ok(None) | Err(_)), "{end:?}");
    }
    // A large call on a connection for small ones.
    let Dialed { mut reader, mut writer, .. } = cluster.dial_as_anna(Class::Control).await;
    writer.send(&Outgoing::request(1, Method::CHUNK_APPEND, Vec::new())).await.expect("writes");
    let answer = reader.next(FRAME_BYTES_MAX).await.expect("reads");
    assert!(matches!(answer, Some(Frame::Failure { call: 1, kind: ErrorKind::Conflict, .. })), "{answer:?}");
    assert!(cluster.echoes().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_say_nothing_or_stop_in_a_frame_are_closed() {
    let cluster = Cluster::start(handlers()).await;
    // As many as may be opening at a time, and none of them goes on.
    let mut silent = Vec::new();
    for _ in 0..super::limits::HANDSHAKES_MAX {
        silent.push(TcpStream::connect(&cluster.berta_address).await.expect("connects"));
    }
    let start = Instant::now();
    let mut answer = Vec::new();
    for mut connection in silent {
        tokio::time::timeout(LIMIT, connection.read_to_end(&mut answer)).await.expect("is closed").expect("reads");
    }
    assert!(answer.is_empty() && start.elapsed() < 3 * quick().handshake, "{:?}", start.elapsed());
    assert!(cluster.echoes().await, "others are let in again");
    let Dialed { mut reader, mut writer, .. } = cluster.dial_as_anna(Class::Bulk).await;
    let half = Outgoing { front: Bytes::from_static(b"\0\0\x10\0\x01\0\0\0"), payload: Vec::new() };
    writer.send(&half).await.expect("writes");
    let end = tokio::time::timeout(LIMIT, reader.next(FRAME_BYTES_MAX)).await.expect("is closed");
    assert!(matches!(end, Ok(None) | Err(_)), "{end:?}");
    assert!(cluster.echoes().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_reads_no_answers_is_not_worked_for_without_bound() {
    let (working, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (at_work, most_at_work) = (working.clone(), most.clone());
    let large = handler(move |_, _| {
        let (working, most) = (at_work.clone(), most_at_work.clone());
        async move {
            most.fetch_max(working.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(20)).await;
            working.fetch_sub(1, Ordering::SeqCst);
            Ok(vec![Bytes::from(vec![0; 4 * 1024 * 1024])])
        }
    });
    let cluster = Cluster::start(handlers().with(Method::CHUNK_READ, large)).await;
    let Dialed { reader, mut writer, .. } = cluster.dial_as_anna(Class::Bulk).await;
    let mut sent = 0_u64;
    let start = Instant::now();
    // Until the other side has had enough: it writes an answer that is not taken, and gives up.
    while writer.send(&Outgoing::request(sent + 1, Method::CHUNK_READ, Vec::new())).await.is_ok() {
        sent += 1;
        assert!(start.elapsed() < LIMIT, "the connection is still open");
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
    drop(reader);
    assert!(sent > BULK_REQUESTS_MAX as u64);
    assert!(most.load(Ordering::SeqCst) <= BULK_REQUESTS_MAX, "{most:?} at a time");
    assert!(cluster.echoes().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn chunks_do_not_hold_up_heartbeats() {
    let cluster = Arc::new(Cluster::start(handlers()).await);
    assert!(cluster.echoes().await);
    let chunk = Bytes::from(vec![1; 4 * 1024 * 1024]);
    let streams: Vec<_> = (0..8)
        .map(|_| {
            let (cluster, chunk) = (cluster.clone(), chunk.clone());
            tokio::spawn(async move {
                for _ in 0..12 {
                    cluster.call(Method::CHUNK_APPEND, vec![chunk.clone()]).await.expect("goes through");
                }
            })
        })
        .collect();
    let mut slowest = Duration::ZERO;
    let start = Instant::now();
    while !streams.iter().all(|stream| stream.is_finished()) {
        let sent = Instant::now();
        assert!(cluster.echoes().await);
        slowest = slowest.max(sent.elapsed());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    println!("384 MiB there and back in {:?}, the slowest control call took {slowest:?}", start.elapsed());
    for stream in streams {
        stream.await.expect("ends");
    }
    assert!(slowest < Duration::from_millis(400), "{slowest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_stops_is_down_and_up_again_when_it_serves_again() {
    let mut cluster = Cluster::start(handlers()).await;
    assert!(cluster.anna.is_up(BERTA) && cluster.echoes().await);
    cluster.stop_berta.cancel();
    until("it counts as down", || !cluster.anna.is_up(BERTA)).await;
    let start = Instant::now();
    let refused = cluster.call(Method::PROPOSE, Vec::new()).await.expect_err("nobody is there");
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
    assert!(start.elapsed() < Duration::from_secs(1), "at once");
    let listener = TcpListener::bind(&cluster.berta_address).await.expect("binds again");
    cluster.serve_berta(listener, handlers());
    until("it is back", || cluster.anna.is_up(BERTA)).await;
    assert!(cluster.echoes().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_down_for_long_is_found_though_nobody_calls_it() {
    let mut cluster = Cluster::start(handlers()).await;
    let limits = PeerLimits { idle: Duration::from_millis(200), ..quick() };
    let anna = mesh_with(&cluster.authority, ANNA, cluster.book.clone(), limits);
    tokio::spawn(anna.clone().run(CancellationToken::new()));
    anna.call(BERTA, Method::PROPOSE, Vec::new(), LIMIT).await.expect("answers");
    cluster.stop_berta.cancel();
    until("it counts as down", || !anna.is_up(BERTA)).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let listener = TcpListener::bind(&cluster.berta_address).await.expect("binds again");
    cluster.serve_berta(listener, handlers());
    until("it is back", || anna.is_up(BERTA)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_connects_again_and_again_loses_its_oldest_connections_only() {
    let cluster = Cluster::start(handlers()).await;
    let mut connections = Vec::new();
    for _ in 0..20 {
        connections.push(cluster.dial_as_anna(Class::Control).await);
    }
    let mut open = 0;
    for Dialed { mut reader, mut writer, .. } in connections {
        let asked = writer.send(&Outgoing::request(1, Method::PING, Vec::new())).await;
        let answer = reader.next(FRAME_BYTES_MAX).await;
        if asked.is_ok() && matches!(answer, Ok(Some(Frame::Response { .. }))) {
            open += 1;
        } else {
            assert_eq!(open, 0, "the newest ones stay");
        }
    }
    assert!((5..20).contains(&open), "{open} stayed");
    assert!(cluster.echoes().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_works_on_when_it_stops_is_still_answered() {
    let slow = handler(|_, payload| async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        Ok(vec![payload])
    });
    let cluster = Cluster::start(Handlers::new().with(Method::READ_INDEX, slow)).await;
    let call = cluster.anna.call(BERTA, Method::READ_INDEX, vec![Bytes::from_static(b"last")], LIMIT);
    let call = tokio::spawn(call);
    tokio::time::sleep(Duration::from_millis(100)).await;
    cluster.stop_berta.cancel();
    assert_eq!(call.await.expect("ends").expect("is answered"), "last");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_taken_off_the_book_is_cut_off() {
    let cluster = Cluster::start(handlers()).await;
    let Dialed { mut reader, .. } = cluster.dial_as_anna(Class::Control).await;
    let entry = cluster.book.get(BERTA).expect("is there");
    cluster.book.replace(BTreeMap::from([(BERTA, entry)]));
    let end = tokio::time::timeout(LIMIT, reader.next(FRAME_BYTES_MAX)).await.expect("is closed");
    assert!(matches!(end, Ok(Some(Frame::Goodbye) | None) | Err(_)), "{end:?}");
    until("calls are refused, too", || cluster.call(Method::PROPOSE, Vec::new()).now_or_never().is_some()).await;
}

/// Between Anna and Berta: passes bytes on, or swallows them.
async fn proxy(to: String) -> (String, watch::Sender<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let address = listener.local_addr().expect("address").to_string();
    let (open, is_open) = watch::channel(true);
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let Ok(far) = TcpStream::connect(&to).await else { continue };
            let (near_read, near_write) = near.into_split();
            let (far_read, far_write) = far.into_split();
            for (mut read, mut write) in [(near_read, far_write), (far_read, near_write)] {
                let mut is_open = is_open.clone();
                tokio::spawn(async move {
                    let mut buffer = vec![0; 64 * 1024];
                    while let Ok(bytes @ 1..) = read.read(&mut buffer).await {
                        let _ = is_open.wait_for(|open| *open).await;
                        if write.write_all(&buffer[..bytes]).await.is_err() {
                            return;
                        }
                    }
                });
            }
        }
    });
    (address, open)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_falls_silent_is_noticed_and_found_again() {
    let cluster = Cluster::start(handlers()).await;
    let (address, open) = proxy(cluster.berta_address.clone()).await;
    let book = AddressBook::new(BTreeMap::from([(BERTA, PeerEntry { address, drive: drive(BERTA) })]));
    let anna = mesh(&cluster.authority, ANNA, book);
    tokio::spawn(anna.clone().run(CancellationToken::new()));
    let call = |limit| anna.call(BERTA, Method::PROPOSE, Vec::new(), limit);
    call(LIMIT).await.expect("answers");
    open.send(false).expect("the proxy runs");
    let start = Instant::now();
    let outcome = call(LIMIT).await.expect_err("no answer comes");
    assert_eq!(outcome.kind(), ErrorKind::OutcomeUnknown, "it was sent");
    assert!(start.elapsed() < Duration::from_secs(2), "long before its limit: {:?}", start.elapsed());
    assert!(!anna.is_up(BERTA));
    let unsent = call(Duration::from_millis(50)).await.expect_err("no connection");
    assert_eq!(unsent.kind(), ErrorKind::Unavailable, "it was not sent");
    open.send(true).expect("the proxy runs");
    until("it is back", || anna.is_up(BERTA)).await;
    call(LIMIT).await.expect("answers");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_node_is_told_so_and_an_unknown_one_may_try_again() {
    let cluster = Cluster::start(handlers()).await;
    let berta = BTreeMap::from([(BERTA, cluster.book.get(BERTA).expect("is there"))]);
    cluster.book.replace(berta);
    assert_eq!(cluster.call(Method::PROPOSE, Vec::new()).await.expect_err("unknown").kind(), ErrorKind::Unavailable);
    assert!(cluster.anna.dismissed().now_or_never().is_none());
    cluster.book.set_removed(BTreeSet::from([ANNA]));
    let why = tokio::time::timeout(LIMIT, async {
        let told = cluster.anna.dismissed();
        tokio::pin!(told);
        loop {
            let _refused = cluster.call(Method::PROPOSE, Vec::new()).await;
            if let Ok(why) = tokio::time::timeout(Duration::from_millis(20), &mut told).await {
                return why;
            }
        }
    });
    let why = why.await.expect("is told");
    assert!(why.contains("node 1 was removed from the cluster"), "{why}");
}
