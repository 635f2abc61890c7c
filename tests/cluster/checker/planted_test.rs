//! Faults that a store could have, each planted in a history by hand: each is found, and the same history without it passes.

use std::collections::BTreeMap;

use super::{Action, Condition, History, Keeps, Listed, Listing, Operation, Reply, Value, Violation, check};

const KEY: &str = "key";

/// One after the other, by one client, ten ticks apart, five ticks long.
fn in_order(keeps: Keeps, steps: &[(Action, Reply)]) -> History {
    let mut history = History::new(keeps);
    for (number, (action, reply)) in steps.iter().enumerate() {
        let called = number as u64 * 10;
        add(&mut history, called, called + 5, action.clone(), reply.clone());
    }
    history
}

fn add(history: &mut History, called: u64, replied: u64, action: Action, reply: Reply) {
    history.operations.push((KEY.to_owned(), Operation { client: 1, called, replied, action, reply }));
}

fn put(value: Value) -> Action {
    Action::Put { value, condition: Condition::None }
}

fn create(value: Value) -> Action {
    Action::Put { value, condition: Condition::Absent }
}

fn replace(value: Value, condition: Value) -> Action {
    Action::Put { value, condition: Condition::Is(condition) }
}

const DELETE: Action = Action::Delete { marker: 900 };

fn listing(called: u64, replied: u64, after: Option<&str>, until: Option<&str>, found: &[(&str, Value)]) -> Listing {
    Listing {
        client: 9,
        called,
        replied,
        prefix: String::new(),
        after: after.map(str::to_owned),
        until: until.map(str::to_owned),
        found: found.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect::<BTreeMap<_, _>>(),
    }
}

#[track_caller]
fn passes(history: &History) {
    assert_eq!(check(history).map(|_| ()), Ok(()));
}

#[track_caller]
fn is_found(history: &History) {
    assert!(matches!(check(history), Err(Violation::NotLinearizable { .. })), "{:?}", check(history));
}

#[test]
fn a_stale_read() {
    let steps = |seen| [(put(1), Reply::Done), (put(2), Reply::Done), (Action::Read, Reply::Holds(seen))];
    passes(&in_order(Keeps::Latest, &steps(2)));
    is_found(&in_order(Keeps::Latest, &steps(1)));
}

#[test]
fn a_read_that_goes_back_while_the_write_is_still_on_its_way() {
    let history = |first, second| {
        let mut history = History::new(Keeps::Latest);
        add(&mut history, 0, 5, put(1), Reply::Done);
        add(&mut history, 10, 100, put(2), Reply::Done);
        add(&mut history, 20, 25, Action::Read, Reply::Holds(first));
        add(&mut history, 30, 35, Action::Read, Reply::Holds(second));
        history
    };
    passes(&history(1, 1));
    passes(&history(1, 2));
    passes(&history(2, 2));
    is_found(&history(2, 1));
}

#[test]
fn a_lost_acknowledged_write() {
    let steps = |reply| [(put(1), Reply::Done), (Action::Read, reply)];
    passes(&in_order(Keeps::Latest, &steps(Reply::Holds(1))));
    is_found(&in_order(Keeps::Latest, &steps(Reply::Absent)));
    let unknown = |reply| [(put(1), Reply::Unknown), (Action::Read, reply)];
    passes(&in_order(Keeps::Latest, &unknown(Reply::Holds(1))));
    passes(&in_order(Keeps::Latest, &unknown(Reply::Absent)));
}

#[test]
fn an_unknown_write_that_was_seen_is_there_for_good() {
    let steps = |last| {
        [(put(1), Reply::Unknown), (Action::Read, Reply::Absent), (Action::Read, Reply::Holds(1)), (Action::Read, last)]
    };
    passes(&in_order(Keeps::Latest, &steps(Reply::Holds(1))));
    is_found(&in_order(Keeps::Latest, &steps(Reply::Absent)));
}

#[test]
fn a_resurrected_delete() {
    let steps =
        |last| [(put(1), Reply::Done), (DELETE, Reply::Done), (Action::Read, Reply::Absent), (Action::Read, last)];
    passes(&in_order(Keeps::Latest, &steps(Reply::Absent)));
    is_found(&in_order(Keeps::Latest, &steps(Reply::Holds(1))));
    passes(&in_order(Keeps::Versions, &steps(Reply::Absent)));
    is_found(&in_order(Keeps::Versions, &steps(Reply::Holds(1))));
}

