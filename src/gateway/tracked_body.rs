//! Tracked body: a response body that knows when it ends and how many bytes it sent.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use hyper::body::{Body, Frame, SizeHint};

/// Told once, when the body is dropped: sent whole, failed, or abandoned by the client.
pub trait OnEnd: Unpin {
    fn ended(&mut self, bytes_sent: u64, complete: bool);
}

pub struct TrackedBody<B, E: OnEnd> {
    inner: Pin<Box<B>>,
    on_end: E,
    /// As the head declares it: then nobody asks the body for its end.
    declared: Option<u64>,
    bytes_sent: u64,
    complete: bool,
}

impl<B: Body, E: OnEnd> TrackedBody<B, E> {
    pub fn new(inner: B, declared: Option<u64>, on_end: E) -> Self {
        let complete = inner.is_end_stream();
        Self { inner: Box::pin(inner), on_end, declared, bytes_sent: 0, complete }
    }
}

impl<B: Body<Data = Bytes>, E: OnEnd> Body for TrackedBody<B, E> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let polled = self.inner.as_mut().poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                self.bytes_sent += frame.data_ref().map_or(0, |data| data.remaining() as u64);
                self.complete = self.inner.is_end_stream() || self.declared == Some(self.bytes_sent);
            }
            Poll::Ready(Some(Err(_))) => self.complete = false,
            Poll::Ready(None) => self.complete = true,
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B, E: OnEnd> Drop for TrackedBody<B, E> {
    fn drop(&mut self) {
        self.on_end.ended(self.bytes_sent, self.complete);
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::{Arc, Mutex};

    use http_body_util::{BodyExt, StreamBody};

    use super::*;

    struct Note(Arc<Mutex<Option<(u64, bool)>>>);

    impl OnEnd for Note {
        fn ended(&mut self, bytes_sent: u64, complete: bool) {
            *self.0.lock().unwrap() = Some((bytes_sent, complete));
        }
    }

    /// What is noted of a body of two pieces of 5 bytes, of which `polled` are asked for.
    async fn noted(declared: Option<u64>, polled: usize) -> (u64, bool) {
        let note = Arc::default();
        let pieces = [(); 2].map(|()| Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"hello"))));
        let mut body =
            TrackedBody::new(StreamBody::new(futures::stream::iter(pieces)), declared, Note(Arc::clone(&note)));
        for _ in 0..polled {
            let _ = body.frame().await;
        }
        drop(body);
        let noted = note.lock().unwrap().take();
        noted.unwrap()
    }

    #[tokio::test]
    async fn a_body_is_complete_at_its_end_or_at_its_declared_length() {
        assert_eq!(noted(Some(10), 1).await, (5, false));
        assert_eq!(noted(Some(10), 2).await, (10, true), "the connection asks no further");
        assert_eq!(noted(None, 2).await, (10, false), "there may be more");
        assert_eq!(noted(None, 3).await, (10, true));
    }
}
