//! Rewind: a folder as it was at a time, step by step, for as long as a request may take (docs/drive-rewind.md).
//! Owns: the loop over all steps. Does not own: what a step does (cluster's `apply`).
//! Invariant: it may stop after any step; going on, or beginning anew, comes to the same end.

use std::time::Duration;

use onggi_cluster::id::EntryId;
use onggi_cluster::metadata::command::tree::{At, Rewind, RewindCursor, TreeChange};
use onggi_cluster::metadata::outcome::{Outcome, Refusal, RewindCounts, Rewound};
use onggi_cluster::metadata::query;
use onggi_cluster::metadata::query::tree::Preview;
use tokio::time::Instant;

use super::DriveService;
use super::actor::Actor;
use crate::services::error::{Error, Result};

/// Entries that one step looks at: some tens of milliseconds.
const STEP_ENTRIES: u32 = 200;
/// What had to be put aside to make room finds its own place in the next pass; nobody ever needed a third one.
const PASSES_MAX: u32 = 4;
/// How long one call works before it says where to go on.
const CALL_TIME: Duration = Duration::from_secs(20);

/// Where a rewind goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RewindPosition {
    /// Passes that are over.
    pub passes: u32,
    /// The one that is under way has changed something.
    pub has_changed: bool,
    pub cursor: Option<RewindCursor>,
    /// Of a preview: entries that will have left the folders that go away.
    pub leaving: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rewinding {
    /// Of this call.
    pub counts: RewindCounts,
    /// None: the folder is as it was.
    pub next: Option<RewindPosition>,
}

impl DriveService {
    /// What a rewind of `folder` would do.
    pub async fn preview_rewind(
        &self,
        actor: &Actor,
        folder: At,
        to_ms: u64,
        from: RewindPosition,
    ) -> Result<Rewinding> {
        let folder = self.folder(actor, folder).await?;
        let (deadline, mut at, mut counts) = (Instant::now() + CALL_TIME, from, RewindCounts::default());
        while Instant::now() < deadline {
            let rewind = Rewind { folder, to_ms, cursor: at.cursor, limit: STEP_ENTRIES };
            let step = self.read(actor, move |view, tree| query::tree::preview(view, tree, &rewind)).await?;
            let Preview { counts: mut more, leaving, next } = step.map_err(Error::Refused)?;
            at.leaving = at.leaving.saturating_add(leaving);
            let left = at.leaving.min(more.removed);
            more.removed -= left;
            at.leaving -= left;
            counts.add(more);
            at.cursor = next;
            if next.is_none() {
                return Ok(Rewinding { counts, next: None });
            }
        }
        Ok(Rewinding { counts, next: Some(at) })
    }

    pub async fn rewind(&self, actor: &Actor, folder: At, to_ms: u64, from: RewindPosition) -> Result<Rewinding> {
        let folder = self.folder(actor, folder).await?;
        let (deadline, mut at, mut counts) = (Instant::now() + CALL_TIME, from, RewindCounts::default());
        while Instant::now() < deadline {
            let rewind = Rewind { folder, to_ms, cursor: at.cursor, limit: STEP_ENTRIES };
            let Rewound { counts: more, next } = match self.change(actor, TreeChange::Rewind(rewind)).await? {
                Outcome::Rewound(rewound) => rewound,
                outcome => return Err(Error::unexpected(outcome)),
            };
            // What is gone for good is said once.
            counts.add(if at.passes == 0 { more } else { RewindCounts { lost: 0, ..more } });
            at.has_changed |= more.changes() > 0;
            at.cursor = next;
            if next.is_none() {
                at = RewindPosition { passes: at.passes + 1, cursor: None, ..at };
                if !at.has_changed || at.passes >= PASSES_MAX {
                    return Ok(Rewinding { counts, next: None });
                }
                at.has_changed = false;
            }
        }
        Ok(Rewinding { counts, next: Some(at) })
    }

    async fn folder(&self, actor: &Actor, at: At) -> Result<EntryId> {
        let record = self.entry(actor, at).await?.record;
        record.folder().ok_or(Error::Refused(Refusal::NotAFolder))?;
        Ok(record.id)
    }
}
