//! Rewind: whatever was done, a drive can be brought back to how it was at any time, step by step, and back from there.

use super::*;
use crate::metadata::command::tree::Rewind;
use crate::metadata::outcome::RewindCounts;
use crate::metadata::record::tree::MomentRecord;

/// Whole rewinds until one does nothing.
const PASSES_MAX: usize = 4;

impl Bed {
    /// All steps of one pass.
    fn rewind_once(&mut self, folder: EntryId, to_ms: u64, limit: u32) -> RewindCounts {
        let (mut counts, mut cursor) = (RewindCounts::default(), None);
        loop {
            let rewind = Rewind { folder, to_ms, cursor, limit };
            match self.change(TreeChange::Rewind(rewind)) {
                Outcome::Rewound(step) => {
                    counts.add(step.counts);
                    cursor = step.next;
                }
                other => panic!("{other:?}"),
            }
            self.check();
            if cursor.is_none() {
                return counts;
            }
        }
    }

    fn rewind(&mut self, folder: EntryId, to_ms: u64, limit: u32) -> RewindCounts {
        let mut counts = RewindCounts::default();
        for _ in 0..PASSES_MAX {
            let pass = self.rewind_once(folder, to_ms, limit);
            if pass.changes() == 0 {
                return RewindCounts { lost: pass.lost, ..counts };
            }
            counts.add(RewindCounts { lost: 0, ..pass });
        }
        panic!("a rewind that does not come to an end: {counts:?}");
    }

    fn preview(&self, folder: EntryId, to_ms: u64) -> RewindCounts {
        let (mut counts, mut leaving, mut cursor) = (RewindCounts::default(), 0, None);
        loop {
            let rewind = Rewind { folder, to_ms, cursor, limit: 3 };
            let step = query::preview(&self.group.records, space(), &rewind).unwrap().unwrap();
            counts.add(step.counts);
            leaving += step.leaving;
            cursor = step.next;
            if cursor.is_none() {
                return RewindCounts { removed: counts.removed - leaving, ..counts };
            }
        }
    }

    fn trash(&mut self, at: &str) -> u64 {
        match self.change(TreeChange::Trash { at: At::Path(path(at)), expected_rev: None }) {
            Outcome::EntryChanged(changed) => changed.trashed.unwrap(),
            other => panic!("{other:?}"),
        }
    }

    fn move_to(&mut self, from: &str, to: &str) {
        let outcome = self.change(TreeChange::Move { from: At::Path(path(from)), to: path(to), rename: None });
        assert_eq!(refusal(&outcome), None);
    }

    fn folder(&mut self, at: &str) {
        assert_eq!(refusal(&self.change(TreeChange::CreateFolder { path: path(at), rename: None })), None);
    }

    /// One entry a line: `a/b.txt 3`, folders with a slash.
    fn shown(&self) -> String {
        let line = |(path, letter): (String, Option<u8>)| match letter {
            Some(letter) => format!("{path} {letter}"),
            None => format!("{path}/"),
        };
        self.live().into_iter().map(line).collect::<Vec<_>>().join(", ")
    }
}

#[test]
fn deleted_overwritten_moved_and_new_files() {
    let mut bed = Bed::new();
    for (at, letter) in [("d/kept", 1), ("d/changed", 1), ("d/moved", 1), ("d/gone", 1), ("x/deep/gone", 1)] {
        bed.put(at, WriteMode::Add, false, letter);
    }
    let then = bed.group.time_ms;
    let before = bed.shown();
    bed.put("d/changed", WriteMode::Overwrite, false, 2);
    bed.put("d/gone", WriteMode::Overwrite, false, 2);
    bed.trash("d/gone");
    bed.move_to("d/moved", "elsewhere/Moved");
    bed.trash("x");
    bed.put("new/a", WriteMode::Add, false, 3);
    bed.put("d/new", WriteMode::Add, false, 3);
    let after = bed.group.time_ms;
    let counts = RewindCounts { restored: 4, moved: 1, removed: 4, reset: 2, lost: 0 };
    assert_eq!(bed.preview(EntryId::ROOT, then), counts, "what leaves a folder does not go away with it");
    let later = bed.shown();
    assert_eq!(bed.rewind(EntryId::ROOT, then, 500), counts);
    assert_eq!(bed.shown(), before);
    let seq = query::tree(&bed.group.records, owner(), TREE).unwrap().unwrap().seq;
    assert_eq!(bed.rewind(EntryId::ROOT, then, 500), RewindCounts::default(), "again changes nothing");
    assert_eq!(query::tree(&bed.group.records, owner(), TREE).unwrap().unwrap().seq, seq);
    bed.rewind(EntryId::ROOT, after, 500);
    assert_eq!(bed.shown(), later, "a rewind can be rewound");
}

