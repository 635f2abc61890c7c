//! Settle: what is known of a write of unknown outcome, because somebody saw it or because nobody did.
//! Invariant: the settled operations can be put in an order exactly if the given ones can.

use std::collections::BTreeMap;

use super::history::{Action, Condition, Listed, Operation, Reply, Value};

/// Stands for every value that nobody saw or named.
const UNSEEN: Value = Value::MAX;

/// A write whose value was seen happened before the first sight of it. One whose value was never seen nor named by anybody is
/// like all others of its kind.
pub fn settle(mut operations: Vec<Operation>) -> Vec<Operation> {
    let mut seen: BTreeMap<Value, u64> = BTreeMap::new();
    let mut named: Vec<Value> = Vec::new();
    for operation in &operations {
        for value in sights(operation) {
            let first = seen.entry(value).or_insert(u64::MAX);
            *first = operation.replied.min(*first);
        }
        named.extend(name(&operation.action));
    }
    for operation in operations.iter_mut().filter(|operation| !operation.is_answered()) {
        let (Action::Put { value, .. } | Action::Delete { marker: value }) = &mut operation.action else { continue };
        if let Some(first) = seen.get(value) {
            (operation.reply, operation.replied) = (Reply::Done, *first);
        } else if !named.contains(value) {
            *value = UNSEEN;
        }
    }
    operations
}

/// Nobody saw what it wrote, and nobody asks about it.
pub fn is_unseen(action: &Action) -> bool {
    matches!(action, Action::Put { value: UNSEEN, .. } | Action::Delete { marker: UNSEEN })
}

/// Values that were certainly there when the operation was done.
fn sights(operation: &Operation) -> Vec<Value> {
    match (&operation.reply, &operation.action) {
        (Reply::Holds(value), _) => vec![*value],
        (Reply::Done, Action::Put { condition: Condition::Is(value), .. }) => vec![*value],
        (Reply::Versions(versions), _) => {
            let value = |listed: &Listed| match listed {
                Listed::Value(value) => Some(*value),
                Listed::Marker(marker) => *marker,
            };
            versions.iter().filter_map(value).collect()
        }
        _ => Vec::new(),
    }
}

/// The value that the operation asks about.
fn name(action: &Action) -> Option<Value> {
    match action {
        Action::Put { condition: Condition::Is(value), .. } => Some(*value),
        Action::DeleteVersion { of } | Action::ReadVersion { of } => Some(*of),
        _ => None,
    }
}
