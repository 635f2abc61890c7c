//! Brake: one device that throws away most of a tree is held until the owner says so (docs/mass-delete.md).
//! Owns: what is counted, and when it is too much.
//! Invariant: as many devices are remembered as `DEVICES_MAX`; of those that are not held the one that deleted longest ago is forgotten.

use super::trash::{deletable, into_trash};
use super::tree_draft::TreeDraft;
use crate::error::Result;
use crate::id::EntryId;
use crate::metadata::apply::Decision;
use crate::metadata::command::tree::{At, Brake};
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::query::tree as query;
use crate::metadata::record::tree::DeviceDeletes;

const DEVICES_MAX: usize = 16;
/// In which deletes are counted together.
const WINDOW_MS: u64 = 60_000;

pub(super) fn delete(
    tree: &mut TreeDraft<'_, '_>,
    at: &At,
    expected_rev: Option<u64>,
    brake: Brake,
) -> Decision<Outcome> {
    let found = deletable(tree, at, expected_rev)?;
    let mut deletes = standing(tree)?;
    if deletes.held_ms.is_some() {
        return Err(Refusal::DeviceHeld.into());
    }
    let time_ms = tree.time_ms();
    if deletes.allowed_until_ms > time_ms {
        return into_trash(tree, found);
    }
    deletes.count(query::entries_of(&found.record));
    if deletes.is_too_much(brake) {
        deletes.held_ms = Some(time_ms);
        remember(tree, deletes)?;
        return Ok(Outcome::DeviceHeld);
    }
    remember(tree, deletes)?;
    into_trash(tree, found)
}

pub(super) fn release(tree: &mut TreeDraft<'_, '_>, device: &str, allowed_until_ms: u64) -> Decision<Outcome> {
    let mut brake = query::brake(tree.bucket.draft.view(), tree.space)?;
    let known = brake.devices.iter_mut().find(|known| known.device == device).ok_or(Refusal::NoSuchDevice)?;
    *known = DeviceDeletes { allowed_until_ms, ..beginning(tree, device)? };
    tree.bucket.draft.put(tree.space.brake(), &brake);
    Ok(Outcome::Done)
}

/// What the author's device deleted in the minute that runs, or nothing in one that begins.
fn standing(tree: &TreeDraft<'_, '_>) -> Result<DeviceDeletes> {
    let beginning = beginning(tree, &tree.author.device)?;
    let known = query::brake(tree.bucket.draft.view(), tree.space)?.devices;
    let known = known.into_iter().find(|known| known.device == tree.author.device);
    Ok(match known {
        Some(known) if known.held_ms.is_some() || tree.time_ms() < known.since_ms + WINDOW_MS => known,
        Some(known) => DeviceDeletes { allowed_until_ms: known.allowed_until_ms, ..beginning },
        None => beginning,
    })
}

fn beginning(tree: &TreeDraft<'_, '_>, device: &str) -> Result<DeviceDeletes> {
    let root = query::find(tree.bucket.draft.view(), tree.space, &At::Entry(EntryId::ROOT))?;
    let totals = root.and_then(|root| root.record.folder().map(|folder| folder.totals)).unwrap_or_default();
    Ok(DeviceDeletes {
        device: device.to_owned(),
        since_ms: tree.time_ms(),
        since_seq: tree.record.seq,
        deletes: 0,
        entries: 0,
        largest: 0,
        of_entries: totals.files + totals.folders,
        held_ms: None,
        allowed_until_ms: 0,
    })
}

fn remember(tree: &mut TreeDraft<'_, '_>, deletes: DeviceDeletes) -> Result<()> {
    let mut brake = query::brake(tree.bucket.draft.view(), tree.space)?;
    brake.devices.retain(|known| known.device != deletes.device);
    if brake.devices.len() >= DEVICES_MAX {
        let oldest = brake.devices.iter().position(|known| known.held_ms.is_none()).unwrap_or(0);
        brake.devices.remove(oldest);
    }
    brake.devices.push(deletes);
    tree.bucket.draft.put(tree.space.brake(), &brake);
    Ok(())
}

impl DeviceDeletes {
    fn count(&mut self, entries: u64) {
        self.deletes += 1;
        self.entries += entries;
        self.largest = self.largest.max(entries);
    }

    /// The largest of the deletes does not count: one folder is thrown away by one hand, and is one item of the trash.
    fn is_too_much(&self, brake: Brake) -> bool {
        let counted = self.entries - self.largest;
        counted > brake.entries && counted.saturating_mul(100) > self.of_entries.saturating_mul(brake.percent)
    }
}
