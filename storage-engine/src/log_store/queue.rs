//! Queue: the way of changes to the writer, which is a thread; or a task, where everything runs on one thread.

use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task;

use super::request::{self, Message};
use super::writer::Writer;
use crate::env::{simulation, spawn_blocking};
use crate::error::{Context, Error, ErrorKind, Result};

/// Bounded by the room that its requests hold (`LogStore::room`).
pub(super) struct Queue {
    way: Way,
    writer: Mutex<Option<Running>>,
}

enum Way {
    ToThread(Sender<Message>),
    ToTask(UnboundedSender<Message>),
}

enum Running {
    Thread(thread::JoinHandle<()>),
    Task(task::JoinHandle<()>),
}

impl Queue {
    /// The writer ends when it is told to stop, or when the queue is dropped.
    pub fn start(writer: Writer) -> Result<Self> {
        let (way, running) = if simulation::is_on() {
            let (way, requests) = unbounded_channel();
            (Way::ToTask(way), Running::Task(tokio::spawn(writer.run_as_task(requests))))
        } else {
            let (way, requests) = mpsc::channel();
            let thread = thread::Builder::new().name("log-writer".into()).spawn(move || writer.run(&requests));
            (Way::ToThread(way), Running::Thread(thread.context("start log writer")?))
        };
        Ok(Self { way, writer: Mutex::new(Some(running)) })
    }

    pub fn send(&self, message: Message) -> Result<()> {
        let sent = match &self.way {
            Way::ToThread(way) => way.send(message).is_ok(),
            Way::ToTask(way) => way.send(message).is_ok(),
        };
        if sent { Ok(()) } else { Err(request::writer_stopped()) }
    }

    /// Waits until the writer has written what is queued and has ended. A second call does nothing.
    pub async fn stop(&self) -> Result<()> {
        // A failed send means that the writer has stopped already.
        let _ = self.send(Message::Stop);
        let running = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let ended_well = match running {
            None => true,
            Some(Running::Thread(thread)) => matches!(spawn_blocking(move || thread.join()).await, Ok(Ok(()))),
            Some(Running::Task(task)) => task.await.is_ok(),
        };
        if ended_well { Ok(()) } else { Err(Error::new(ErrorKind::Internal, "log writer panicked")) }
    }
}

/// Who drops a store without closing it gets its files back all the same: the writer, which holds the database, has ended by then. A process
/// that ended under it would take away what RocksDB keeps for the whole process.
impl Drop for Queue {
    fn drop(&mut self) {
        let _ = self.send(Message::Stop);
        let running = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        // A writer that holds the last of the store drops this itself.
        if let Some(Running::Thread(thread)) = running
            && thread.thread().id() != thread::current().id()
        {
            let _ = thread.join();
        }
    }
}
