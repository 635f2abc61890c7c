//! Node: the composition root. Drives with their engines and clusters, services, APIs, gateway: started in this order, stopped in the other.
//! Owns: who knows whom; nobody else wires parts together.

mod addresses;
mod any_node;
mod directories;
mod engine_metrics;
mod first_start;
mod host;
mod host_file;
mod identity;
mod join;
mod local_node;
mod master_key;
mod member;
mod options;
mod peers;
mod registration;
mod renewal;
mod roster;
mod system;
mod welcome;

pub use identity::identity_of;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use futures::future::join_all;
use onggi_cluster::peer::LocalNodes;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::gateway::front::Front;
use crate::gateway::listener::Listener;
use crate::gateway::tls::{CertificateSource, Certificates, LocalAuthority, authority_path};
use crate::node::addresses::Bound;
use crate::node::any_node::AnyNode;
use crate::node::engine_metrics::EngineMetrics;
use crate::node::first_start::RootKey;
use crate::node::host::{Host, HostParts};
use crate::node::options::SharedMemory;
use crate::node::peers::PeerPort;
use crate::node::roster::Roster;
use crate::node::system::HostSystem;
use crate::node::welcome::Welcome;
use crate::observability::metrics::Metrics;
use crate::services::Secret;

/// One process: a host with its drives.
pub struct Node {
    host: Host,
    peers: Part,
    apis: Apis,
    stop_grace: Duration,
}

/// A process that winds down looks this often whether anybody is left whom load balancers could turn to.
const LOOK_FOR_OTHERS: Duration = Duration::from_millis(200);
/// How long a stop may take to give the groups that are led here other leaders; it takes milliseconds.
const HAND_OVER_MAX: Duration = Duration::from_secs(2);

/// What clients and operators reach.
struct Apis {
    system: Arc<HostSystem>,
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
    /// Returns when every API answers. `replaced`: data directories whose drive is lost.
    pub async fn start(config: Config, join_token: Option<Secret>, replaced: &[PathBuf]) -> Result<Self> {
        // Before a drive is touched: an address that is taken is the most common mistake.
        let listeners = Listeners {
            s3: bind("s3", config.s3.listen, &config).await?,
            web: bind("web", config.web.listen, &config).await?,
        };
        let peer_port = PeerPort::bind(config.cluster.peer_listen).await?;
        let bound = Bound { peer: peer_port.address()?, web: listeners.web.address()?, s3: listeners.s3.address()? };
        let given: Vec<PathBuf> =
            std::iter::once(&config.node.data_dir).chain(&config.storage.more_data_dirs).cloned().collect();
        let directories = directories::sort_out(&given, replaced)?;
        if let (true, Some(first)) = (directories.members.is_empty(), directories.new.first()) {
            member::join_if_asked(&config, first, bound, join_token.as_ref()).await?;
        }
        let (nodes, roster) = (LocalNodes::default(), Roster::default());
        let system = Arc::new(HostSystem::new(roster.clone(), config.node.data_dir.clone()));
        let metrics = Arc::new(Metrics::new(vec![Box::new(EngineMetrics::new(roster.clone()))]));
        let memory = SharedMemory::new(&config);
        let peers = peer_port.listen(nodes.clone());
        let (key, system_of_host, metrics_of_host) = (OnceLock::new(), system.clone(), metrics.clone());
        let parts = HostParts {
            config: config.clone(),
            bound,
            nodes,
            memory,
            system: system_of_host,
            metrics: metrics_of_host,
            roster,
            key,
        };
        let host = match Host::start(parts, directories).await {
            Ok(host) => host,
            Err(error) => {
                peers.stop().await;
                return Err(error);
            }
        };
        match Self::start_apis(&config, listeners, &host, system, metrics).await {
            Ok(apis) => Ok(Self { host, peers, apis, stop_grace: config.gateway.stop_grace }),
            Err(error) => {
                host.stop().await;
                peers.stop().await;
                Err(error)
            }
        }
    }

    async fn start_apis(
        config: &Config,
        listeners: Listeners,
        host: &Host,
        system: Arc<HostSystem>,
        metrics: Arc<Metrics>,
    ) -> Result<Apis> {
        let (home, roster) = (host.home()?, host.roster().clone());
        let first = roster.serving().context("no drive is at work")?;
        let root_key = first_start::prepare(&first.services.identity, &config.cluster.name, &home).await?;

        let certificates = Certificates::load(certificate_source(config, &home)?)?;
        let tls = certificates.server_config()?;
        let s3_listener = if config.s3.tls { listeners.s3.with_tls(tls.clone()) } else { listeners.s3 };
        let web_listener = listeners.web.with_tls(tls);
        let welcome = welcome(config, &home, &s3_listener, &web_listener, root_key)?;
        system.set_cluster_name(first.services.identity.cluster_name().await.context("read the cluster's name")?);
        let requests_max = config.gateway.requests_max;

        let mut web = Part::new();
        web.spawn("certificates", |stop| async move {
            if let Err(error) = certificates.watch(stop).await {
                tracing::error!(%error, "SIGHUP cannot be waited for");
            }
        });
        let (watch, add) = (host.clone(), host.clone());
        web.spawn("drives", |stop| async move {
            tokio::join!(watch.watch(stop.clone()), add.add_drives(stop));
        });
        let web_api = AnyNode::new(roster.clone(), first.clone(), |node| &node.web);
        let front = Front::new(web_api, requests_max, metrics.clone());
        web.spawn("web listener", |stop| web_listener.run(front, stop));
        let mut s3 = Part::new();
        let s3_api = AnyNode::new(roster, first, |node| &node.s3);
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

    /// `/readyz` says no from here on. Returns when load balancers had time to turn to other processes, or none is up (any more).
    pub async fn wind_down(&self) {
        self.apis.system.begin_stop();
        let end = Instant::now() + self.stop_grace;
        let others_are_up = || self.host.roster().in_use().iter().any(|node| node.cluster.has_other_hosts_up());
        while others_are_up() && Instant::now() < end {
            tokio::time::sleep(LOOK_FOR_OTHERS.min(end.saturating_duration_since(Instant::now()))).await;
        }
    }

    /// Not ready first, then requests in flight, then the stores, which say goodbye to their peers.
    pub async fn stop(self) {
        let Apis { system, s3, web, .. } = self.apis;
        system.begin_stop();
        // Before requests are refused: nobody has to wait for an election.
        join_all(self.host.roster().in_use().iter().map(|node| node.cluster.hand_over(HAND_OVER_MAX))).await;
        s3.stop().await;
        web.stop().await;
        self.host.stop().await;
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

fn welcome(config: &Config, home: &Path, s3: &Listener, web: &Listener, root_key: RootKey) -> Result<Welcome> {
    let local_authority = config.tls.certificate.is_none().then(|| authority_path(home));
    Ok(Welcome {
        s3: s3.address()?,
        s3_tls: config.s3.tls,
        web: web.address()?,
        data_dir: home.to_path_buf(),
        authority: local_authority.map(|path| std::path::absolute(&path).unwrap_or(path)),
        credentials: root_key.credentials,
        first_start: root_key.created,
    })
}

fn certificate_source(config: &Config, home: &Path) -> Result<CertificateSource> {
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
    let authority = Box::new(LocalAuthority::open_or_create(home)?);
    Ok(CertificateSource::LocalAuthority { authority, names })
}

fn host_name() -> Option<String> {
    let name = rustix::system::uname().nodename().to_str().ok()?.to_string();
    let well_formed = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    (!name.is_empty() && name.chars().all(well_formed)).then_some(name)
}
