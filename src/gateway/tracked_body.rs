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
    bytes_sent: u64,
    complete: bool,
}

impl<B: Body, E: OnEnd> TrackedBody<B, E> {
    pub fn new(inner: B, on_end: E) -> Self {
        let complete = inner.is_end_stream();
        Self { inner: Box::pin(inner), on_end, bytes_sent: 0, complete }
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
                self.complete = self.inner.is_end_stream();
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
