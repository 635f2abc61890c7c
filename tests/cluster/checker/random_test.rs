//! Random histories: those of a store without a fault pass, whatever overlaps and whatever stays unknown; a read that is then made to
//! see what it cannot have seen is found.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Action, Condition, History, Keeps, Listed, Listing, Operation, Reply, Value, Violation, check};

const KEYS: [&str; 3] = ["a", "b/1", "b/2"];
const CLIENTS: usize = 5;

/// The store: what each key holds, newest first; the flag is a marker's. Written apart from the checker's model on purpose.
type Store = BTreeMap<&'static str, Vec<(Value, bool)>>;

/// Where one client is with its operation.
struct Pending {
    called: u64,
    key: &'static str,
    action: Action,
    /// A listing of all keys instead.
    lists: bool,
    /// Once it happened.
    reply: Option<Reply>,
    found: BTreeMap<String, Value>,
}

struct Run {
    keeps: Keeps,
    store: Store,
    clients: Vec<Option<Pending>>,
    /// Given up by their clients; they may still happen.
    lost: Vec<Pending>,
    history: History,
    now: u64,
    values: Value,
}

impl Run {
    fn new(keeps: Keeps) -> Self {
        let clients = (0..CLIENTS).map(|_| None).collect();
        let (store, lost, history) = (Store::new(), Vec::new(), History::new(keeps));
        Self { keeps, store, clients, lost, history, now: 0, values: 0 }
    }

    /// One event, as the dice say: a call, a happening or a reply.
    fn step(&mut self, dice: u32) {
        self.now += 1;
        let (client, dice) = (dice as usize % CLIENTS, dice / CLIENTS as u32);
        if dice % 11 == 0 && !self.lost.is_empty() {
            let mut late = self.lost.remove(dice as usize / 11 % self.lost.len());
            self.happen(&mut late);
            return;
        }
        match self.clients[client].take() {
            None => self.clients[client] = Some(self.call(dice)),
            Some(pending) if pending.reply.is_none() && dice % 20 == 0 => {
                self.record(client, &pending, Reply::Unknown);
                self.lost.push(pending);
            }
            Some(mut pending) if pending.reply.is_none() => {
                self.happen(&mut pending);
                self.clients[client] = Some(pending);
            }
            Some(pending) => {
                // It happened, but the answer may be lost.
                let reply = if dice % 23 == 0 { Reply::Unknown } else { pending.reply.clone().unwrap() };
                self.record(client, &pending, reply);
            }
        }
    }

    fn call(&mut self, dice: u32) -> Pending {
        let (key, dice) = (KEYS[dice as usize % KEYS.len()], dice / KEYS.len() as u32);
        self.values += 1;
        let (value, some) = (self.values, 1 + u64::from(dice / 16) % self.values);
        let action = match (dice % 16, self.keeps) {
            (0..=3, _) => Action::Put { value, condition: Condition::None },
            (4, _) => Action::Put { value, condition: Condition::Absent },
            (5, _) => Action::Put { value, condition: Condition::Is(some) },
            (6 | 7, _) => Action::Delete { marker: value },
            (8, Keeps::Versions) => Action::DeleteVersion { of: some },
            (9, Keeps::Versions) => Action::ReadVersion { of: some },
            (10, Keeps::Versions) => Action::ReadVersions,
            _ => Action::Read,
        };
        let lists = dice % 16 == 15;
        Pending { called: self.now, key, action, lists, reply: None, found: BTreeMap::new() }
    }

