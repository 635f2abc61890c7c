//! Late hash: the content hash of files that came without one, made of what is stored (through S3, in parts that end anywhere).
//! Owns: what this node has computed, how many are computed at once, how long who asks waits.
//! Does not own: the hash of what comes through the drive's own doors, which is in its record (`content_hash`).
//! Invariant: what was begun is computed to its end whoever waits for it, so who asks again gets further; nothing is kept but hashes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::TryStreamExt;
use futures::future::{BoxFuture, FutureExt, Shared};
use onggi_cluster::id::{EntryId, UserId};
use onggi_cluster::metadata::command::tree::At;
use onggi_cluster::metadata::record::tree::{EntryKind, RevisionRecord};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use super::DriveService;
use super::actor::Actor;
use super::content_hash::ContentHash;
use super::entries::Entry;
use crate::services::body_hash::BodyHash;
use crate::services::error::{Error, Result};

/// Clients give up after 100 s, and try again before.
const WAIT_MAX: Duration = Duration::from_secs(20);
/// Each reads as fast as it can and takes half a core.
const COMPUTED_AT_ONCE_MAX: usize = 2;
/// Computed and to be computed, about 300 bytes each; more than a page of any listing. Past it those that are computed are forgotten, and
/// computed anew when they are asked for.
const KNOWN_MAX: usize = 20_000;

/// A revision, and what it holds, never changes.
type Key = (UserId, EntryId, u64);
/// `None`: it could not be read.
type Pending = Shared<BoxFuture<'static, Option<[u8; 32]>>>;

/// Cheap to clone.
#[derive(Clone)]
pub(super) struct LateHashes {
    known: Arc<Mutex<HashMap<Key, Pending>>>,
    turns: Arc<Semaphore>,
}

impl Default for LateHashes {
    fn default() -> Self {
        Self { known: Arc::default(), turns: Arc::new(Semaphore::new(COMPUTED_AT_ONCE_MAX)) }
    }
}

impl DriveService {
    /// Every file among `entries` gets its content hash. `HashPending`: some are not computed yet.
    pub async fn fill_content_hashes(
        &self,
        actor: &Actor,
        entries: impl IntoIterator<Item = &mut Entry>,
    ) -> Result<()> {
        let deadline = Instant::now() + WAIT_MAX;
        let mut missing = Vec::new();
        for entry in entries {
            let id = entry.record.id;
            if let EntryKind::File(file) = &mut entry.record.kind
                && file.head.content_hash.is_none()
            {
                missing.push((self.late_hash(actor, id, file.head.rev)?, &mut file.head.content_hash));
            }
        }
        for (hash, into) in missing {
            *into = Some(self.wait_for(hash, deadline).await?);
        }
        Ok(())
    }

    /// The same for one revision, the head or not.
    pub async fn fill_content_hash(&self, actor: &Actor, entry: &Entry, revision: &mut RevisionRecord) -> Result<()> {
        if revision.content_hash.is_none() {
            let hash = self.late_hash(actor, entry.record.id, revision.rev)?;
            revision.content_hash = Some(self.wait_for(hash, Instant::now() + WAIT_MAX).await?);
        }
        Ok(())
    }

    async fn wait_for(&self, hash: Pending, deadline: Instant) -> Result<[u8; 32]> {
        match timeout_at(deadline, hash).await {
            Ok(hash) => hash.ok_or(Error::Vanished),
            Err(_elapsed) => Err(Error::HashPending),
        }
    }

    /// `HashPending`: too many wait for their turn.
    fn late_hash(&self, actor: &Actor, entry: EntryId, rev: u64) -> Result<Pending> {
        let key = (actor.principal.user, entry, rev);
        let mut known = self.late_hashes.known.lock().unwrap_or_else(PoisonError::into_inner);
        match known.get(&key) {
            // One that failed is tried anew.
            Some(pending) if pending.peek() != Some(&None) => return Ok(pending.clone()),
            _ => {}
        }
        if known.len() >= KNOWN_MAX {
            known.retain(|_, pending| pending.peek().is_none());
        }
        if known.len() >= KNOWN_MAX {
            return Err(Error::HashPending);
        }
        let (service, actor) = (self.clone(), actor.clone());
        let computed = tokio::spawn(async move {
            let _turn = service.late_hashes.turns.acquire().await.ok()?;
            let hash = service.hash_stored(&actor, entry, rev).await;
            hash.inspect_err(|error| tracing::warn!(%error, entry = entry.0, rev, "content hash not computed")).ok()
        });
        let pending = computed.map(|done| done.ok().flatten()).boxed().shared();
        // Whether it is done shows only once somebody has looked.
        tokio::spawn(pending.clone());
        known.insert(key, pending.clone());
        Ok(pending)
    }

    async fn hash_stored(&self, actor: &Actor, entry: EntryId, rev: u64) -> Result<[u8; 32]> {
        let file = self.file(actor, At::Entry(entry), Some(rev)).await?;
        let mut pieces = self.read_file(&file, 0..file.revision.bytes).await?.into_pieces();
        let mut hash = BodyHash::new(ContentHash::default());
        while let Some(piece) = pieces.try_next().await.map_err(Error::Body)? {
            hash.update(piece).await?;
        }
        Ok(hash.finish().await?.finish().content_hash)
    }
}
