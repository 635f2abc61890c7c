//! Linger: after a refusal, the client may still be sending the body. Closing at once would reset the connection, and the reset
//! overtakes the answer: the client would see a broken pipe instead of the reason.
//! Owns: for how long, and how much, is read and dropped before the close.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Sleep, sleep};

/// Time for a client to notice the answer; it holds one connection, no memory.
const LINGER_MAX: Duration = Duration::from_secs(2);
/// More than clients have in flight when they see the answer; a longer body is cut off.
const LINGER_BYTES_MAX: usize = 16 << 20;

pub struct Linger {
    end: Pin<Box<Sleep>>,
    bytes_left: usize,
}

impl Linger {
    /// Begins when our side of the connection is shut down.
    pub fn begin() -> Self {
        Self { end: Box::pin(sleep(LINGER_MAX)), bytes_left: LINGER_BYTES_MAX }
    }

    /// Ready when the client closed its side too, or a bound is reached.
    pub fn poll<S: AsyncRead + Unpin>(&mut self, stream: &mut S, cx: &mut Context<'_>) -> Poll<()> {
        let mut space = [0; 16 << 10];
        while self.bytes_left > 0 && self.end.as_mut().poll(cx).is_pending() {
            let mut buffer = ReadBuf::new(&mut space);
            match Pin::new(&mut *stream).poll_read(cx, &mut buffer) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    self.bytes_left = self.bytes_left.saturating_sub(buffer.filled().len());
                }
                Poll::Ready(_) => break,
            }
        }
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::AsyncWriteExt;

    use super::*;

    async fn finish<S: AsyncRead + Unpin>(stream: &mut S) -> usize {
        let mut linger = Linger::begin();
        poll_fn(|cx| linger.poll(stream, cx)).await;
        LINGER_BYTES_MAX - linger.bytes_left
    }

    #[tokio::test]
    async fn ends_when_the_client_has_sent_all() {
        let (mut client, mut server) = tokio::io::duplex(1 << 20);
        client.write_all(&[0; 300_000]).await.unwrap();
        drop(client);
        assert_eq!(finish(&mut server).await, 300_000);
    }

    #[tokio::test]
    async fn a_client_that_never_stops_is_cut_off() {
        let (mut client, mut server) = tokio::io::duplex(1 << 16);
        let sender = tokio::spawn(async move { while client.write_all(&[0; 1 << 16]).await.is_ok() {} });
        assert_eq!(finish(&mut server).await, LINGER_BYTES_MAX);
        drop(server);
        sender.await.unwrap();
    }

    #[tokio::test]
    async fn a_client_that_is_silent_is_not_waited_for_long() {
        let (_client, mut server) = tokio::io::duplex(1);
        assert_eq!(finish(&mut server).await, 0);
    }
}
