//! Node: the composition root. Engine, cluster, services, APIs, gateway: started in this order, stopped in the other.
//! Owns: who knows whom; nobody else wires parts together.

mod addresses;
mod engine_metrics;
mod first_start;
mod identity;
mod join;
mod master_key;
mod member;
mod options;
mod peers;
mod registration;
mod renewal;
mod system;
mod welcome;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use onggi_cluster::id::NodeId;
use onggi_cluster::metadata::secret_box::{MasterKey, SecretBox};
use onggi_cluster::peer::Mesh;
use onggi_cluster::{Cluster, MembershipOptions};
use onggi_storage_engine::StorageEngine;
use onggi_storage_engine::env::Environment;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::admin_api::AdminApi;
use crate::admin_api::system::System;
use crate::config::Config;
use crate::gateway::front::Front;
use crate::gateway::listener::Listener;
use crate::gateway::tls::{CertificateSource, Certificates, LocalAuthority, authority_path};
use crate::gateway::web::Web;
use crate::node::addresses::Bound;
use crate::node::engine_metrics::EngineMetrics;
use crate::node::first_start::RootKey;
use crate::node::identity::Established;
use crate::node::peers::{OpenPeers, PeerPort};
use crate::node::registration::Registration;
use crate::node::renewal::Renewal;
use crate::node::system::NodeSystem;
use crate::node::welcome::Welcome;
use crate::observability::metrics::Metrics;
use crate::s3_api::S3Api;
use crate::services::{Secret, Services};

pub struct Node {
    cluster: Cluster,
    peers: Part,
    apis: Apis,
}

/// What clients and operators reach.
struct Apis {
    system: Arc<NodeSystem>,
    s3: Part,
    web: Part,
    welcome: Welcome,
}

/// Bound, not accepting yet: clients that come early wait for the node to be ready.
struct Listeners {
    s3: Listener,
    web: Listener,
}

/// Tasks that stop together.
struct Part {
    stop: CancellationToken,
    tasks: JoinSet<&'static str>,
}

impl Node {
    /// Returns when every API answers.
    pub async fn start(config: Config, join_token: Option<Secret>) -> Result<Self> {
        let data_dir = config.node.data_dir.clone();
        // Before the drive is touched: an address that is taken is the most common mistake.
        let listeners = Listeners {
            s3: bind("s3", config.s3.listen, &config).await?,
            web: bind("web", config.web.listen, &config).await?,
        };
        let peer_port = PeerPort::bind(config.cluster.peer_listen).await?;
        let bound = Bound { peer: peer_port.address()?, web: listeners.web.address()?, s3: listeners.s3.address()? };
        member::join_if_asked(&config, bound, join_token.as_ref()).await?;
        let engine = StorageEngine::open(options::engine(&config), Environment::real())
            .await
            .with_context(|| format!("open the data directory {}", data_dir.display()))?;
        let master_key = master_key::load_or_create(&data_dir)?;
        let established = member::establish(&data_dir, &engine, &master_key)?;
        let options = options::cluster(&config, &established.identity);
        let member = MembershipOptions {
            cluster: established.identity.cluster,
            master_key: master_key.clone(),
            founder: established.identity.node == NodeId::FOUNDER,
        };
        let OpenPeers { network, mesh, part: peers } = peer_port.open(&data_dir, &established)?;
        let cluster = Cluster::start_member(options, engine, network, member).await.context("start the cluster")?;
        match Self::start_apis(&config, listeners, cluster.clone(), mesh, master_key, bound, established).await {
            Ok(apis) => Ok(Self { cluster, peers, apis }),
            Err(error) => {
                cluster.stop().await;
                peers.stop().await;
                Err(error)
            }
        }
    }

    async fn start_apis(
        config: &Config,
        listeners: Listeners,
        cluster: Cluster,
        mesh: Mesh,
        master_key: MasterKey,
        bound: Bound,
        established: Established,
    ) -> Result<Apis> {
        let data_dir = &config.node.data_dir;
        let secret_box = SecretBox::new(&master_key.0);
        let membership = cluster.membership().context("a node is a member of its cluster")?.clone();
        let services = Services::new(cluster.metadata(), cluster.data(), secret_box, membership.clone());
        let root_key = first_start::prepare(&services.identity, &config.cluster.name, data_dir).await?;

        let certificates = Certificates::load(certificate_source(config)?)?;
        let tls = certificates.server_config()?;
        let s3_listener = if config.s3.tls { listeners.s3.with_tls(tls.clone()) } else { listeners.s3 };
        let web_listener = listeners.web.with_tls(tls);
        let welcome = welcome(config, &s3_listener, &web_listener, root_key)?;
        let node = member::describe(config, bound, established.identity.drive);
        let renewal = Renewal::new(data_dir, membership.clone(), mesh);
        let registration = Registration::new(membership, established, node, renewal);
        registration.first_attempt().await?;

        let cluster_name = services.identity.cluster_name().await.context("read the cluster's name")?;
        let system = Arc::new(NodeSystem::new(cluster.clone(), cluster_name, data_dir.clone()));
        let metrics = Arc::new(Metrics::new(vec![Box::new(EngineMetrics::new(cluster.clone()))]));
        let requests_max = config.gateway.requests_max;
        let s3_api = S3Api::new(services.clone(), options::s3(config));
        let admin_api = AdminApi::new(services, system.clone() as Arc<dyn System>);
        let web_api = Web::new(admin_api, system.clone(), metrics.clone());

        let mut web = Part::new();
        web.spawn("certificates", |stop| async move {
            if let Err(error) = certificates.watch(stop).await {
                tracing::error!(%error, "SIGHUP cannot be waited for");
            }
        });
        web.spawn("registration", |stop| registration.run(stop));
        let front = Front::new(web_api, requests_max, metrics.clone());
        web.spawn("web listener", |stop| web_listener.run(front, stop));
        let mut s3 = Part::new();
        let front = Front::new(s3_api, requests_max, metrics);
        s3.spawn("s3 listener", |stop| s3_listener.run(front, stop));
        Ok(Apis { system, s3, web, welcome })
    }

