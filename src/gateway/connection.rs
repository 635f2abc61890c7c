//! Connection: one client from TLS handshake to close.
//! Owns: HTTP version, protocol limits, the watch over idle and stalled clients, the graceful end.
//! Invariant: a connection ends: by itself, by a bound, or after a stop when its requests are answered.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::gateway::activity::{ActiveStream, Activity, Bounds, RequestGuard};

/// HTTP/2 streams of one client at a time: more than any SDK opens, few enough to bound its memory.
const STREAMS_MAX: u32 = 128;
/// What hyper holds of one HTTP/1 connection in each direction: bytes that were read and not taken, and pieces of a response that the client has
/// not read. Its default is 408 KiB, which a thousand slow readers would fill.
const BUFFER_BYTES_MAX: usize = 32 * 1024;
/// HTTP/1 headers of one request; hyper answers 431 beyond.
const HEADERS_MAX: usize = 200;

pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What stands behind a listener.
pub trait Service: Clone + Send + Sync + 'static {
    type Body: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static;

    /// The guard is held until the last byte of the response.
    fn call(
        &self,
        request: Request<Incoming>,
        connection: ConnectionInfo,
        guard: RequestGuard,
    ) -> impl Future<Output = Response<Self::Body>> + Send;
}

/// What a request inherits from its connection.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionInfo {
    pub peer: SocketAddr,
    pub tls: bool,
}

#[derive(Clone, Debug)]
pub struct ConnectionOptions {
    pub header_bytes_max: usize,
    pub header_timeout: Duration,
    pub bounds: Bounds,
}

/// Serves one accepted socket to its end.
pub async fn serve<S: Service>(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    options: &ConnectionOptions,
    service: S,
    stop: CancellationToken,
) -> Result<(), BoxError> {
    // Header and body of a small answer go out in two writes: without this the second waits for the client's delayed ACK.
    stream.set_nodelay(true)?;
    match tls {
        None => serve_http(stream, false, ConnectionInfo { peer, tls: false }, options, service, stop).await,
        Some(acceptor) => {
            let stream = timeout(options.header_timeout, acceptor.accept(stream)).await??;
            let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            serve_http(stream, http2, ConnectionInfo { peer, tls: true }, options, service, stop).await
        }
    }
}

async fn serve_http<S: Service, I: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    stream: I,
    http2: bool,
    info: ConnectionInfo,
    options: &ConnectionOptions,
    service: S,
    stop: CancellationToken,
) -> Result<(), BoxError> {
    let activity = Activity::new();
    let io = TokioIo::new(ActiveStream::new(stream, activity.clone()));
    let requests = activity.clone();
    let handle = service_fn(move |request: Request<Incoming>| {
        let guard = requests.begin_request();
        let (service, activity) = (service.clone(), requests.clone());
        // hyper keeps the room of this future for as long as the connection lives: in a box, an idle one does not hold it.
        Box::pin(async move {
            let has_body = !request.body().is_end_stream();
            let response = service.call(request, info, guard).await;
            if has_body && !response.status().is_success() {
                activity.refused_a_body();
            }
            Ok::<_, Infallible>(response)
        })
    });
    if http2 {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_header_list_size(u32::try_from(options.header_bytes_max).unwrap_or(u32::MAX))
            .max_concurrent_streams(STREAMS_MAX)
            .adaptive_window(true)
            .keep_alive_interval(options.bounds.idle / 2)
            .keep_alive_timeout(options.header_timeout);
        let connection = builder.serve_connection(io, handle);
        watch(connection, |running| running.graceful_shutdown(), &activity, options.bounds, stop).await
    } else {
        let mut builder = http1::Builder::new();
        builder
            // Without a timer hyper has no header timeout.
            .timer(TokioTimer::new())
            .header_read_timeout(options.header_timeout)
            .max_buf_size(BUFFER_BYTES_MAX.max(options.header_bytes_max))
            .max_header_size(options.header_bytes_max)
            .max_headers(HEADERS_MAX);
        let connection = builder.serve_connection(io, handle);
        watch(connection, |running| running.graceful_shutdown(), &activity, options.bounds, stop).await
    }
}

/// Runs a connection; closes it when it has been quiet for too long.
async fn watch<C: Future<Output = Result<(), hyper::Error>>>(
    connection: C,
    graceful_shutdown: impl Fn(Pin<&mut C>),
    activity: &Arc<Activity>,
    bounds: Bounds,
    stop: CancellationToken,
) -> Result<(), BoxError> {
    let mut connection = pin!(connection);
    let mut stopping = false;
    let mut check =
        interval((bounds.idle.min(bounds.stall) / 4).clamp(Duration::from_millis(50), Duration::from_secs(5)));
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            ended = connection.as_mut() => return ended.map_err(BoxError::from),
            () = stop.cancelled(), if !stopping => {
                stopping = true;
                graceful_shutdown(connection.as_mut());
                check = interval(Duration::from_millis(50));
            }
            _ = check.tick() => {
                if activity.expired(bounds, stopping) {
                    return Ok(());
                }
            }
        }
    }
}
