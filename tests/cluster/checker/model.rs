//! Model: one key of a store that does one operation after the other.

use super::history::{Action, Condition, Keeps, Listed, Reply, Value};

/// Versions, newest first; where only the latest is kept, at most one, and never a marker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct KeyState {
    versions: Vec<Version>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Version {
    value: Value,
    is_marker: bool,
}

impl KeyState {
    /// The state after the action, with what it replies.
    pub fn apply(&self, keeps: Keeps, action: &Action) -> (Self, Reply) {
        match action {
            Action::Put { value, condition } => match self.refuses(*condition) {
                Some(refusal) => (self.clone(), refusal),
                None => (self.with(keeps, Version { value: *value, is_marker: false }), Reply::Done),
            },
            Action::Delete { .. } if keeps == Keeps::Latest => (Self::default(), Reply::Done),
            Action::Delete { marker } => (self.with(keeps, Version { value: *marker, is_marker: true }), Reply::Done),
            Action::DeleteVersion { of } => {
                let versions = self.versions.iter().copied().filter(|version| version.value != *of).collect();
                (Self { versions }, Reply::Done)
            }
            Action::Read => (self.clone(), self.latest().map_or(Reply::Absent, Reply::Holds)),
            Action::ReadVersion { of } => {
                let is_there = self.versions.iter().any(|version| version.value == *of);
                (self.clone(), if is_there { Reply::Holds(*of) } else { Reply::Absent })
            }
            Action::ReadVersions => (self.clone(), self.listed()),
        }
    }

    fn latest(&self) -> Option<Value> {
        self.versions.first().filter(|version| !version.is_marker).map(|version| version.value)
    }

    fn refuses(&self, condition: Condition) -> Option<Reply> {
        match (condition, self.latest()) {
            (Condition::None, _) | (Condition::Absent, None) => None,
            (Condition::Absent, Some(_)) => Some(Reply::Refused),
            (Condition::Is(_), None) => Some(Reply::Absent),
            (Condition::Is(value), Some(latest)) => (value != latest).then_some(Reply::Refused),
        }
    }

    fn with(&self, keeps: Keeps, version: Version) -> Self {
        let older = match keeps {
            Keeps::Latest => &[][..],
            Keeps::Versions => &self.versions,
        };
        Self { versions: [&[version][..], older].concat() }
    }

    fn listed(&self) -> Reply {
        let listed = |version: &Version| match version.is_marker {
            true => Listed::Marker(Some(version.value)),
            false => Listed::Value(version.value),
        };
        Reply::Versions(self.versions.iter().map(listed).collect())
    }
}

/// Whether a client may have been told `told` where the model says `reply`.
pub fn agrees(reply: &Reply, told: &Reply) -> bool {
    match (reply, told) {
        (_, Reply::Unknown) => true,
        (Reply::Versions(versions), Reply::Versions(told)) => {
            let same = |(version, told): (&Listed, &Listed)| {
                version == told || (matches!(version, Listed::Marker(_)) && *told == Listed::Marker(None))
            };
            versions.len() == told.len() && versions.iter().zip(told).all(same)
        }
        (reply, told) => reply == told,
    }
}
