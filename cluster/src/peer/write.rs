//! Write: takes frames off a queue and puts them on a connection, many small ones in one packet.
//! Owns: when to flush: whenever the queue is empty, so nothing waits for a timer and a burst shares its packets.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt, BufWriter};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::frame::Outgoing;

/// Four records of TLS.
const BUFFER_BYTES: usize = 64 * 1024;

/// What stands in the queue of a connection.
pub trait Queued {
    /// `None`: need not be written any more.
    fn to_write(self) -> Option<Outgoing>;
}

pub struct FrameWriter<W> {
    io: BufWriter<W>,
    /// A frame that is not taken within this breaks the connection.
    stall: Duration,
}

impl<W: AsyncWrite + Unpin> FrameWriter<W> {
    pub fn new(io: W, stall: Duration) -> Self {
        Self { io: BufWriter::with_capacity(BUFFER_BYTES, io), stall }
    }

    /// Writes one frame and what is in the queue behind it.
    pub async fn drain<Q: Queued>(&mut self, first: Q, queue: &mut mpsc::Receiver<Q>) -> io::Result<()> {
        let mut next = Some(first);
        while let Some(queued) = next {
            if let Some(frame) = queued.to_write() {
                timeout(self.stall, self.write(&frame)).await??;
            }
            next = queue.try_recv().ok();
        }
        timeout(self.stall, self.io.flush()).await?
    }

    pub async fn send(&mut self, frame: &Outgoing) -> io::Result<()> {
        timeout(self.stall, self.write(frame)).await??;
        timeout(self.stall, self.io.flush()).await?
    }

    /// Says the end of the connection.
    pub async fn close(&mut self) -> io::Result<()> {
        timeout(self.stall, self.io.shutdown()).await?
    }

    async fn write(&mut self, frame: &Outgoing) -> io::Result<()> {
        self.io.write_all(&frame.front).await?;
        for piece in &frame.payload {
            self.io.write_all(piece).await?;
        }
        Ok(())
    }
}
