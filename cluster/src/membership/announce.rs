//! Announce: a member that starts says where it is now, before it waits for any of the others.
//! Owns: saying it until it is on record; taking it from others.
//!
//! A node that was down while its address changed gets nothing from the others, who call it where it was; and what it
//! would put on record needs them. So it calls them, whose addresses it knows, and they put it on record for it.
//! Invariant: a node speaks for itself only: whom the certificate names is whose address changes.

use std::time::Duration;

use bytes::Bytes;
use futures::future::{BoxFuture, join_all, pending};
use onggi_storage_engine::format::Record;

use super::text::{check_addresses, check_release};
use super::{Announcement, Membership};
use crate::error::{Error, ErrorKind, Result};
use crate::id::NodeId;
use crate::peer::{AddressBook, Caller, Handler, Method, Payload, Peers};

/// Reading and changing the system group, with an election before it.
const CALL_TIME_MAX: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(500);

/// Tells the others, again and again, until one of them has it on record. Returns only if the cluster does not have this node.
pub(crate) async fn announce(peers: &Peers, book: &AddressBook, node: NodeId, announcement: &Announcement) -> Error {
    let payload = announcement.to_bytes();
    loop {
        let others = book.nodes().into_iter().filter(|other| *other != node);
        let calls = others.map(|other| peers.call(other, Method::ANNOUNCE, vec![payload.clone()], CALL_TIME_MAX));
        let answers = join_all(calls).await;
        if answers.iter().any(Result::is_ok) {
            return pending().await;
        }
        for error in answers.into_iter().filter_map(Result::err) {
            if error.kind() == ErrorKind::Conflict {
                return error;
            }
            tracing::debug!(%error, "this node's address is not on record yet");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Handler of `Method::ANNOUNCE`, on any member.
#[derive(Clone)]
pub(crate) struct AnnouncementService {
    membership: Membership,
    book: AddressBook,
}

impl AnnouncementService {
    pub fn new(membership: Membership, book: AddressBook) -> Self {
        Self { membership, book }
    }

    async fn take(self, node: NodeId, announcement: Announcement) -> Result<()> {
        let Announcement { drive, addresses, release } = announcement;
        check_addresses(&addresses)
            .and_then(|()| check_release(&release))
            .map_err(|problem| Error::new(ErrorKind::Conflict, problem))?;
        // First of all: to put it on record may need the node itself.
        self.book.announce(node, &addresses.peer);
        self.membership.report(node, drive, addresses, &release).await
    }
}

impl Handler for AnnouncementService {
    fn handle(&self, from: Caller, payload: Bytes) -> BoxFuture<'static, Result<Payload>> {
        let service = self.clone();
        Box::pin(async move {
            let Caller::Node(node) = from else {
                return Err(Error::new(ErrorKind::Conflict, "an invited node has no address on record"));
            };
            service.take(node, Announcement::from_bytes(&payload)?).await?;
            Ok(Payload::new())
        })
    }
}
