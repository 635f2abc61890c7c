//! Changes of a tree: files and folders, revisions, the trash, upload sessions, share links (docs/drive-tree.md).
//! Owns: which part decides which change.
//! Invariant: `entry`, `entry_name` and `place` name each other one to one, and totals are those of a full scan.

use super::{Decision, Draft, bucket};
use crate::id::{BucketId, OwnerKey};
use crate::metadata::command::tree::TreeChange;
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::query;
use crate::metadata::record::Versioning;
use crate::metadata::record::tree::Author;
use tree_draft::TreeDraft;

mod brake;
mod copy;
mod feed;
mod finish;
mod folder;
mod link;
mod purge;
mod relocate;
mod revision;
mod rewind;
mod session;
mod stood;
mod target;
mod totals;
mod trash;
mod tree_draft;

/// A change of one tree, with what goes for all of them.
pub(super) struct Change<'c> {
    pub(super) bucket: BucketId,
    pub(super) author: &'c Author,
    pub(super) quota_bytes: Option<u64>,
    pub(super) change: &'c TreeChange,
}

pub(super) fn create(draft: &mut Draft<'_>, owner: OwnerKey, name: &str) -> Decision<Outcome> {
    let standing = query::bucket(draft.view(), owner, name)?;
    if standing.is_some_and(|bucket| bucket.versioning != Versioning::Revisions) {
        return Err(Refusal::WrongBucketKind.into());
    }
    let created = bucket::create(draft, owner, name, "", Versioning::Revisions)?;
    if let Outcome::BucketCreated { bucket } = created {
        tree_draft::found(draft, owner, bucket)?;
    }
    Ok(created)
}

pub(super) fn change(draft: &mut Draft<'_>, owner: OwnerKey, change: &Change<'_>) -> Decision<Outcome> {
    let mut tree = TreeDraft::open(draft, owner, change.bucket, change.author)?;
    let outcome = decide(&mut tree, change.change)?;
    tree.close(change.quota_bytes)?;
    Ok(outcome)
}

fn decide(tree: &mut TreeDraft<'_, '_>, change: &TreeChange) -> Decision<Outcome> {
    match change {
        TreeChange::PutFile(put) => target::put_file(tree, put),
        TreeChange::CreateFolder { path, rename } => folder::create_folder(tree, path, rename.as_ref()),
        TreeChange::Move { from, to, rename } => relocate::relocate(tree, from, to, rename.as_ref()),
        TreeChange::Copy { from, rev, to, rename } => copy::copy(tree, from, *rev, to, rename.as_ref()),
        TreeChange::Trash { at, expected_rev } => trash::trash(tree, at, *expected_rev),
        TreeChange::Untrash { trashed, to, rename } => trash::untrash(tree, *trashed, to.as_ref(), rename.as_ref()),
        TreeChange::Purge { trashed, limit } => purge::purge(tree, *trashed, *limit),
        TreeChange::Restore { entry, rev } => revision::restore(tree, *entry, *rev),
        TreeChange::MarkRevision { entry, rev, keep, label } => {
            revision::mark(tree, *entry, *rev, *keep, label.as_deref())
        }
        TreeChange::RemoveRevision { entry, rev } => revision::remove(tree, *entry, *rev),
        TreeChange::CreateSession(create) => session::create(tree, create),
        TreeChange::AppendSession(append) => session::append(tree, append),
        TreeChange::FinishSession(finish) => finish::finish_session(tree, finish),
        TreeChange::AbortSession { session } => session::abort(tree, *session),
        TreeChange::CompleteUpload(complete) => finish::complete_upload(tree, complete),
        TreeChange::CreateLink { link } => link::create(tree, link),
        TreeChange::UpdateLink { link, update } => link::update(tree, *link, update),
        TreeChange::RemoveLink { link } => link::remove(tree, *link),
        TreeChange::CountDownload { link } => link::count_download(tree, *link),
        TreeChange::TrimFeed { before_ms, limit } => feed::trim(tree, *before_ms, *limit),
        TreeChange::Delete { at, expected_rev, brake } => brake::delete(tree, at, *expected_rev, *brake),
        TreeChange::ReleaseDevice { device, allowed_until_ms } => brake::release(tree, device, *allowed_until_ms),
        TreeChange::Rewind(rewind) => rewind::rewind(tree, rewind),
    }
}
