//! Door: a node as clients see it, and whether it is worth asking.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;

/// To a node that is up: it answers before long, or it is gone.
const CONNECT_MAX: Duration = Duration::from_millis(500);
/// For so long others are asked first after one gave no answer, as a load balancer does it.
const AVOIDED_FOR: Duration = Duration::from_secs(2);

pub struct Door {
    pub number: usize,
    /// `host:port`
    pub address: String,
    begun: Instant,
    avoided_until_ms: AtomicU64,
}

impl Door {
    pub fn new(number: usize, address: String) -> Self {
        Self { number, address, begun: Instant::now(), avoided_until_ms: AtomicU64::new(0) }
    }

    /// Nothing is sent to a node that takes no connections, so nothing is unknown.
    pub async fn is_open(&self) -> bool {
        let connected = tokio::time::timeout(CONNECT_MAX, TcpStream::connect(&self.address)).await;
        connected.is_ok_and(|connected| connected.is_ok())
    }

    pub fn is_avoided(&self) -> bool {
        self.now_ms() < self.avoided_until_ms.load(Ordering::Relaxed)
    }

    pub fn gave_no_answer(&self) {
        self.avoided_until_ms.store(self.now_ms() + AVOIDED_FOR.as_millis() as u64, Ordering::Relaxed);
    }

    fn now_ms(&self) -> u64 {
        self.begun.elapsed().as_millis() as u64
    }
}
