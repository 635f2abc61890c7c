//! Brake: who is held, who is not, and for how long.

use super::*;
use crate::metadata::command::tree::Brake;
use crate::metadata::record::tree::DeviceDeletes;

const BRAKE: Brake = Brake { entries: 4, percent: 50 };
const MINUTE_MS: u64 = 60_000;

impl Bed {
    /// `a/0`, `a/1`, …
    fn files(&mut self, folder: &str, files: usize) {
        for number in 0..files {
            self.put(&format!("{folder}/{number}"), WriteMode::Add, false, 0);
        }
    }

    fn by(&mut self, device: &str, change: TreeChange) -> Outcome {
        let author = Author { user: UserId::ROOT, device: device.to_owned() };
        self.group.commit(OwnerChange::Tree { bucket: TREE, author, quota_bytes: None, change })
    }

    fn delete(&mut self, device: &str, at: &str) -> &'static str {
        let delete = TreeChange::Delete { at: At::Path(path(at)), expected_rev: None, brake: BRAKE };
        let outcome = self.by(device, delete);
        self.check();
        match outcome {
            Outcome::EntryChanged(_) => "deleted",
            Outcome::DeviceHeld => "is held now",
            Outcome::Refused(Refusal::DeviceHeld) => "held",
            Outcome::Refused(Refusal::NoSuchEntry) => "nothing there",
            other => panic!("{other:?}"),
        }
    }

    fn devices(&self) -> Vec<DeviceDeletes> {
        query::brake(&self.group.records, space()).unwrap().devices
    }
}

#[test]
fn a_device_that_deletes_most_of_a_tree_is_held_until_it_is_released() {
    let mut bed = Bed::new();
    bed.files("a", 9);
    let (seq, time_ms) = (query::tree(&bed.group.records, owner(), TREE).unwrap().unwrap().seq, bed.group.time_ms);
    let told: Vec<_> = (0..9).map(|number| bed.delete("laptop", &format!("a/{number}"))).collect();
    let deleted = ["deleted"; 6].to_vec();
    assert_eq!(told, [deleted, vec!["is held now", "held", "held"]].concat());
    let expected = DeviceDeletes {
        device: "laptop".to_owned(),
        since_ms: time_ms + 1,
        since_seq: seq,
        deletes: 7,
        entries: 7,
        largest: 1,
        of_entries: 10,
        held_ms: Some(time_ms + 7),
        allowed_until_ms: 0,
    };
    assert_eq!(bed.devices(), [expected]);
    assert_eq!(bed.delete("phone", "a/6"), "deleted", "another one is not held");
    bed.group.time_ms += 100 * MINUTE_MS;
    bed.group.reopen();
    assert_eq!(bed.delete("laptop", "a/7"), "held", "neither time nor a restart releases it");
    assert_eq!(bed.delete("laptop", "nowhere"), "nothing there");

    let allowed_until_ms = bed.group.time_ms + MINUTE_MS;
    let release = |device: &str| TreeChange::ReleaseDevice { device: device.to_owned(), allowed_until_ms };
    assert_eq!(refusal(&bed.change(release("desktop"))), Some(&Refusal::NoSuchDevice));
    assert_eq!(bed.change(release("laptop")), Outcome::Done);
    bed.files("b", 9);
    let told: Vec<_> = (0..9).map(|number| bed.delete("laptop", &format!("b/{number}"))).collect();
    assert_eq!(told, ["deleted"; 9], "the owner said so");
    bed.group.time_ms += MINUTE_MS;
    bed.files("c", 20);
    let held = (0..20).map(|number| bed.delete("laptop", &format!("c/{number}"))).find(|told| *told != "deleted");
    assert_eq!(held, Some("is held now"), "what was allowed is over");
}

#[test]
fn what_was_allowed_holds_longer_than_a_minute() {
    let mut bed = Bed::new();
    bed.files("a", 9);
    let told: Vec<_> = (0..7).map(|number| bed.delete("laptop", &format!("a/{number}"))).collect();
    assert_eq!(told.last(), Some(&"is held now"));
    let allowed_until_ms = bed.group.time_ms + 10 * MINUTE_MS;
    assert_eq!(bed.change(TreeChange::ReleaseDevice { device: "laptop".to_owned(), allowed_until_ms }), Outcome::Done);
    for minute in ["b", "c"] {
        bed.group.time_ms += 4 * MINUTE_MS;
        bed.files(minute, 20);
        let told: Vec<_> = (0..20).map(|number| bed.delete("laptop", &format!("{minute}/{number}"))).collect();
        assert_eq!(told, ["deleted"; 20], "{minute}");
    }
}

#[test]
fn one_folder_is_one_delete_whatever_is_in_it() {
    let mut bed = Bed::new();
    bed.files("large", 20);
    bed.files("small", 5);
    assert_eq!(bed.delete("web", "large"), "deleted");
    assert_eq!(bed.delete("web", "small/1"), "deleted");
    assert_eq!(bed.delete("web", "small"), "deleted");
}

#[test]
fn folder_after_folder_is_too_much() {
    let mut bed = Bed::new();
    for folder in ["a", "b", "c", "d", "e"] {
        bed.files(folder, 4);
    }
    let told: Vec<_> = ["a", "b", "c", "d", "e"].into_iter().map(|folder| bed.delete("laptop", folder)).collect();
    assert_eq!(told, ["deleted", "deleted", "deleted", "is held now", "held"], "15 of 25 besides the largest");
}

#[test]
fn few_entries_a_small_share_and_slow_ones_are_not_too_much() {
    let mut bed = Bed::new();
    bed.files("few", 5);
    let told: Vec<_> = (0..5).map(|number| bed.delete("laptop", &format!("few/{number}"))).collect();
    assert_eq!(told, ["deleted"; 5]);
    bed.files("many", 40);
    let told: Vec<_> = (0..15).map(|number| bed.delete("phone", &format!("many/{number}"))).collect();
    assert_eq!(told, ["deleted"; 15], "more than four, but not half of the tree");
    for number in 15..40 {
        bed.group.time_ms += MINUTE_MS / 4;
        assert_eq!(bed.delete("phone", &format!("many/{number}")), "deleted", "four a minute");
    }
}

#[test]
fn a_device_that_is_held_is_remembered_longer_than_others() {
    let mut bed = Bed::new();
    bed.files("a", 9);
    for number in 0..9 {
        bed.delete("held", &format!("a/{number}"));
    }
    for number in 0..40 {
        bed.files("b", 1);
        bed.delete(&format!("device {number}"), "b/0");
    }
    let devices = bed.devices();
    assert_eq!((devices.len(), devices[0].device.as_str(), devices[1].device.as_str()), (16, "held", "device 25"));
    assert_eq!(bed.delete("held", "a/8"), "held");
}
