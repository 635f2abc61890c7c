//! Link: calls of one class from one node to another, in order.

use bytes::Bytes;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::{Network, UpNode, Way};
use crate::error::{Error, Result};
use crate::id::NodeId;
use crate::peer::{Caller, Method, concatenate};

/// As a real connection: more are refused as `Overloaded`.
const CALLS_QUEUED_MAX: usize = 1024;

pub struct Parcel {
    pub arrives: Instant,
    pub method: Method,
    pub payload: Bytes,
    pub answer: oneshot::Sender<Result<Bytes>>,
}

pub struct Link {
    queue: mpsc::Sender<Parcel>,
}

impl Link {
    pub fn start(network: Network, from: NodeId, to: NodeId, callee: UpNode) -> Self {
        let (queue, parcels) = mpsc::channel(CALLS_QUEUED_MAX);
        let life = callee.life.clone();
        let deliver = deliver(network, from, to, callee, parcels);
        tokio::spawn(async move { life.run_until_cancelled_owned(deliver).await });
        Self { queue }
    }

    pub fn send(&self, parcel: Parcel) -> std::result::Result<(), TrySendError<()>> {
        self.queue.try_send(parcel).map_err(|error| match error {
            TrySendError::Full(_) => TrySendError::Full(()),
            TrySendError::Closed(_) => TrySendError::Closed(()),
        })
    }
}

/// Ends when the link is dropped: the network forgot one of its nodes.
async fn deliver(network: Network, from: NodeId, to: NodeId, callee: UpNode, mut parcels: mpsc::Receiver<Parcel>) {
    while let Some(parcel) = parcels.recv().await {
        // One that drew a shorter delay than the one before it waits behind it.
        tokio::time::sleep_until(parcel.arrives).await;
        let handled = callee.handlers.handle(Caller::Node(from), parcel.method, parcel.payload);
        let network = network.clone();
        let served = async move {
            // A real answer is bytes: of an error, only its kind and its text travel.
            let answer = handled.await.map(concatenate).map_err(|error| Error::new(error.kind(), error.to_string()));
            if let Way::After(delay) = network.way(to, from) {
                tokio::time::sleep(delay).await;
                // Nobody waits any more: the caller's limit is over.
                let _ = parcel.answer.send(answer);
            }
        };
        let life = callee.life.clone();
        tokio::spawn(async move { life.run_until_cancelled_owned(served).await });
    }
}
