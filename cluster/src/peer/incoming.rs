//! Incoming: one connection that another node opened.
//! Owns: proving who it is, reading its requests in order, answering them in any order.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use onggi_storage_engine::format::Record;
use tokio::io::{ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_rustls::StartHandshake;
use tokio_rustls::server::TlsStream;

use super::frame::{FRAME_BYTES_MAX, Frame, FrameReader, HELLO_BYTES_MAX, Outgoing};
use super::hello::{Hello, REMOVED};
use super::limits::{BULK_REQUESTS_MAX, CONTROL_REQUESTS_MAX, FAREWELL, REQUEST_BYTES_MAX};
use super::server::{OfNode, Server};
use super::write::{FrameWriter, Queued};
use super::{Caller, Class, Method, Payload, tls};
use crate::error::{Error, ErrorKind, Result};
use crate::id::DriveId;

const UNIT_BYTES: usize = 1024;

type RequestReader = FrameReader<ReadHalf<TlsStream<TcpStream>>>;
type AnswerWriter = FrameWriter<WriteHalf<TlsStream<TcpStream>>>;

pub(super) struct Incoming {
    reader: RequestReader,
    writer: AnswerWriter,
    caller: Caller,
    class: Class,
    drive: DriveId,
    counted: Option<OfNode>,
}

impl Queued for Outgoing {
    fn to_write(self) -> Option<Outgoing> {
        Some(self)
    }
}

impl Incoming {
    /// The caller bounds the time.
    pub async fn accept(asked: StartHandshake<TcpStream>, server: &Arc<Server>) -> io::Result<Self> {
        let mesh = &server.mesh.inner;
        let tls = asked.into_stream(mesh.server_config()).await?;
        let bearer = tls::bearer(tls.get_ref().1.peer_certificates(), mesh.cluster);
        let Some(caller) = bearer else {
            return Err(io::Error::other("its certificate names no node of this cluster"));
        };
        let (read, write) = tokio::io::split(tls);
        let mut reader = FrameReader::new(read, mesh.limits.stall);
        let mut writer = FrameWriter::new(write, mesh.limits.stall);
        let admitted = match reader.next(HELLO_BYTES_MAX).await? {
            Some(Frame::Hello(record)) => admit(server, caller, &record),
            _ => Err(Refused::for_now("its first frame is no hello")),
        };
        match admitted {
            Ok((hello, counted)) => {
                writer.send(&Outgoing::hello(&mesh.hello(hello.class).to_bytes())).await?;
                let (class, drive) = (hello.class, hello.drive);
                Ok(Self { reader, writer, caller, class, drive, counted })
            }
            Err(Refused { kind, why }) => {
                writer.send(&Outgoing::failure(0, kind, &why)).await?;
                writer.close().await?;
                Err(io::Error::other(format!("{caller:?}: {why}")))
            }
        }
    }

    /// Until the other side ends it, sends what does not belong, is silent for long, or is a member no more.
    pub async fn serve(self, server: &Arc<Server>) {
        let Self { mut reader, mut writer, caller, class, drive, counted } = self;
        let requests_max = if class == Class::Control { CONTROL_REQUESTS_MAX } else { BULK_REQUESTS_MAX };
        // Room for the answer of every request that is worked on, so that no handler waits for the connection.
        let (answers, mut queue) = mpsc::channel(requests_max);
        let work = Work {
            server: server.clone(),
            caller,
            class,
            answers,
            requests: Arc::new(Semaphore::new(requests_max)),
            bytes: Arc::new(Semaphore::new(REQUEST_BYTES_MAX / UNIT_BYTES)),
        };
        let stop = server.stop.clone();
        let read = async {
            let work = work;
            tokio::select! {
                biased;
                () = stop.cancelled() => Ok(()),
                () = superseded(counted.as_ref()) => Ok(()),
                () = no_member_any_more(server, caller, drive) => Ok(()),
                ended = work.read(&mut reader) => ended,
            }
        };
        let ended = {
            // Ends when nothing is worked on any more.
            let mut write = std::pin::pin!(write_answers(&mut writer, &mut queue));
            tokio::select! {
                biased;
                ended = read => match ended {
                    Ok(()) => tokio::time::timeout(FAREWELL, write).await.unwrap_or_else(|late| Err(late.into())),
                    Err(error) => Err(error),
                },
                ended = &mut write => ended,
            }
        };
        let ended = match ended {
            Ok(()) => say_goodbye(&mut writer).await,
            Err(error) => Err(error),
        };
        if let Err(error) = ended {
            tracing::debug!(?caller, %error, "a connection of a peer ended");
        }
    }
}

async fn write_answers(writer: &mut AnswerWriter, queue: &mut mpsc::Receiver<Outgoing>) -> io::Result<()> {
    while let Some(first) = queue.recv().await {
        writer.drain(first, queue).await?;
    }
    Ok(())
}

async fn say_goodbye(writer: &mut AnswerWriter) -> io::Result<()> {
    writer.send(&Outgoing::goodbye()).await?;
    writer.close().await
}

/// Why a connection is not taken.
struct Refused {
    kind: ErrorKind,
    why: String,
}

impl Refused {
    fn for_now(why: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Conflict, why: why.into() }
    }
}