#[test]
fn a_folder_alone() {
    let mut bed = Bed::new();
    for at in ["in/a", "in/b", "in/sub/c", "out/a", "out/b"] {
        bed.put(at, WriteMode::Add, false, 1);
    }
    let then = bed.group.time_ms;
    bed.put("out/a", WriteMode::Overwrite, false, 2);
    bed.put("in/a", WriteMode::Overwrite, false, 2);
    bed.trash("in/b");
    bed.move_to("in/sub", "out/sub");
    bed.move_to("out/b", "in/visitor");
    bed.put("out/b", WriteMode::Add, false, 3);
    bed.move_to("in", "renamed");
    let folder = bed.entry("renamed");
    bed.rewind(folder, then, 2);
    assert_eq!(
        bed.shown(),
        "out/, out/a 2, out/b 3, out/b (1) 1, renamed/, renamed/a 1, renamed/b 1, renamed/sub/, renamed/sub/c 1",
        "what is outside, and the folder's own name, stay as they are"
    );
}

#[test]
fn names_that_were_swapped_and_folders_that_changed_places() {
    let mut bed = Bed::new();
    for (at, letter) in [("one", 1), ("two", 2), ("a/b/c", 3), ("docs/x.txt", 4), ("docs/y.txt", 5)] {
        bed.put(at, WriteMode::Add, false, letter);
    }
    let (then, before) = (bed.group.time_ms, bed.shown());
    bed.move_to("one", "three");
    bed.move_to("two", "one");
    bed.move_to("three", "two");
    bed.move_to("a/b", "b");
    bed.move_to("a", "b/a");
    bed.move_to("docs", "docs old");
    bed.folder("docs");
    bed.move_to("docs old/x.txt", "docs/X.txt");
    bed.trash("docs old");
    bed.rewind(EntryId::ROOT, then, 1);
    assert_eq!(bed.shown(), before);
}

#[test]
fn old_files_come_out_of_a_new_folder_that_was_thrown_away() {
    let mut bed = Bed::new();
    for at in ["a", "b"] {
        bed.put(at, WriteMode::Add, false, 1);
    }
    let (then, before) = (bed.group.time_ms, bed.shown());
    bed.folder("new/below");
    bed.move_to("a", "new/below/a");
    bed.move_to("b", "new/b");
    bed.trash("new");
    assert_eq!(bed.preview(EntryId::ROOT, then).restored, 2);
    assert_eq!(bed.rewind(EntryId::ROOT, then, 500).restored, 2);
    assert_eq!(bed.shown(), before);
}

#[test]
fn what_is_gone_for_good_is_said() {
    let mut bed = Bed::new();
    for at in ["purged", "d/inside", "removed"] {
        bed.put(at, WriteMode::Add, false, 1);
    }
    let entry = bed.entry("removed");
    let rev = bed.find("removed").unwrap().record.file().unwrap().head.rev;
    bed.group.time_ms += 2 * MomentRecord::SPAN_MS;
    let then = bed.group.time_ms;
    bed.put("removed", WriteMode::Overwrite, false, 2);
    bed.change(TreeChange::RemoveRevision { entry, rev });
    for at in ["purged", "d"] {
        let trashed = bed.trash(at);
        bed.change(TreeChange::Purge { trashed, limit: 100 });
    }
    bed.put("new", WriteMode::Add, false, 3);
    let trashed = bed.trash("new");
    bed.change(TreeChange::Purge { trashed, limit: 100 });
    let expected = RewindCounts { lost: 3, ..RewindCounts::default() };
    assert_eq!(bed.preview(EntryId::ROOT, then), expected);
    assert_eq!(bed.rewind(EntryId::ROOT, then, 500), expected);
    assert_eq!(bed.shown(), "removed 2", "a file whose old contents are gone stays as it is");
}

