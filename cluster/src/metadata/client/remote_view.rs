//! Remote view: one consistent state of a group, read on a node that holds it.
//! Owns: fetching records in pages. Only for groups that this node does not hold; every read is a round trip.

use std::ops::{ControlFlow, Range};
use std::time::Duration;

use bytes::Bytes;
use onggi_storage_engine::env::wait_for;
use onggi_storage_engine::format::Record;
use tokio::runtime::Handle;

use super::routing::Routing;
use super::wire::{CloseViewRequest, GetAnswer, GetRequest, OpenViewAnswer, OpenViewRequest, ScanAnswer, ScanRequest};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{GroupId, NodeId, OwnerKey};
use crate::metadata::view::{MetadataView, Visit};
use crate::peer::{Method, Peers};

const CALL_TIME_MAX: Duration = Duration::from_secs(2);
/// Most scans of a query look at one record; listings go on, so pages grow.
const PAGE_PAIRS_MIN: u64 = 16;
const PAGE_PAIRS_MAX: u64 = 1024;

pub(super) struct RemoteView {
    peers: Peers,
    node: NodeId,
    view: u64,
    runtime: Handle,
}

impl RemoteView {
    /// On the leader if it is known, else on any node that holds the group: each of them makes sure that its state is new enough.
    pub async fn open(routing: &Routing, group: GroupId, owner: Option<OwnerKey>, attempt: u32) -> Result<Self> {
        let Some(node) = routing.leader(group, attempt) else {
            return Err(Error::new(ErrorKind::Unavailable, format!("nobody is known to hold group {}", group.0)));
        };
        let request = vec![OpenViewRequest { group, owner }.to_bytes()];
        let answer = routing.peers.call(node, Method::VIEW_OPEN, request, CALL_TIME_MAX).await.map_err(|error| {
            routing.heard_of_leader(group, None);
            Error::caused_by(ErrorKind::Unavailable, format!("read group {} on node {}", group.0, node.0), error)
        })?;
        let view = OpenViewAnswer::from_bytes(&answer)?.view;
        Ok(Self { peers: routing.peers.clone(), node, view, runtime: Handle::current() })
    }

    /// Blocking, as every read of a view may be.
    fn call<A: Record>(&self, method: Method, request: &impl Record) -> Result<A> {
        let call = self.peers.call(self.node, method, vec![request.to_bytes()], CALL_TIME_MAX);
        let answer = wait_for(&self.runtime, call).map_err(|error| {
            Error::caused_by(ErrorKind::Unavailable, format!("read on node {}", self.node.0), error)
        })?;
        Ok(A::from_bytes(&answer)?)
    }

    fn walk(&self, range: Range<&[u8]>, reverse: bool, visit: Visit<'_>) -> Result<()> {
        let (mut from, mut to) = (range.start.to_vec(), range.end.to_vec());
        let mut pairs_max = PAGE_PAIRS_MIN;
        while from < to {
            let request = ScanRequest { view: self.view, from: from.clone(), to: to.clone(), reverse, pairs_max };
            let page: ScanAnswer = self.call(Method::VIEW_SCAN, &request)?;
            for pair in &page.pairs {
                if visit(&pair.key, &pair.value).is_break() {
                    return Ok(());
                }
            }
            let Some(last) = page.pairs.last().filter(|_| page.more) else { return Ok(()) };
            if reverse {
                to = last.key.clone();
            } else {
                // The least key behind the last one.
                from = [&last.key[..], &[0]].concat();
            }
            pairs_max = (pairs_max * 4).min(PAGE_PAIRS_MAX);
        }
        Ok(())
    }
}

impl MetadataView for RemoteView {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>> {
        let answer: GetAnswer = self.call(Method::VIEW_GET, &GetRequest { view: self.view, key: key.to_vec() })?;
        Ok(answer.value.map(Bytes::from))
    }

    fn scan(&self, range: Range<&[u8]>, visit: Visit<'_>) -> Result<()> {
        self.walk(range, false, visit)
    }

    fn scan_reverse(&self, range: Range<&[u8]>, visit: Visit<'_>) -> Result<()> {
        self.walk(range, true, visit)
    }
}

impl Drop for RemoteView {
    fn drop(&mut self) {
        let request = vec![CloseViewRequest { view: self.view }.to_bytes()];
        let close = self.peers.call(self.node, Method::VIEW_CLOSE, request, CALL_TIME_MAX);
        // A view that is not closed is forgotten there after a while.
        drop(self.runtime.spawn(close));
    }
}

/// What `VIEW_SCAN` answers with, on the node that holds the view.
pub(super) fn page(view: &dyn MetadataView, request: &ScanRequest, bytes_max: usize) -> Result<ScanAnswer> {
    let mut answer = ScanAnswer { pairs: Vec::new(), more: false };
    let mut bytes = 0;
    let pairs_max = request.pairs_max.min(PAGE_PAIRS_MAX) as usize;
    let mut take = |key: &[u8], value: &[u8]| {
        if answer.pairs.len() >= pairs_max || bytes >= bytes_max {
            answer.more = true;
            return ControlFlow::Break(());
        }
        bytes += key.len() + value.len();
        answer.pairs.push(super::wire::Pair { key: key.to_vec(), value: value.to_vec() });
        ControlFlow::Continue(())
    };
    let range = &request.from[..]..&request.to[..];
    if request.reverse {
        view.scan_reverse(range, &mut take)?
    } else {
        view.scan(range, &mut take)?
    }
    Ok(answer)
}