    /// Tells whoever started the process that it is ready, on standard output.
    pub fn announce(&self, welcome: bool) {
        if welcome {
            println!("{}", self.apis.welcome.text());
        } else if let Some(credentials) = self.apis.welcome.first_credentials() {
            println!("{credentials}");
        }
        println!("{}", self.apis.welcome.ready_line());
    }

    /// Waits for a part to end that should not.
    pub async fn failed(&mut self) -> anyhow::Error {
        let ended = tokio::select! {
            Some(ended) = self.apis.s3.tasks.join_next() => ended,
            Some(ended) = self.apis.web.tasks.join_next() => ended,
            Some(ended) = self.peers.tasks.join_next() => ended,
        };
        match ended {
            Ok(name) => anyhow!("the {name} ended by itself"),
            Err(error) => anyhow!(error).context("a part of the node failed"),
        }
    }

    /// Not ready first, then requests in flight, then the stores, which say goodbye to their peers.
    pub async fn stop(self) {
        let Apis { system, s3, web, .. } = self.apis;
        system.begin_stop();
        s3.stop().await;
        web.stop().await;
        self.cluster.stop().await;
        self.peers.stop().await;
        tracing::info!("stopped");
    }
}

impl Part {
    fn new() -> Self {
        Self { stop: CancellationToken::new(), tasks: JoinSet::new() }
    }

    fn spawn<F: Future<Output = ()> + Send + 'static>(
        &mut self,
        name: &'static str,
        run: impl FnOnce(CancellationToken) -> F,
    ) {
        let running = run(self.stop.clone());
        self.tasks.spawn(async move {
            running.await;
            name
        });
    }

    async fn stop(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a part of the node did not end cleanly");
            }
        }
    }
}

async fn bind(name: &'static str, address: SocketAddr, config: &Config) -> Result<Listener> {
    Listener::bind(name, address, &config.gateway).await.with_context(|| {
        format!("listen on {address}: is another process using it? choose another address with --{name}-listen")
    })
}

fn welcome(config: &Config, s3: &Listener, web: &Listener, root_key: RootKey) -> Result<Welcome> {
    let local_authority = config.tls.certificate.is_none().then(|| authority_path(&config.node.data_dir));
    Ok(Welcome {
        s3: s3.address()?,
        s3_tls: config.s3.tls,
        web: web.address()?,
        data_dir: config.node.data_dir.clone(),
        authority: local_authority.map(|path| std::path::absolute(&path).unwrap_or(path)),
        credentials: root_key.credentials,
        first_start: root_key.created,
    })
}

fn certificate_source(config: &Config) -> Result<CertificateSource> {
    if let (Some(certificate), Some(private_key)) = (&config.tls.certificate, &config.tls.private_key) {
        return Ok(CertificateSource::Files { certificate: certificate.clone(), private_key: private_key.clone() });
    }
    let mut names = vec!["localhost".to_string(), "127.0.0.1".into(), "::1".into()];
    names.extend(host_name());
    let listening = [config.s3.listen.ip(), config.web.listen.ip()];
    names.extend(listening.iter().filter(|ip| !ip.is_unspecified()).map(ToString::to_string));
    names.extend(config.s3.domains.iter().flat_map(|domain| [domain.clone(), format!("*.{domain}")]));
    names.extend(config.tls.names.iter().cloned());
    names.sort();
    names.dedup();
    let authority = Box::new(LocalAuthority::open_or_create(&config.node.data_dir)?);
    Ok(CertificateSource::LocalAuthority { authority, names })
}

fn host_name() -> Option<String> {
    let name = rustix::system::uname().nodename().to_str().ok()?.to_string();
    let well_formed = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    (!name.is_empty() && name.chars().all(well_formed)).then_some(name)
}