#[test]
fn what_is_being_purged_is_lost() {
    let mut bed = Bed::new();
    for number in 0..3 {
        bed.put(&format!("d/{number}"), WriteMode::Add, false, 1);
    }
    let then = bed.group.time_ms;
    let trashed = bed.trash("d");
    assert_eq!(bed.change(TreeChange::Purge { trashed, limit: 1 }), Outcome::Purged { more: true });
    let expected = RewindCounts { lost: 1, ..RewindCounts::default() };
    assert_eq!(bed.preview(EntryId::ROOT, then), expected);
    assert_eq!(bed.rewind(EntryId::ROOT, then, 500), expected);
    assert_eq!(bed.shown(), "");
}

#[test]
fn what_was_moved_very_often() {
    let mut bed = Bed::new();
    bed.put("0", WriteMode::Add, false, 1);
    let times: Vec<u64> = (1..=70)
        .map(|number: u64| {
            bed.move_to(&(number - 1).to_string(), &number.to_string());
            bed.group.time_ms
        })
        .collect();
    bed.rewind(EntryId::ROOT, times[65], 500);
    assert_eq!(bed.shown(), "66 1", "of many places the latest are known");
}

#[test]
fn as_far_back_as_is_known() {
    let mut bed = Bed::new();
    let rewind = |to_ms, folder| TreeChange::Rewind(Rewind { folder, to_ms, cursor: None, limit: 10 });
    bed.group.time_ms = 5 * MomentRecord::SPAN_MS;
    for at in ["a", "b"] {
        bed.put(at, WriteMode::Add, false, 1);
        bed.trash(at);
        bed.group.time_ms += 5 * MomentRecord::SPAN_MS;
    }
    let before_ms = bed.group.time_ms;
    bed.put("c", WriteMode::Add, false, 1);
    let earliest_ms = || query::earliest(&bed.group.records, space()).unwrap();
    assert_eq!(earliest_ms(), Some(0));
    assert_eq!(bed.change(TreeChange::TrimFeed { before_ms, limit: 100 }), Outcome::Purged { more: false });
    let earliest_ms = query::earliest(&bed.group.records, space()).unwrap().unwrap();
    assert!(earliest_ms > 10 * MomentRecord::SPAN_MS && earliest_ms <= before_ms, "{earliest_ms}");
    let refused = bed.change(rewind(earliest_ms - 1, EntryId::ROOT));
    assert_eq!(refusal(&refused), Some(&Refusal::TooFarBack { earliest_ms }));
    assert!(matches!(bed.change(rewind(earliest_ms, EntryId::ROOT)), Outcome::Rewound(_)));
    let file = bed.entry("c");
    assert_eq!(refusal(&bed.change(rewind(before_ms, file))), Some(&Refusal::NotAFolder));
    assert_eq!(refusal(&bed.change(rewind(before_ms, EntryId(99)))), Some(&Refusal::NoSuchEntry));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// States at any time come back, one after another in any order; clients that follow the feed end with the same files.
    #[test]
    fn any_state_comes_back(
        steps in prop::collection::vec((steps(), 0..3u64), 1..40),
        picks in prop::collection::vec((any::<prop::sample::Index>(), 1..5u32), 1..4),
    ) {
        let mut run = Run { bed: Bed::new(), model: Model::default(), clients: [Mirror::default(), Mirror::default()] };
        let mut states = vec![(run.bed.group.time_ms, run.bed.live())];
        for (step, spans) in &steps {
            // What is gone for good cannot come back.
            if !matches!(step, Step::Purge { .. } | Step::RemoveRevision { .. }) {
                run.step(step);
                states.push((run.bed.group.time_ms, run.bed.live()));
                run.bed.group.time_ms += spans * MomentRecord::SPAN_MS * 3 / 4;
            }
        }
        for (pick, limit) in &picks {
            let (to_ms, then) = pick.get(&states).clone();
            run.bed.rewind(EntryId::ROOT, to_ms, *limit);
            assert_eq!(run.bed.live(), then, "at {to_ms}");
            states.push((run.bed.group.time_ms, then));
        }
        for mut client in run.clients {
            client.catch_up(&run.bed.group.records, space());
            assert_eq!(client.files(), run.bed.live(), "a client that followed the feed");
        }
    }
}
