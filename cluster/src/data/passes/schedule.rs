//! Pass schedule: which group's records are to be walked next, and what the walks have shown. Without a clock of its own.
//! Invariant: one pass of a group at a time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::data::fill_report::GroupFill;
use crate::id::GroupId;

/// From a pass that failed to the next try.
const RETRY_PAUSE: Duration = Duration::from_secs(60);
/// The same while somebody waits for the back-fill of the group.
const BACKFILL_PAUSE: Duration = Duration::from_secs(1);

/// What a replica still lacks of a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BackfillProgress {
    /// Everything that the records up to the wanted entry name is here.
    pub complete: bool,
    /// As far as the pass under way, or the last one, has seen.
    pub blobs_left: u64,
    pub bytes_left: u64,
}

/// What a pass found missing and did not bring yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    pub blobs: u64,
    pub bytes: u64,
}

pub enum PassEnd {
    /// The walk found nothing missing.
    Clean,
    /// It did, and all of that was brought. Only another walk can tell whether that was all.
    Brought,
    /// What is missing was named a moment ago, so it was left alone: nothing can be said yet.
    TooEarly,
    Failed,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct PassSchedule {
    inner: Arc<Inner>,
}

struct Inner {
    groups: Mutex<BTreeMap<GroupId, Entry>>,
    wake: Notify,
}

#[derive(Default)]
struct Entry {
    running: bool,
    /// The next pass begins at this time; at once if there is none.
    due: Option<Instant>,
    /// A back-fill is waited for: through this entry at least.
    wanted: Option<u64>,
    /// Known to be applied before the next pass begins, and before the running one began.
    applied: u64,
    running_applied: u64,
    clean_through: Option<u64>,
    left: Left,
    /// Bytes of all blobs that the last whole walk found named.
    named_bytes: Option<u64>,
}

impl PassSchedule {
    pub fn new() -> Self {
        Self { inner: Arc::new(Inner { groups: Mutex::default(), wake: Notify::new() }) }
    }

    /// A pass of the group, as soon as there is a turn.
    pub fn request(&self, group: GroupId) {
        self.lock().entry(group).or_default().due = None;
        self.inner.wake.notify_one();
    }

    /// Asks for a walk that begins behind the entry `wanted`, and gives what is known of it. `applied` is where the group stands
    /// here: before it has reached `wanted`, nothing is begun. Asking again changes nothing.
    pub fn backfill(&self, group: GroupId, applied: u64, wanted: u64) -> BackfillProgress {
        let mut groups = self.lock();
        let entry = groups.entry(group).or_default();
        let complete = entry.clean_through.is_some_and(|through| through >= wanted);
        if !complete && applied >= wanted {
            let is_new = entry.wanted != Some(wanted);
            (entry.wanted, entry.applied) = (Some(wanted), applied.max(entry.applied));
            if is_new {
                entry.due = None;
                self.inner.wake.notify_one();
            }
        }
        let Left { blobs, bytes } = entry.left;
        BackfillProgress { complete, blobs_left: blobs, bytes_left: bytes }
    }

    /// One of `groups` whose turn it is; to be given back by `ended`. Groups that are not among them are forgotten.
    pub fn take(&self, groups: &[GroupId], now: Instant) -> Option<GroupId> {
        let mut entries = self.lock();
        entries.retain(|group, entry| entry.running || groups.contains(group));
        let is_due = |entry: &Entry| !entry.running && entry.due.is_none_or(|due| due <= now);
        // Those that somebody waits for first.
        let turn = |group: &GroupId, wanted: bool, entries: &BTreeMap<GroupId, Entry>| {
            entries.get(group).map_or(!wanted, |entry| is_due(entry) && (!wanted || entry.wanted.is_some()))
        };
        let waited_for = groups.iter().find(|group| turn(group, true, &entries));
        let group = *waited_for.or_else(|| groups.iter().find(|group| turn(group, false, &entries)))?;
        let entry = entries.entry(group).or_default();
        (entry.running, entry.running_applied) = (true, entry.applied);
        Some(group)
    }

    pub fn set_left(&self, group: GroupId, left: Left) {
        if let Some(entry) = self.lock().get_mut(&group) {
            entry.left = left;
        }
    }

    /// A walk has seen all records of the group.
    pub fn walked(&self, group: GroupId, named_bytes: u64) {
        if let Some(entry) = self.lock().get_mut(&group) {
            entry.named_bytes = Some(named_bytes);
        }
    }

    /// Of each group that a walk has seen all of.
    pub fn fills(&self) -> Vec<GroupFill> {
        let fill = |(group, entry): (&GroupId, &Entry)| {
            Some(GroupFill { group: *group, named_bytes: entry.named_bytes?, missing_bytes: entry.left.bytes })
        };
        self.lock().iter().filter_map(fill).collect()
    }

    pub fn brought(&self, group: GroupId, bytes: u64) {
        if let Some(entry) = self.lock().get_mut(&group) {
            entry.left.blobs = entry.left.blobs.saturating_sub(1);
            entry.left.bytes = entry.left.bytes.saturating_sub(bytes);
        }
    }

