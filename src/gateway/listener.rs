//! Listener: one bound address, from accept to drain.
//! Owns: the accept loop, the bound on open connections, the bounded end of a stop.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::config::gateway::GatewayConfig;
use crate::gateway::activity::Bounds;
use crate::gateway::connection::{self, ConnectionOptions, Service};

/// Pause after a failed accept, so that a process out of file descriptors does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

pub struct Listener {
    name: &'static str,
    socket: TcpListener,
    tls: Option<TlsAcceptor>,
    connections_max: NonZeroUsize,
    shutdown_timeout: Duration,
    options: ConnectionOptions,
}

impl Listener {
    pub async fn bind(name: &'static str, address: SocketAddr, config: &GatewayConfig) -> io::Result<Self> {
        let socket = TcpListener::bind(address).await?;
        let options = ConnectionOptions {
            header_bytes_max: usize::try_from(config.header_bytes_max.0).unwrap_or(usize::MAX),
            header_timeout: config.header_timeout,
            bounds: Bounds { idle: config.idle_timeout, stall: config.stall_timeout },
        };
        Ok(Self {
            name,
            socket,
            tls: None,
            connections_max: config.connections_max,
            shutdown_timeout: config.shutdown_timeout,
            options,
        })
    }

    /// Clients must speak TLS from now on.
    pub fn with_tls(self, config: Arc<rustls::ServerConfig>) -> Self {
        Self { tls: Some(TlsAcceptor::from(config)), ..self }
    }

    /// The port that was given out, where the configuration says 0.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Accepts until `stop`, then waits for requests in flight, at most `shutdown_timeout`.
    pub async fn run<S: Service>(self, service: S, stop: CancellationToken) {
        let permits = Arc::new(Semaphore::new(self.connections_max.get()));
        let options = Arc::new(self.options.clone());
        let mut connections = JoinSet::new();
        while let Some((stream, peer, permit)) = self.accept(&permits, &stop).await {
            while connections.try_join_next().is_some() {}
            let (tls, options, service, stop) = (self.tls.clone(), options.clone(), service.clone(), stop.clone());
            let listener = self.name;
            connections.spawn(async move {
                let _permit = permit;
                if let Err(error) = connection::serve(stream, peer, tls, &options, service, stop).await {
                    tracing::debug!(listener, %peer, %error, "connection ended early");
                }
            });
        }
        drop(self.socket);
        let drained = timeout(self.shutdown_timeout, async { while connections.join_next().await.is_some() {} }).await;
        if drained.is_err() {
            tracing::warn!(
                listener = self.name,
                connections = connections.len(),
                "requests did not finish in time, closing"
            );
            connections.shutdown().await;
        }
    }

    /// The next client, once there is room for it. `None` after a stop.
    async fn accept(
        &self,
        permits: &Arc<Semaphore>,
        stop: &CancellationToken,
    ) -> Option<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
        let permit = tokio::select! {
            permit = permits.clone().acquire_owned() => permit.ok()?,
            () = stop.cancelled() => return None,
        };
        loop {
            let accepted = tokio::select! {
                accepted = self.socket.accept() => accepted,
                () = stop.cancelled() => return None,
            };
            match accepted {
                Ok((stream, peer)) => return Some((stream, peer, permit)),
                Err(error) => {
                    tracing::warn!(listener = self.name, %error, "accept failed");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}
