//! Test support: one node for all tests, and clients for it.

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use onggi::s3_api::{RequestInfo, S3Api, S3Options};
use onggi::services::identity_service::NewUser;
use onggi::services::{KeyPair, Services};
use onggi_cluster::membership::Membership;
use onggi_cluster::metadata::secret_box::MasterKey;
use onggi_cluster::{Cluster, ClusterOptions};
use onggi_storage_engine::env::Environment;
use onggi_storage_engine::{EngineOptions, StorageEngine};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::Mutex;

pub use crate::s3_client::{client_with, pattern};

const MASTER_KEY: MasterKey = MasterKey([7; 32]);

pub struct Server {
    pub address: SocketAddr,
    pub access_key: String,
    pub secret: String,
    pub other: KeyPair,
    pub services: Services,
    pub cluster: Cluster,
    _runtime: Option<OwnRuntime>,
    _directory: tempfile::TempDir,
}

impl Server {
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// The one that all tests share while any of them runs. It is closed with the last of them, and not left to the end of the process, which
/// takes away under its threads what RocksDB keeps for the whole process.
pub async fn server() -> Arc<Server> {
    static SERVER: Mutex<Weak<Server>> = Mutex::const_new(Weak::new());
    let mut known = SERVER.lock().await;
    if let Some(server) = known.upgrade() {
        return server;
    }
    // Every test has a runtime of its own, which ends before those of others.
    let runtime = Runtime::new().unwrap();
    let server = runtime.spawn(start()).await.unwrap();
    let server = Arc::new(Server { _runtime: Some(OwnRuntime(Some(runtime))), ..server });
    *known = Arc::downgrade(&server);
    server
}

/// Ends where nothing may block, too.
struct OwnRuntime(Option<Runtime>);

impl Drop for OwnRuntime {
    fn drop(&mut self) {
        let runtime = self.0.take();
        std::thread::spawn(move || drop(runtime)).join().unwrap();
    }
}

/// A client of the shared node, which it keeps.
pub struct SharedClient {
    client: Client,
    _server: Arc<Server>,
}

impl Deref for SharedClient {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// A node that no other test uses; it ends with the runtime that starts it.
pub async fn start() -> Server {
    let directory = tempfile::tempdir().unwrap();
    let engine = EngineOptions::new(directory.path().to_owned());
    let engine = StorageEngine::open(engine, Environment::real()).await.unwrap();
    let cluster = Cluster::start(ClusterOptions::default(), engine).await.unwrap();
    let membership = Membership::new([1; 16], MASTER_KEY, cluster.metadata(), Environment::real());
    let services = Services::new(cluster.metadata(), cluster.data(), &MASTER_KEY.0, membership);
    let root = KeyPair::generate();
    services.identity.initialize("test", &root).await.unwrap();
    let other = NewUser { name: "other".to_owned(), admin: false, quota_bytes: Some(50_000_000) };
    let other = services.identity.create_user(other).await.unwrap();
    let other = services.identity.create_access_key(other, "").await.unwrap();

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let api = S3Api::new(services.clone(), S3Options { domains: vec!["s3.test".to_owned()], ..S3Options::default() });
    tokio::spawn(serve(listener, api));
    let secret = root.secret.expose().to_owned();
    Server {
        address,
        access_key: root.access_key,
        secret,
        other,
        services,
        cluster,
        _runtime: None,
        _directory: directory,
    }
}

async fn serve(listener: TcpListener, api: S3Api) {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        socket.set_nodelay(true).unwrap();
        let api = api.clone();
        let service = service_fn(move |request: http::Request<Incoming>| {
            let api = api.clone();
            let id: Arc<str> = format!("{:016X}", NUMBER.fetch_add(1, Ordering::Relaxed)).into();
            let request = request.map(|body| body.map_err(Into::into).boxed());
            async move { Ok::<_, std::convert::Infallible>(api.handle(request, RequestInfo { id, tls: false }).await) }
        });
        tokio::spawn(async move {
            let _ = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(socket), service)
                .await;
        });
    }
}

pub async fn client() -> SharedClient {
    let server = server().await;
    SharedClient { client: client_with(&server.endpoint(), &server.access_key, &server.secret), _server: server }
}

pub async fn other_client() -> SharedClient {
    let server = server().await;
    let client = client_with(&server.endpoint(), &server.other.access_key, server.other.secret.expose());
    SharedClient { client, _server: server }
}

/// A client of the root user and a bucket that nobody else uses.
pub async fn test_bucket() -> (SharedClient, String) {
    let (client, bucket) = (client().await, unique("bucket"));
    client.create_bucket().bucket(&bucket).send().await.unwrap();
    (client, bucket)
}

pub fn unique(name: &str) -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    format!("{name}-{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// The `<Code>` of a failure; `ok` if it was none.
pub fn code<T, E: ProvideErrorMetadata, R>(outcome: &Result<T, SdkError<E, R>>) -> String {
    match outcome {
        Ok(_) => "ok".to_owned(),
        Err(error) => error.code().unwrap_or("none").to_owned(),
    }
}

pub fn status<T, E>(outcome: &Result<T, SdkError<E>>) -> u16 {
    match outcome {
        Ok(_) => 200,
        Err(error) => error.raw_response().map_or(0, |response| response.status().as_u16()),
    }
}
