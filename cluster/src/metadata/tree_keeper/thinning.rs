//! Thinning: which old revisions stay: all of a day, then one an hour, after a month one a day, after a year one a month.
//! Pure. A revision that is kept, or has a label, stays for ever; heads are never asked about.
//! Invariant: what one pass leaves, the next pass a moment later leaves too.

use crate::id::EntryId;
use crate::metadata::record::tree::RevisionRecord;

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;
const MONTH_MS: u64 = 30 * DAY_MS;
const YEAR_MS: u64 = 365 * DAY_MS;

/// Goes over the revisions of all files, by file and then newest first.
pub(super) struct Thinning {
    now_ms: u64,
    /// The file and the span of time that have their revision already.
    taken: Option<(EntryId, Span)>,
}

/// Of one hour, day or month of the calendar of unix time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    length_ms: u64,
    number: u64,
}

impl Thinning {
    pub(super) fn new(now_ms: u64) -> Self {
        Self { now_ms, taken: None }
    }

    pub(super) fn keeps(&mut self, entry: EntryId, revision: &RevisionRecord) -> bool {
        let Some(length_ms) = span_at(self.now_ms.saturating_sub(revision.modified_ms)) else {
            return true;
        };
        if revision.keep || !revision.label.is_empty() {
            return true;
        }
        let span = Span { length_ms, number: revision.modified_ms / length_ms };
        let is_taken = self.taken == Some((entry, span));
        self.taken = Some((entry, span));
        !is_taken
    }
}

/// How long a span is of which one revision stays, at an age.
fn span_at(age_ms: u64) -> Option<u64> {
    match age_ms {
        0..DAY_MS => None,
        DAY_MS..MONTH_MS => Some(HOUR_MS),
        MONTH_MS..YEAR_MS => Some(DAY_MS),
        _ => Some(MONTH_MS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::record::tree::{Author, RevisionReason};
    use crate::metadata::record::{Content, ETag, ObjectHeaders};

    fn revision(modified_ms: u64, label: &str) -> RevisionRecord {
        RevisionRecord {
            rev: 1,
            bytes: 0,
            content: Content::Empty,
            etag: ETag { md5: [0; 16], parts: None },
            checksum: None,
            content_hash: None,
            headers: ObjectHeaders::default(),
            tags: Vec::new(),
            modified_ms,
            client_modified_ms: None,
            author: Author { user: crate::id::UserId(1), device: String::new() },
            reason: RevisionReason::Upload,
            keep: false,
            label: label.to_owned(),
        }
    }

    /// Ages of what stays, in hours, of one revision every 20 minutes for two months and one a day for three years.
    fn kept(now_ms: u64, ages_ms: &[u64]) -> Vec<u64> {
        let mut thinning = Thinning::new(now_ms);
        let keeps = |age_ms: &&u64| thinning.keeps(EntryId(7), &revision(now_ms - **age_ms, ""));
        ages_ms.iter().filter(keeps).copied().collect()
    }

    #[test]
    fn a_day_whole_then_hours_days_and_months() {
        let now_ms = 20_000 * DAY_MS;
        let often: Vec<u64> = (1..=60 * 72).map(|step| step * 20 * 60_000).collect();
        let seldom: Vec<u64> = (61..=1_100).map(|days| days * DAY_MS).collect();
        let ages: Vec<u64> = often.into_iter().chain(seldom).collect();
        let kept = kept(now_ms, &ages);
        let between = |from: u64, to: u64| kept.iter().filter(|age| (from..to).contains(*age)).count();
        assert_eq!(between(0, DAY_MS), 71, "every one of the last day");
        assert_eq!(
            between(DAY_MS, MONTH_MS),
            29 * 24 + 1,
            "one an hour, and that of a day ago begins an hour of its own"
        );
        assert_eq!(between(MONTH_MS, YEAR_MS), 335);
        assert_eq!(between(YEAR_MS, 1_101 * DAY_MS), 25);
    }

    #[test]
    fn what_is_left_stays_left() {
        let now_ms = 20_000 * DAY_MS;
        let ages: Vec<u64> = (1..=60 * 72).map(|step| step * 20 * 60_000).collect();
        let once = kept(now_ms, &ages);
        assert_eq!(kept(now_ms, &once), once);
    }

    #[test]
    fn files_do_not_share_spans_and_labels_stay() {
        let now_ms = 20_000 * DAY_MS;
        let mut thinning = Thinning::new(now_ms);
        let old = revision(now_ms - 2 * DAY_MS, "");
        assert!(thinning.keeps(EntryId(1), &old));
        assert!(!thinning.keeps(EntryId(1), &old));
        assert!(thinning.keeps(EntryId(1), &revision(now_ms - 2 * DAY_MS, "draft 3")));
        assert!(thinning.keeps(EntryId(1), &RevisionRecord { keep: true, ..old.clone() }));
        assert!(!thinning.keeps(EntryId(1), &old));
        assert!(thinning.keeps(EntryId(2), &old));
    }
}
