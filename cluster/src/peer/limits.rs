//! Limits: what bounds connections between nodes, in time and number.

use std::time::Duration;

#[derive(Clone, Debug)]
pub struct PeerLimits {
    /// Until the other machine has answered at all: soon again, should the way to it be open again.
    pub connect: Duration,
    /// From the first byte of a connection to the hello of the other side.
    pub handshake: Duration,
    /// A connection on which nothing was asked for this long is closed.
    pub idle: Duration,
    /// A frame that has begun must be complete, and one that is written must be taken, within this: at least 0.5 MiB/s for the
    /// largest.
    pub stall: Duration,
    /// Between attempts to reach a node: doubled from the least to the most, and up to half of it more by chance.
    pub backoff_min: Duration,
    pub backoff_max: Duration,
    /// A node that was silent for this long is asked whether it is there.
    pub ping_interval: Duration,
    /// A node that was silent for this long, although it was asked, counts as down: four pings.
    pub down_after: Duration,
    /// Even while others talk to it, its round trip is measured this often.
    pub measure_interval: Duration,
}

impl Default for PeerLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(1),
            handshake: Duration::from_secs(5),
            idle: Duration::from_secs(5 * 60),
            stall: Duration::from_secs(30),
            backoff_min: Duration::from_millis(50),
            backoff_max: Duration::from_secs(2),
            ping_interval: Duration::from_millis(250),
            down_after: Duration::from_secs(1),
            measure_interval: Duration::from_secs(5),
        }
    }
}

/// Calls and bytes that wait for one connection; more are refused as `Overloaded`.
pub const CALLS_QUEUED_MAX: usize = 1024;
pub const BYTES_QUEUED_MAX: usize = 32 * 1024 * 1024;
/// Calls that one connection has sent and that are not answered; more are refused as `Overloaded`.
pub const CALLS_IN_FLIGHT_MAX: usize = 4096;
/// Connections to one peer for large payloads: enough to use several cores for encryption.
pub const BULK_CONNECTIONS: usize = 4;
/// Requests of one connection that a node works on at a time, after which it reads no more of them. Large ones are few, so
/// that their answers, up to a chunk each, fit into the memory.
pub const CONTROL_REQUESTS_MAX: usize = 1024;
pub const BULK_REQUESTS_MAX: usize = 16;
/// Bytes of the requests of one connection that a node works on at a time. Above the largest frame.
pub const REQUEST_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Connections that a node takes: this many, or so many for each member of the cluster.
pub const CONNECTIONS_MIN: usize = 64;
pub const CONNECTIONS_PER_NODE: usize = 8;
/// A node that stops waits this long for what it works on, so that its callers hear of it.
pub const FAREWELL: Duration = Duration::from_secs(1);
/// Connections that have not yet shown who they are.
pub const HANDSHAKES_MAX: usize = 64;