#[test]
fn two_winners_of_a_conditional_put() {
    let history = |second| {
        let mut history = History::new(Keeps::Latest);
        add(&mut history, 0, 10, create(1), Reply::Done);
        add(&mut history, 0, 10, create(2), second);
        history
    };
    passes(&history(Reply::Refused));
    passes(&history(Reply::Unknown));
    is_found(&history(Reply::Done));

    let update = |second| {
        let mut history = in_order(Keeps::Latest, &[(put(1), Reply::Done)]);
        add(&mut history, 10, 20, replace(2, 1), Reply::Done);
        add(&mut history, 10, 20, replace(3, 1), second);
        history
    };
    passes(&update(Reply::Refused));
    is_found(&update(Reply::Done));
    is_found(&update(Reply::Absent));
}

#[test]
fn a_refusal_without_a_reason() {
    is_found(&in_order(Keeps::Latest, &[(create(1), Reply::Refused)]));
    is_found(&in_order(Keeps::Latest, &[(put(1), Reply::Done), (DELETE, Reply::Done), (create(2), Reply::Refused)]));
    is_found(&in_order(Keeps::Latest, &[(put(1), Reply::Done), (replace(2, 1), Reply::Refused)]));
    passes(&in_order(Keeps::Latest, &[(put(1), Reply::Unknown), (create(2), Reply::Refused)]));
}

#[test]
fn a_write_that_is_applied_twice() {
    // Again after another one: the older value comes back.
    let steps =
        |last| [(put(1), Reply::Done), (put(2), Reply::Done), (Action::Read, Reply::Holds(2)), (Action::Read, last)];
    passes(&in_order(Keeps::Latest, &steps(Reply::Holds(2))));
    is_found(&in_order(Keeps::Latest, &steps(Reply::Holds(1))));
    // Where versions are kept, there are two of it, also where the client never got an answer.
    for reply in [Reply::Done, Reply::Unknown] {
        let steps =
            |versions: &[Listed]| [(put(1), reply.clone()), (Action::ReadVersions, Reply::Versions(versions.to_vec()))];
        passes(&in_order(Keeps::Versions, &steps(&[Listed::Value(1)])));
        is_found(&in_order(Keeps::Versions, &steps(&[Listed::Value(1), Listed::Value(1)])));
    }
}

#[test]
fn versions_that_vanish_change_places_or_come_back() {
    let versions = |listed: &[Listed]| {
        let steps = [
            (put(1), Reply::Done),
            (put(2), Reply::Done),
            (DELETE, Reply::Done),
            (Action::ReadVersions, Reply::Versions(listed.to_vec())),
        ];
        in_order(Keeps::Versions, &steps)
    };
    let (one, two, marker) = (Listed::Value(1), Listed::Value(2), Listed::Marker(Some(900)));
    passes(&versions(&[marker, two, one]));
    passes(&versions(&[Listed::Marker(None), two, one]));
    is_found(&versions(&[marker, one, two]));
    is_found(&versions(&[two, one]));
    is_found(&versions(&[marker, two]));

    let deleted = |last| {
        [
            (put(1), Reply::Done),
            (put(2), Reply::Done),
            (Action::DeleteVersion { of: 2 }, Reply::Done),
            (Action::Read, Reply::Holds(1)),
            (Action::ReadVersion { of: 2 }, last),
        ]
    };
    passes(&in_order(Keeps::Versions, &deleted(Reply::Absent)));
    is_found(&in_order(Keeps::Versions, &deleted(Reply::Holds(2))));
}

#[test]
fn a_key_missing_in_a_listing_and_one_too_many() {
    let history = |listing: Listing| {
        let mut history = in_order(Keeps::Latest, &[(put(1), Reply::Done)]);
        history.listings.push(listing);
        history
    };
    passes(&history(listing(10, 15, None, None, &[(KEY, 1)])));
    is_found(&history(listing(10, 15, None, None, &[])));
    is_found(&history(listing(10, 15, None, Some("kez"), &[])));
    passes(&history(listing(3, 15, None, None, &[])));
    passes(&history(listing(10, 15, None, Some("kex"), &[])));
    passes(&history(listing(10, 15, Some(KEY), None, &[])));
    let phantom = history(listing(10, 15, None, None, &[(KEY, 1), ("other", 7)]));
    assert_eq!(check(&phantom), Err(Violation::Phantom { key: "other".to_owned() }));
    let mut deleted = in_order(Keeps::Latest, &[(put(1), Reply::Done), (DELETE, Reply::Done)]);
    deleted.listings.push(listing(20, 25, None, None, &[(KEY, 1)]));
    is_found(&deleted);
}

#[test]
fn what_is_found_is_told() {
    let history = in_order(Keeps::Latest, &[(put(1), Reply::Done), (Action::Read, Reply::Holds(7))]);
    let told = check(&history).expect_err("is found").to_string();
    for part in ["key: not linearizable", "after 1 of 2 operations", "client 1 at 10–15: Read → Holds(7)"] {
        assert!(told.contains(part), "{part} is not in {told}");
    }
}
