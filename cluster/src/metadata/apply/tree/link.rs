//! Share links: made, changed, revoked, counted.

use super::tree_draft::TreeDraft;
use crate::id::LinkId;
use crate::metadata::apply::Decision;
use crate::metadata::command::tree::{At, LinkUpdate};
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::record::tree::LinkRecord;

/// Again is done already.
pub(super) fn create(tree: &mut TreeDraft<'_, '_>, link: &LinkRecord) -> Decision<Outcome> {
    tree.find(&At::Entry(link.entry))?;
    let record =
        LinkRecord { created_ms: tree.time_ms(), created_by: tree.author.clone(), downloads: 0, ..link.clone() };
    tree.bucket.draft.put(tree.space.link(link.link), &record);
    Ok(Outcome::Done)
}

pub(super) fn update(tree: &mut TreeDraft<'_, '_>, link: LinkId, update: &LinkUpdate) -> Decision<Outcome> {
    let mut record = standing(tree, link)?;
    if let Some(expires_ms) = update.expires_ms {
        record.expires_ms = expires_ms;
    }
    if let Some(password) = &update.password {
        record.password.clone_from(password);
    }
    if let Some(downloads_max) = update.downloads_max {
        record.downloads_max = downloads_max;
    }
    tree.bucket.draft.put(tree.space.link(link), &record);
    Ok(Outcome::Done)
}

pub(super) fn remove(tree: &mut TreeDraft<'_, '_>, link: LinkId) -> Decision<Outcome> {
    standing(tree, link)?;
    tree.bucket.draft.delete(tree.space.link(link));
    Ok(Outcome::Done)
}

/// Decided here, so that the last allowed download is given out once.
pub(super) fn count_download(tree: &mut TreeDraft<'_, '_>, link: LinkId) -> Decision<Outcome> {
    let mut record = standing(tree, link)?;
    let is_over = record.expires_ms.is_some_and(|expires_ms| expires_ms <= tree.time_ms());
    let is_used_up = record.downloads_max.is_some_and(|downloads_max| record.downloads >= downloads_max);
    if is_over || is_used_up {
        return Err(Refusal::LinkExpired.into());
    }
    record.downloads += 1;
    tree.bucket.draft.put(tree.space.link(link), &record);
    Ok(Outcome::Done)
}

fn standing(tree: &TreeDraft<'_, '_>, link: LinkId) -> Decision<LinkRecord> {
    Ok(tree.bucket.draft.get(&tree.space.link(link))?.ok_or(Refusal::NoSuchLink)?)
}