    pub fn ended(&self, group: GroupId, end: &PassEnd, now: Instant, interval: Duration) {
        let mut groups = self.lock();
        let Some(entry) = groups.get_mut(&group) else { return };
        entry.running = false;
        if matches!(end, PassEnd::Clean) {
            entry.clean_through = Some(entry.running_applied);
            if entry.wanted.is_some_and(|wanted| wanted <= entry.running_applied) {
                entry.wanted = None;
            }
        }
        let pause = match (end, entry.wanted) {
            (PassEnd::Brought, Some(_)) => Duration::ZERO,
            (PassEnd::Clean | PassEnd::TooEarly | PassEnd::Failed, Some(_)) => BACKFILL_PAUSE,
            (PassEnd::Failed, None) => RETRY_PAUSE,
            (PassEnd::Clean | PassEnd::Brought | PassEnd::TooEarly, None) => interval,
        };
        entry.due = Some(now + pause);
        self.inner.wake.notify_one();
    }

    /// Everything missing that is known of, all groups together.
    pub fn left(&self) -> Left {
        self.lock().values().fold(Left::default(), |sum, entry| Left {
            blobs: sum.blobs + entry.left.blobs,
            bytes: sum.bytes + entry.left.bytes,
        })
    }

    /// Returns when there may be a turn.
    pub async fn changed(&self) {
        self.inner.wake.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<GroupId, Entry>> {
        self.inner.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const GROUPS: [GroupId; 2] = [GroupId(1), GroupId(2)];

    #[test]
    fn each_group_has_its_turn_and_then_the_interval() {
        let (schedule, start) = (PassSchedule::new(), Instant::now());
        assert_eq!(schedule.take(&GROUPS, start), Some(GroupId(1)));
        assert_eq!(schedule.take(&GROUPS, start), Some(GroupId(2)));
        assert_eq!(schedule.take(&GROUPS, start), None, "both are under way");
        schedule.ended(GroupId(1), &PassEnd::Clean, start, HOUR);
        schedule.ended(GroupId(2), &PassEnd::Failed, start, HOUR);
        assert_eq!(schedule.take(&GROUPS, start), None);
        assert_eq!(schedule.take(&GROUPS, start + RETRY_PAUSE), Some(GroupId(2)), "failed");
        assert_eq!(schedule.take(&GROUPS, start + HOUR), Some(GroupId(1)));
        schedule.ended(GroupId(1), &PassEnd::Clean, start, HOUR);
        schedule.request(GroupId(1));
        assert_eq!(schedule.take(&GROUPS, start), Some(GroupId(1)), "asked for");
        assert_eq!(schedule.take(&[], start), None);
    }

    #[test]
    fn a_backfill_is_complete_when_a_walk_behind_the_wanted_entry_finds_nothing() {
        let (schedule, start, group) = (PassSchedule::new(), Instant::now(), GroupId(1));
        assert_eq!(schedule.take(&[group], start), Some(group));
        assert!(!schedule.backfill(group, 5, 10).complete, "the log has not arrived");
        assert!(!schedule.backfill(group, 12, 10).complete);
        schedule.ended(group, &PassEnd::Clean, start, HOUR);
        assert!(!schedule.backfill(group, 12, 10).complete, "that walk began before");
        assert_eq!(schedule.take(&[group], start + BACKFILL_PAUSE), Some(group));
        schedule.set_left(group, Left { blobs: 2, bytes: 30 });
        schedule.brought(group, 10);
        let left = BackfillProgress { complete: false, blobs_left: 1, bytes_left: 20 };
        assert_eq!(schedule.backfill(group, 15, 10), left);
        schedule.ended(group, &PassEnd::TooEarly, start, HOUR);
        assert!(!schedule.backfill(group, 15, 10).complete, "what was just named is not known to be here");
        assert_eq!(schedule.take(&[group], start), None, "a moment later");
        assert_eq!(schedule.take(&[group], start + BACKFILL_PAUSE), Some(group));
        schedule.ended(group, &PassEnd::Brought, start, HOUR);
        assert_eq!(schedule.take(&[group], start), Some(group), "at once");
        schedule.ended(group, &PassEnd::Clean, start, HOUR);
        assert!(schedule.backfill(group, 15, 10).complete);
        assert!(schedule.backfill(group, 99, 12).complete, "behind entry 15 even");
        assert!(!schedule.backfill(group, 99, 16).complete, "it left the group and came back");
    }

    #[test]
    fn a_group_that_is_gone_is_forgotten() {
        let (schedule, start, group) = (PassSchedule::new(), Instant::now(), GroupId(1));
        schedule.backfill(group, 10, 10);
        assert_eq!(schedule.take(&[group], start), Some(group));
        schedule.ended(group, &PassEnd::Clean, start, HOUR);
        assert!(schedule.backfill(group, 10, 10).complete);
        assert_eq!(schedule.take(&[], start), None);
        assert!(!schedule.backfill(group, 10, 10).complete);
    }
}