    fn happen(&mut self, pending: &mut Pending) {
        if pending.lists {
            let latest = self.store.iter().filter_map(|(key, versions)| Some((key, versions.first()?)));
            let there = latest.filter(|(_, (_, is_marker))| !is_marker);
            pending.found = there.map(|(key, (value, _))| ((*key).to_owned(), *value)).collect();
            pending.reply = Some(Reply::Done);
            return;
        }
        let versions = self.store.entry(pending.key).or_default();
        let latest = versions.first().filter(|(_, is_marker)| !is_marker).map(|(value, _)| *value);
        let keep = if self.keeps == Keeps::Versions { usize::MAX } else { 0 };
        let reply = match &pending.action {
            Action::Put { condition: Condition::Absent, .. } if latest.is_some() => Reply::Refused,
            Action::Put { condition: Condition::Is(_), .. } if latest.is_none() => Reply::Absent,
            Action::Put { condition: Condition::Is(value), .. } if latest != Some(*value) => Reply::Refused,
            Action::Put { value, .. } => {
                versions.truncate(keep);
                versions.insert(0, (*value, false));
                Reply::Done
            }
            Action::Delete { marker } => {
                versions.truncate(keep);
                if self.keeps == Keeps::Versions {
                    versions.insert(0, (*marker, true));
                }
                Reply::Done
            }
            Action::DeleteVersion { of } => {
                versions.retain(|(value, _)| value != of);
                Reply::Done
            }
            Action::Read => latest.map_or(Reply::Absent, Reply::Holds),
            Action::ReadVersion { of } => {
                let is_there = versions.iter().any(|(value, _)| value == of);
                if is_there { Reply::Holds(*of) } else { Reply::Absent }
            }
            Action::ReadVersions => {
                let listed = |(value, is_marker): &(Value, bool)| match is_marker {
                    true => Listed::Marker(Some(*value)),
                    false => Listed::Value(*value),
                };
                Reply::Versions(versions.iter().map(listed).collect())
            }
        };
        pending.reply = Some(reply);
    }

    fn record(&mut self, client: usize, pending: &Pending, reply: Reply) {
        let (client, called, replied) = (client as u32, pending.called, self.now);
        if !pending.lists {
            let operation = Operation { client, called, replied, action: pending.action.clone(), reply };
            self.history.operations.push((pending.key.to_owned(), operation));
        } else if reply != Reply::Unknown {
            let (prefix, found) = (String::new(), pending.found.clone());
            let listing = Listing { client, called, replied, prefix, after: None, until: None, found };
            self.history.listings.push(listing);
        }
    }
}

fn history(keeps: Keeps, dice: &[u32]) -> History {
    let mut run = Run::new(keeps);
    // So that a listing never has a key that no client wrote.
    for key in KEYS {
        let action = Action::Read;
        let read = Operation { client: 0, called: 0, replied: 0, action, reply: Reply::Absent };
        run.history.operations.push((key.to_owned(), read));
    }
    dice.iter().for_each(|dice| run.step(*dice));
    // What is still on its way may have happened.
    for client in 0..CLIENTS {
        if let Some(pending) = run.clients[client].take() {
            run.record(client, &pending, Reply::Unknown);
        }
    }
    run.history
}

fn dice() -> impl Strategy<Value = Vec<u32>> {
    proptest::collection::vec(any::<u32>(), 0..300)
}

/// An acknowledged plain put, and what it wrote.
fn written(operation: &Operation) -> Option<Value> {
    match (&operation.action, &operation.reply) {
        (Action::Put { value, .. }, Reply::Done) => Some(*value),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn histories_of_a_store_without_a_fault_pass(dice in dice(), versions: bool) {
        let history = history(if versions { Keeps::Versions } else { Keeps::Latest }, &dice);
        prop_assert!(check(&history).is_ok(), "{}", check(&history).unwrap_err());
    }

    /// Each read in turn: of a value that was overwritten before the read began, or written only after it ended.
    #[test]
    fn reads_of_the_past_and_of_the_future_are_found(dice in dice()) {
        let history = history(Keeps::Latest, &dice);
        for at in 0..history.operations.len() {
            let (key, read) = history.operations[at].clone();
            if read.action != Action::Read || read.reply == Reply::Unknown {
                continue;
            }
            let others = || history.operations.iter().filter(|(other, _)| *other == key).map(|(_, operation)| operation);
            let overwritten = others().filter(|put| {
                others().any(|later| {
                    written(later).is_some() && later.called > put.replied && later.replied < read.called
                })
            });
            let of_the_future = others().filter(|put| put.called > read.replied);
            let wrong: Vec<Value> = overwritten.chain(of_the_future).filter_map(written).collect();
            for value in wrong.into_iter().take(3) {
                let mut planted = history.clone();
                planted.operations[at].1.reply = Reply::Holds(value);
                let found = matches!(check(&planted), Err(Violation::NotLinearizable { .. }));
                prop_assert!(found, "{key}: a read of {value} at {}", read.called);
            }
        }
    }
}
