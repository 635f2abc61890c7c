//! Bounds on connections and requests, the same for both listeners.

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::config::section::section;
use crate::config::setting::ByteSize;

section! {
    /// Bounds on connections and requests of each listener.
    GatewayConfig in "gateway" {
        /// Open connections; further ones wait to be accepted.
        connections_max: NonZeroUsize = at_least_one(4096);
        /// Requests worked on at once; further ones are answered 503 `SlowDown`.
        requests_max: NonZeroUsize = at_least_one(1024);
        /// Size of a request's line and headers together.
        header_bytes_max: ByteSize = ByteSize::kib(32);
        /// How long a client may take to send its headers, and to finish the TLS handshake.
        header_timeout: Duration = Duration::from_secs(20);
        /// How long a connection may stay open without a request.
        idle_timeout: Duration = Duration::from_secs(75);
        /// How long a request may go on without a byte moving in either direction.
        stall_timeout: Duration = Duration::from_secs(300);
        /// How long a node of a cluster goes on serving after SIGTERM while `/readyz` says no, so that load balancers turn to others first. A second signal ends it; a node alone does not wait.
        stop_grace: Duration = Duration::from_secs(5);
        /// How long requests in flight may take to finish after that.
        shutdown_timeout: Duration = Duration::from_secs(30);
    }
    problems: |gateway| {
        let mut problems = Vec::new();
        // hyper refuses a smaller read buffer.
        if !(ByteSize::kib(8)..=ByteSize::mib(1)).contains(&gateway.header_bytes_max) {
            problems.push("`gateway.header_bytes_max` must be between 8KiB and 1MiB".into());
        }
        for (name, value) in [
            ("header_timeout", gateway.header_timeout),
            ("idle_timeout", gateway.idle_timeout),
            ("stall_timeout", gateway.stall_timeout),
        ] {
            if value.is_zero() {
                problems.push(format!("`gateway.{name}` must not be zero: a client could hold its connection for ever"));
            }
        }
        problems
    }
}

const fn at_least_one(count: usize) -> NonZeroUsize {
    match NonZeroUsize::new(count) {
        Some(count) => count,
        None => NonZeroUsize::MIN,
    }
}
