//! Lane: calls to one peer over one connection, which is opened when it is needed and kept.
//! Owns: the queue of calls, connecting and its backoff, reading answers.
//! Does not own: which lane a call takes (`mesh`), what is known of the peer (`health`).
//! Invariant: calls are sent in the order in which they were made. A call that was not sent when a connection broke is sent on the
//! next one, never twice.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::Instant;

use super::dial::{Dialed, DialedReader, DialedWriter};
use super::frame::{FRAME_BYTES_MAX, Frame, Outgoing};
use super::health::Health;
use super::limits::{BYTES_QUEUED_MAX, CALLS_QUEUED_MAX, PeerLimits};
use super::pending::{Pending, Waiting};
use super::seldom::Seldom;
use super::write::Queued;
use super::{Class, Method, Payload};
use crate::error::{Error, ErrorKind, Result};

const ROOM_UNIT_BYTES: usize = 1024;

/// Makes the lane's connections.
pub trait Connect: Send + Sync + 'static {
    fn connect(&self) -> BoxFuture<'_, Result<Dialed>>;
}

/// Ends when it is dropped.
pub struct Lane {
    queue: mpsc::Sender<QueuedCall>,
    shared: Arc<Shared>,
    room: Arc<Semaphore>,
}

struct Shared {
    pending: Arc<Pending>,
    /// While an attempt to connect has failed lately: until when calls are refused, and why.
    refusal: Mutex<Option<(Instant, Arc<str>)>>,
    /// The connection is to be given up.
    suspect: Notify,
    heard: Mutex<Instant>,
    health: Arc<Health>,
    class: Class,
}

/// A call on its way.
pub struct LaneCall {
    waiting: Waiting,
    shared: Arc<Shared>,
}

struct QueuedCall {
    call: u64,
    frame: Outgoing,
    pending: Arc<Pending>,
    _room: OwnedSemaphorePermit,
}

impl Queued for QueuedCall {
    fn to_write(self) -> Option<Outgoing> {
        self.pending.begin_sending(self.call).then_some(self.frame)
    }
}

impl Lane {
    pub fn open(connect: impl Connect, class: Class, health: Arc<Health>, limits: PeerLimits) -> Self {
        let (queue, calls) = mpsc::channel(CALLS_QUEUED_MAX);
        let (pending, refusal, suspect) = (Arc::default(), Mutex::new(None), Notify::new());
        let heard = Mutex::new(Instant::now());
        let shared = Arc::new(Shared { pending, refusal, suspect, heard, health, class });
        let backoff = limits.backoff_min;
        let task = LaneTask { connect, calls, shared: shared.clone(), limits, backoff, log: Seldom::default() };
        tokio::spawn(task.run());
        Self { queue, shared, room: Arc::new(Semaphore::new(BYTES_QUEUED_MAX / ROOM_UNIT_BYTES)) }
    }

    /// In the queue when this returns.
    pub fn call(&self, method: Method, payload: Payload) -> Result<LaneCall> {
        self.shared.check_refusal()?;
        let bytes = super::payload_bytes(&payload);
        let overloaded = || Error::new(ErrorKind::Overloaded, "too much waits for the connection");
        let units = u32::try_from(bytes.div_ceil(ROOM_UNIT_BYTES)).unwrap_or(u32::MAX);
        let room = self.room.clone().try_acquire_many_owned(units).map_err(|_| overloaded())?;
        let waiting = self.shared.pending.add(bytes).ok_or_else(overloaded)?;
        let frame = Outgoing::request(waiting.call, method, payload);
        if frame.is_too_large() {
            return Err(Error::new(
                ErrorKind::Internal,
                format!("a call of {bytes} bytes: {FRAME_BYTES_MAX} are allowed"),
            ));
        }
        let queued = QueuedCall { call: waiting.call, frame, pending: self.shared.pending.clone(), _room: room };
        self.queue.try_send(queued).map_err(|_| overloaded())?;
        Ok(LaneCall { waiting, shared: self.shared.clone() })
    }

    pub fn load(&self) -> usize {
        self.shared.pending.load()
    }

