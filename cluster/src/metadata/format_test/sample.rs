//! Sample: a value, its bytes, and how to read them again.

use std::fmt::{Debug, Write as _};

use bytes::Bytes;
use onggi_storage_engine::format::Record;

use crate::metadata::command::{Change, Command, OwnerChange};
use crate::metadata::outcome::Outcome;

/// The bytes of a value, and how to read them again.
pub(super) struct Sample {
    pub(super) name: String,
    pub(super) bytes: Bytes,
    /// Reads bytes as this type and writes them again; none if they are corrupt.
    pub(super) rewrite: fn(&[u8]) -> Option<Bytes>,
}

impl Sample {
    pub(super) fn of<R: Record + PartialEq + Debug>(name: &str, value: &R) -> Self {
        let bytes = value.to_bytes();
        assert_eq!(&R::from_bytes(&bytes).unwrap(), value, "{name}");
        Self { name: name.to_owned(), bytes, rewrite: |bytes| R::from_bytes(bytes).ok().map(|value| value.to_bytes()) }
    }
}

pub(super) fn samples_of(records: Vec<Sample>, outcomes: Vec<Outcome>, commands: Vec<Command>) -> Vec<Sample> {
    let mut samples = records;
    let name_of = |shown: String| shown.split(['{', '(']).next().unwrap_or_default().trim().to_owned();
    for outcome in outcomes {
        let name = match &outcome {
            Outcome::Refused(refusal) => format!("outcome: refused: {}", name_of(format!("{refusal:?}"))),
            other => format!("outcome: {}", name_of(format!("{other:?}"))),
        };
        samples.push(Sample::of(&name, &outcome));
    }
    for command in commands {
        let name = match &command.change {
            Change::System(change) => name_of(format!("{change:?}")),
            Change::Owner { change: OwnerChange::Tree { change, .. }, .. } => {
                format!("tree: {}", name_of(format!("{change:?}")))
            }
            Change::Owner { change, .. } => name_of(format!("{change:?}")),
            Change::Group { change, .. } => name_of(format!("{change:?}")),
        };
        assert_eq!(Command::decode(&command.encode()).unwrap(), command);
        samples.push(Sample::of(&format!("command: {name}"), &command));
    }
    samples
}

pub(super) fn hex_of(samples: Vec<Sample>) -> String {
    let mut text = String::new();
    for sample in samples {
        let hex: String = sample.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(text, "{}: {hex}", sample.name).unwrap();
    }
    text
}
