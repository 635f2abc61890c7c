//! Unread body: a request that is refused before its body was read, or before the client sent it (`Expect: 100-continue`).
//! Owns: what becomes of the connection then. A small body that is on its way is read and dropped, and the connection goes on; any
//! other refusal ends it, announced to the client.
//! Does not own: the interim `100 Continue` (hyper sends it when the body is first read), what is still read afterwards (`linger`).
//! Invariant: no connection is used again on which a body may or may not follow. Hyper itself tries one more read for a small
//! body, would take the first bytes of the client's next request for it, and closes without a word if it finds a part only: the
//! next request of a client that keeps connections would then get no answer.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, EXPECT};
use http::{HeaderValue, Request, Response, Version};
use http_body_util::BodyExt;
use http_body_util::combinators::BoxBody;
use hyper::body::{Body, Frame, SizeHint};

use crate::gateway::connection::BoxError;

/// What an API gets of a request's body.
pub type RequestBody = BoxBody<Bytes, BoxError>;

/// A longer body costs more than the new connection that it saves.
const DRAINED_BYTES_MAX: u64 = 64 * 1024;
/// The answer waits for it.
const DRAIN_TIME_MAX: Duration = Duration::from_millis(500);

/// What is left of a request's body, once its API has dropped it.
pub struct UnreadBody<B> {
    /// `None`: nobody minds what is left.
    left: Option<Home<B>>,
    /// The client sends the body only when it is asked to, and a refusal does not ask.
    is_held_back: bool,
}

type Home<B> = Arc<Mutex<Option<B>>>;

impl<B> UnreadBody<B>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Sync + Unpin + 'static,
{
    pub fn of(request: Request<B>) -> (Request<RequestBody>, Self) {
        // HTTP/2 ends the stream of a refused request and keeps the connection.
        let one_request_at_a_time = request.version() <= Version::HTTP_11;
        if !one_request_at_a_time || request.body().is_end_stream() {
            let request = request.map(|body| body.map_err(Into::into).boxed());
            return (request, Self { left: None, is_held_back: false });
        }
        let home = Home::default();
        let unread = Self { left: Some(home.clone()), is_held_back: request.headers().contains_key(EXPECT) };
        let lend = |body| Lent { body: Some(body), home }.map_err(Into::into).boxed();
        (request.map(lend), unread)
    }

    /// A success has read the body; a refusal may have come before it.
    pub async fn settle<R>(self, response: &mut Response<R>) {
        let Some(home) = self.left.filter(|_| !response.status().is_success()) else { return };
        let left = home.lock().unwrap_or_else(PoisonError::into_inner).take();
        let is_read = match left {
            Some(body) if body.is_end_stream() => true,
            Some(body) if !self.is_held_back => drain(body).await,
            _ => false,
        };
        if !is_read {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

/// True if the body is at its end.
async fn drain<B: Body + Unpin>(body: B) -> bool {
    if body.size_hint().exact().is_none_or(|bytes| bytes > DRAINED_BYTES_MAX) {
        return false;
    }
    let all = async {
        let mut body = body;
        while let Some(frame) = body.frame().await {
            if frame.is_err() {
                return false;
            }
        }
        true
    };
    tokio::time::timeout(DRAIN_TIME_MAX, all).await.unwrap_or(false)
}

/// Goes back to where it came from when it is dropped.
struct Lent<B> {
    body: Option<B>,
    home: Home<B>,
}

impl<B: Body<Data = Bytes> + Unpin> Body for Lent<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}

impl<B> Drop for Lent<B> {
    fn drop(&mut self) {
        *self.home.lock().unwrap_or_else(PoisonError::into_inner) = self.body.take();
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http_body_util::{Full, StreamBody};

    use super::*;

    fn put<B: Body>(body: B) -> Request<B> {
        Request::put("/bucket/key").body(body).unwrap()
    }

    async fn closes<B>(request: Request<B>, status: u16) -> bool
    where
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Sync + Unpin + 'static,
    {
        let (request, unread) = UnreadBody::of(request);
        drop(request);
        let mut response = Response::builder().status(status).body(()).unwrap();
        unread.settle(&mut response).await;
        response.headers().get("connection").is_some_and(|value| value == "close")
    }

    fn of_bytes(bytes: usize) -> Full<Bytes> {
        Full::new(Bytes::from(vec![b'x'; bytes]))
    }

    #[tokio::test]
    async fn a_small_body_is_read_and_the_connection_goes_on() {
        assert!(!closes(put(of_bytes(1)), 412).await);
        assert!(!closes(put(of_bytes(DRAINED_BYTES_MAX as usize)), 503).await);
    }

    #[tokio::test]
    async fn a_refusal_of_any_other_body_ends_the_connection() {
        assert!(closes(put(of_bytes(DRAINED_BYTES_MAX as usize + 1)), 412).await);
        let mut held_back = put(of_bytes(1));
        held_back.headers_mut().insert("expect", HeaderValue::from_static("100-continue"));
        assert!(closes(held_back, 412).await);
        let of_unknown_length = futures::stream::iter([Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"x")))]);
        assert!(closes(put(StreamBody::new(of_unknown_length)), 412).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_not_waited_for() {
        struct Late;
        impl Body for Late {
            type Data = Bytes;
            type Error = Infallible;

            fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
                Poll::Pending
            }

            fn size_hint(&self) -> SizeHint {
                SizeHint::with_exact(5)
            }
        }
        assert!(closes(put(Late), 412).await);
    }

    #[tokio::test]
    async fn other_connections_are_used_again() {
        assert!(!closes(put(of_bytes(1 << 20)), 200).await);
        assert!(!closes(put(of_bytes(0)), 404).await);
        let mut http2 = put(of_bytes(1 << 20));
        *http2.version_mut() = Version::HTTP_2;
        assert!(!closes(http2, 412).await);
    }

    #[tokio::test]
    async fn a_body_that_was_read_before_the_refusal_is_no_reason() {
        let (request, unread) = UnreadBody::of(put(of_bytes(1 << 20)));
        assert_eq!(request.into_body().collect().await.unwrap().to_bytes().len(), 1 << 20);
        let mut response = Response::builder().status(400).body(()).unwrap();
        unread.settle(&mut response).await;
        assert_eq!(response.headers().get("connection"), None);
    }
}