fn admit(
    server: &Arc<Server>,
    caller: Caller,
    record: &Bytes,
) -> std::result::Result<(Hello, Option<OfNode>), Refused> {
    let mesh = &server.mesh.inner;
    let hello = Hello::from_bytes(record).map_err(|error| Refused::for_now(error.to_string()))?;
    hello.check(&mesh.cluster).map_err(Refused::for_now)?;
    let Caller::Node(node) = caller else {
        return Ok((hello, None));
    };
    if hello.node != node {
        let why = format!("it says that it is node {}, its certificate says node {}", hello.node.0, node.0);
        return Err(Refused::for_now(why));
    }
    if mesh.book.is_removed(node) {
        return Err(Refused { kind: REMOVED, why: format!("node {} was removed from the cluster", node.0) });
    }
    let Some(entry) = mesh.book.get(node) else {
        return Err(Refused::for_now(format!("node {} is no member, as far as this node knows", node.0)));
    };
    if entry.drive != hello.drive {
        return Err(Refused::for_now(format!("node {} is on record with another drive: was it set up anew?", node.0)));
    }
    mesh.heard_of(node);
    Ok((hello, Some(server.count(node))))
}

/// Ends when the node has opened too many newer connections.
async fn superseded(counted: Option<&OfNode>) {
    match counted {
        Some(counted) => counted.superseded.cancelled().await,
        None => std::future::pending().await,
    }
}

/// Ends when the address book no longer has the caller on this drive.
async fn no_member_any_more(server: &Server, caller: Caller, drive: DriveId) {
    let Caller::Node(node) = caller else {
        return std::future::pending().await;
    };
    let mut book = server.mesh.inner.book.subscribe();
    // The book lives as long as the mesh.
    let _ = book.wait_for(|entries| entries.get(&node).is_none_or(|entry| entry.drive != drive)).await;
    tracing::info!(node = node.0, "the connection of a node that is no member any more is closed");
}

struct Work {
    server: Arc<Server>,
    caller: Caller,
    class: Class,
    answers: mpsc::Sender<Outgoing>,
    requests: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
}

impl Work {
    async fn read(&self, reader: &mut RequestReader) -> io::Result<()> {
        // A caller that only waits for answers sends nothing either, but such calls do not take that long.
        let idle = self.server.mesh.inner.limits.idle * 2;
        loop {
            let frame = tokio::time::timeout(idle, reader.next(FRAME_BYTES_MAX)).await??;
            match frame {
                Some(Frame::Request { call, method: Method::PING, .. }) => self.answer(call, Ok(Vec::new())).await,
                Some(Frame::Request { call, method, payload }) => self.begin(call, method, payload).await,
                Some(Frame::Goodbye) | None => return Ok(()),
                Some(Frame::Hello(_) | Frame::Response { .. } | Frame::Failure { .. }) => {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame that does not belong here"));
                }
            }
        }
    }

    /// Waits while too much is being worked on; meanwhile nothing more is read.
    async fn begin(&self, call: u64, method: Method, payload: Bytes) {
        let units = payload.len().div_ceil(UNIT_BYTES).min(REQUEST_BYTES_MAX / UNIT_BYTES);
        let room = acquire(&self.bytes, u32::try_from(units).unwrap_or(u32::MAX)).await;
        let turn = acquire(&self.requests, 1).await;
        if method.class() != self.class {
            let error = Error::new(ErrorKind::Conflict, format!("{method:?} does not belong on this connection"));
            return self.answer(call, Err(error)).await;
        }
        // Before the next request is looked at, as handlers may rely on.
        let handled = self.server.handlers.handle(self.caller, method, payload);
        let answers = self.answers.clone();
        let work = async move {
            let answer = handled.await;
            drop(room);
            // The connection may be gone.
            let _ = answers.send(to_frame(call, method, answer)).await;
            drop(turn);
        };
        tokio::spawn(work);
    }

    async fn answer(&self, call: u64, answer: Result<Payload>) {
        // Fails only when the connection is gone.
        let _ = self.answers.send(to_frame(call, Method::PING, answer)).await;
    }
}

fn to_frame(call: u64, method: Method, answer: Result<Payload>) -> Outgoing {
    match answer {
        Ok(payload) => {
            let frame = Outgoing::response(call, payload);
            if frame.is_too_large() {
                let text = format!("the answer to {method:?} has {} bytes", frame.bytes());
                return Outgoing::failure(call, ErrorKind::Internal, &text);
            }
            frame
        }
        Err(error) => Outgoing::failure(call, error.kind(), &error.to_string()),
    }
}

async fn acquire(semaphore: &Arc<Semaphore>, units: u32) -> Option<OwnedSemaphorePermit> {
    // They are never closed.
    semaphore.clone().acquire_many_owned(units).await.ok()
}
