//! Metadata client: how the rest of the node changes and reads replicated metadata.
//! Owns: routing by owner, request ids, retries under the same id, the bound on proposals in flight.

use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::id::{OwnerKey, UserId};
use crate::metadata::command::Change;
use crate::metadata::outcome::Outcome;
use crate::metadata::view::MetadataView;

/// Which part of the key space a read is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Users, access keys, bucket names: every node has a copy.
    System,
    Owner(OwnerKey),
}

#[derive(Clone)]
pub struct MetadataClient {
    _inner: Arc<()>,
}

impl MetadataClient {
    /// Decides a change in the owner's group (or the system group). A refusal is an `Outcome`, not an error.
    /// Runs on when the caller is dropped. `OutcomeUnknown`: it may have happened.
    pub async fn commit(&self, change: Change) -> Result<Outcome> {
        let _ = change;
        Err(Error::new(ErrorKind::Unavailable, "metadata is not started"))
    }

    /// Runs `query` on a state that contains every change acknowledged before the call. `query` may block on the disk.
    pub async fn read<T, Q>(&self, route: Route, query: Q) -> Result<T>
    where
        T: Send + 'static,
        Q: FnOnce(&dyn MetadataView) -> Result<T> + Send + 'static,
    {
        let _ = (route, query);
        Err(Error::new(ErrorKind::Unavailable, "metadata is not started"))
    }

    /// Both steps of a creation, in a task of its own: `BucketCreated`, or why not.
    pub async fn create_bucket(&self, owner: UserId, name: String, location: String) -> Result<Outcome> {
        let _ = (owner, name, location);
        Err(Error::new(ErrorKind::Unavailable, "metadata is not started"))
    }

    /// Both steps of a deletion, in a task of its own: `Done`, or why not.
    pub async fn delete_bucket(&self, owner: UserId, name: String) -> Result<Outcome> {
        let _ = (owner, name);
        Err(Error::new(ErrorKind::Unavailable, "metadata is not started"))
    }
}
