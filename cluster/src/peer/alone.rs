//! Alone: the network of a node that has no peers.

use std::time::Duration;

use bytes::Bytes;
use futures::future::{BoxFuture, ready};

use super::{Method, Payload, Transport};
use crate::error::{Error, ErrorKind, Result};
use crate::id::NodeId;

pub struct Alone;

impl Transport for Alone {
    fn call(&self, to: NodeId, method: Method, _: Payload, _: Duration) -> BoxFuture<'static, Result<Bytes>> {
        let context = format!("{method:?} to node {}: this node has no peers", to.0);
        Box::pin(ready(Err(Error::new(ErrorKind::Unavailable, context))))
    }

    fn is_up(&self, _node: NodeId) -> bool {
        false
    }

    fn round_trip(&self, _node: NodeId) -> Option<Duration> {
        None
    }
}
