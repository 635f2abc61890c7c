//! Activity: when bytes last moved on a connection, and how many requests it works on.
//! Owns: the rule by which an idle or stalled connection is closed.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::gateway::linger::Linger;

/// After a stop, a connection without a request gets this long for one that is on its way already.
const STOP_GRACE: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub idle: Duration,
    pub stall: Duration,
}

/// Shared by a connection's socket, its requests and its watch.
#[derive(Debug)]
pub struct Activity {
    opened: Instant,
    /// Milliseconds from `opened` to the last byte, request or end of a request.
    last_ms: AtomicU64,
    requests: AtomicUsize,
    refused_a_body: AtomicBool,
}

impl Activity {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            opened: Instant::now(),
            last_ms: AtomicU64::new(0),
            requests: AtomicUsize::new(0),
            refused_a_body: AtomicBool::new(false),
        })
    }

    /// Held from a request's headers to the last byte of its response.
    pub fn begin_request(self: &Arc<Self>) -> RequestGuard {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.touch();
        RequestGuard(self.clone())
    }

    /// A request was refused while its body may still be on its way: the close waits for it.
    pub fn refused_a_body(&self) {
        self.refused_a_body.store(true, Ordering::Relaxed);
    }

    /// Whether the connection has done nothing for longer than it may.
    pub fn expired(&self, bounds: Bounds, stopping: bool) -> bool {
        let quiet = self.opened.elapsed().saturating_sub(Duration::from_millis(self.last_ms.load(Ordering::Relaxed)));
        match self.requests.load(Ordering::Relaxed) {
            0 if stopping => quiet > STOP_GRACE.min(bounds.idle),
            0 => quiet > bounds.idle,
            _ => quiet > bounds.stall,
        }
    }

    fn touch(&self) {
        let ms = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_ms.store(ms, Ordering::Relaxed);
    }
}

#[derive(Debug)]
pub struct RequestGuard(Arc<Activity>);

impl Drop for RequestGuard {
    fn drop(&mut self) {
        self.0.touch();
        self.0.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A socket that notes every byte that moves, and lingers at its end if a body was refused.
pub struct ActiveStream<S> {
    inner: S,
    activity: Arc<Activity>,
    linger: Option<Linger>,
}

impl<S> ActiveStream<S> {
    pub fn new(inner: S, activity: Arc<Activity>) -> Self {
        Self { inner, activity, linger: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ActiveStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_read(cx, buffer);
        if polled.is_ready() {
            self.activity.touch();
        }
        polled
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for ActiveStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write(cx, bytes);
        if polled.is_ready() {
            self.activity.touch();
        }
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write_vectored(cx, slices);
        if polled.is_ready() {
            self.activity.touch();
        }
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.linger.is_none() {
            ready!(Pin::new(&mut this.inner).poll_shutdown(cx))?;
            if !this.activity.refused_a_body.load(Ordering::Relaxed) {
                return Poll::Ready(Ok(()));
            }
        }
        this.linger.get_or_insert_with(Linger::begin).poll(&mut this.inner, cx).map(Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_in_flight_moves_the_bound_from_idle_to_stall() {
        let activity = Activity::new();
        std::thread::sleep(Duration::from_millis(30));
        let bounds = Bounds { idle: Duration::from_millis(20), stall: Duration::from_secs(60) };
        assert!(activity.expired(bounds, false));
        let request = activity.begin_request();
        std::thread::sleep(Duration::from_millis(30));
        assert!(!activity.expired(bounds, false), "a request may take longer than a connection may idle");
        assert!(activity.expired(Bounds { stall: Duration::from_millis(20), ..bounds }, false));
        drop(request);
        assert!(!activity.expired(bounds, false), "the end of a request starts the idle time anew");
    }

    #[test]
    fn a_stop_closes_idle_connections_soon_but_no_request() {
        let activity = Activity::new();
        std::thread::sleep(STOP_GRACE + Duration::from_millis(50));
        let bounds = Bounds { idle: Duration::from_secs(60), stall: Duration::from_secs(60) };
        assert!(!activity.expired(bounds, false));
        assert!(activity.expired(bounds, true));
        let _request = activity.begin_request();
        assert!(!activity.expired(bounds, true));
    }
}
