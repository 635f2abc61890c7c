//! Access log: one line and one count for each request, when the last byte of its answer is gone.
//! Invariant: never the query: presigned URLs carry their signature there. Never the text of a share link.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use http::{Method, Request, StatusCode};

use crate::gateway::activity::RequestGuard;
use crate::gateway::front::OperationName;
use crate::gateway::request_id::RequestId;
use crate::gateway::tracked_body::OnEnd;
use crate::observability::metrics::{Metrics, Observation};

/// Lives from a request's headers to the end of its response, also when the client goes away in between.
pub struct RequestEnd {
    api: &'static str,
    id: RequestId,
    peer: SocketAddr,
    method: Method,
    path: String,
    started: Instant,
    metrics: Arc<Metrics>,
    /// `None`: the client went away before there was an answer.
    answer: Option<(u16, &'static str)>,
    bytes_sent: u64,
    complete: bool,
    _guard: RequestGuard,
}

impl RequestEnd {
    pub fn begin<B>(
        api: &'static str,
        id: RequestId,
        peer: SocketAddr,
        request: &Request<B>,
        metrics: Arc<Metrics>,
        guard: RequestGuard,
    ) -> Self {
        metrics.request_begins(api);
        Self {
            api,
            id,
            peer,
            method: request.method().clone(),
            path: loggable(request.uri().path()),
            started: Instant::now(),
            metrics,
            answer: None,
            bytes_sent: 0,
            complete: false,
            _guard: guard,
        }
    }

    pub fn answered(&mut self, status: StatusCode, operation: Option<OperationName>) {
        self.answer = Some((status.as_u16(), operation.map_or("unknown", |name| name.0)));
    }
}

impl OnEnd for RequestEnd {
    fn ended(&mut self, bytes_sent: u64, complete: bool) {
        self.bytes_sent = bytes_sent;
        self.complete = complete;
    }
}

impl Drop for RequestEnd {
    fn drop(&mut self) {
        let elapsed = self.started.elapsed();
        let (status, operation) = self.answer.unwrap_or((CLIENT_CLOSED, "unknown"));
        self.metrics.request_ends(&Observation {
            api: self.api,
            operation,
            status,
            elapsed,
            bytes_sent: self.bytes_sent,
        });
        tracing::info!(
            target: "onggi::access",
            request_id = %self.id,
            api = self.api,
            peer = %self.peer,
            method = %self.method,
            path = self.path,
            operation,
            status,
            bytes_sent = self.bytes_sent,
            complete = self.complete,
            ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            "request"
        );
    }
}

/// A share link, and a temporary one, lets in whoever knows it.
fn loggable(path: &str) -> String {
    for prefix in ["/s/", "/t/"] {
        if let Some(rest) = path.strip_prefix(prefix) {
            return format!("{prefix}-{}", rest.find('/').map_or("", |end| &rest[end..]));
        }
    }
    path.to_owned()
}

/// Not on any wire: in logs and metrics it stands for a client that left, as nginx writes it.
const CLIENT_CLOSED: u16 = 499;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_link_is_not_logged() {
        for (path, logged) in [
            ("/s/onl_AAAA/list", "/s/-/list"),
            ("/s/onl_AAAA", "/s/-"),
            ("/t/AAAA", "/t/-"),
            ("/s/", "/s/-"),
            ("/s", "/s"),
            ("/shared", "/shared"),
            ("/bucket/s/onl_AAAA", "/bucket/s/onl_AAAA"),
        ] {
            assert_eq!(loggable(path), logged);
        }
    }
}