    /// The peer was heard elsewhere: it is worth trying again.
    pub fn forget_refusal(&self) {
        *self.shared.refusal.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Nothing comes from the other side: the connection, if there is one, is given up, and what was sent on it fails.
    pub fn give_up_connection(&self) {
        self.shared.suspect.notify_waiters();
    }
}

impl LaneCall {
    pub async fn answer(self, limit: Duration) -> Result<Bytes> {
        let answer = self.waiting.answer(limit).await;
        let unanswered = answer.as_ref().is_err_and(|error| error.kind() == ErrorKind::OutcomeUnknown);
        // Nothing at all came while this call waited: the connection is dead, and others should not wait for it.
        if unanswered && self.shared.silence() >= limit {
            self.shared.suspect.notify_waiters();
        }
        answer
    }
}

impl Shared {
    fn check_refusal(&self) -> Result<()> {
        let refusal = self.refusal.lock().unwrap_or_else(PoisonError::into_inner);
        match &*refusal {
            Some((until, why)) if Instant::now() < *until => Err(Error::new(ErrorKind::Unavailable, &**why)),
            _ => Ok(()),
        }
    }

    fn heard(&self) {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.health.heard();
    }

    fn silence(&self) -> Duration {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    fn refuse_until(&self, until: Instant, why: &str) {
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some((until, why.into()));
    }
}

struct LaneTask<C> {
    connect: C,
    calls: mpsc::Receiver<QueuedCall>,
    shared: Arc<Shared>,
    limits: PeerLimits,
    backoff: Duration,
    log: Seldom,
}

impl<C: Connect> LaneTask<C> {
    async fn run(mut self) {
        while let Some(first) = self.calls.recv().await {
            match self.connect.connect().await {
                Ok(dialed) => {
                    self.backoff = self.limits.backoff_min;
                    self.shared.heard();
                    let why = self.serve(dialed, first).await;
                    self.shared.pending.connection_broke(&why);
                }
                Err(error) => self.refuse_all(first, &error),
            }
        }
    }

    /// Until the connection ends; says why.
    async fn serve(&mut self, dialed: Dialed, first: QueuedCall) -> String {
        let Dialed { mut reader, mut writer, hello: _ } = dialed;
        let shared = self.shared.clone();
        let given_up = shared.suspect.notified();
        let ended = tokio::select! {
            biased;
            ended = write_calls(&mut writer, first, &mut self.calls, &shared, self.limits.idle) => ended,
            ended = read_answers(&mut reader, &shared) => ended,
            () = given_up => return "nothing came from the other side".to_owned(),
        };
        match ended {
            Ok(()) => {
                // Only a courtesy: the other side sees the end of the connection in any case.
                let _ = writer.close().await;
                "the connection was closed".to_owned()
            }
            Err(error) => format!("the connection broke: {error}"),
        }
    }

    fn refuse_all(&mut self, first: QueuedCall, error: &Error) {
        let why = error.to_string();
        if self.shared.class == Class::Control {
            self.shared.health.went_down(&why);
        }
        self.log.log(|skipped| tracing::warn!(%error, skipped, "a node cannot be reached"));
        let jitter = rand::random_range(0.0..0.5);
        self.shared.refuse_until(Instant::now() + self.backoff.mul_f64(1.0 + jitter), &why);
        self.backoff = (self.backoff * 2).min(self.limits.backoff_max);
        let mut next = Some(first);
        while let Some(queued) = next {
            self.shared.pending.refuse(queued.call, &why);
            next = self.calls.try_recv().ok();
        }
    }
}

/// Ends without an error when there was nothing to send for long, or the lane was dropped.
async fn write_calls(
    writer: &mut DialedWriter,
    first: QueuedCall,
    calls: &mut mpsc::Receiver<QueuedCall>,
    shared: &Shared,
    idle: Duration,
) -> std::io::Result<()> {
    let mut next = first;
    loop {
        writer.drain(next, calls).await?;
        next = loop {
            match tokio::time::timeout(idle, calls.recv()).await {
                Ok(Some(call)) => break call,
                Ok(None) => return Ok(()),
                Err(_) if shared.pending.is_empty() => return Ok(()),
                Err(_) => {}
            }
        };
    }
}

async fn read_answers(reader: &mut DialedReader, shared: &Shared) -> std::io::Result<()> {
    loop {
        let frame = reader.next(FRAME_BYTES_MAX).await?;
        shared.heard();
        match frame {
            Some(Frame::Response { call, payload }) => shared.pending.answer(call, Ok(payload)),
            Some(Frame::Failure { call: 0, text, .. }) => return Err(std::io::Error::other(text)),
            Some(Frame::Failure { call, kind, text }) => shared.pending.answer(call, Err(Error::new(kind, text))),
            Some(Frame::Goodbye) | None => return Err(std::io::ErrorKind::ConnectionAborted.into()),
            Some(Frame::Hello(_) | Frame::Request { .. }) => {
                return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, "a frame that does not belong here"));
            }
        }
    }
}
