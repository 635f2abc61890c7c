//! Keys of one tree: tables of its bucket (docs/drive-tree.md).

use super::{BucketSpace, table};
use crate::id::{EntryId, LinkId, UploadId};
use crate::metadata::view::KeyRange;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeSpace(pub BucketSpace);

impl TreeSpace {
    pub fn tree(self) -> Vec<u8> {
        self.0.table(table::TREE, &[])
    }

    /// Entries of a folder stand in the order of S3 keys: a folder as its name with a slash.
    pub fn entry(self, parent: EntryId, name: &str, is_folder: bool) -> Vec<u8> {
        let end: &[u8] = if is_folder { b"/" } else { b"" };
        self.0.table(table::ENTRY, &[&number(parent), name.as_bytes(), end])
    }

    /// At or behind which entries of `parent` stand whose name, with the slash of a folder, is at least `name`.
    pub fn entries_from(self, parent: EntryId, name: &[u8]) -> Vec<u8> {
        self.0.table(table::ENTRY, &[&number(parent), name])
    }

    pub fn entries_of(self, parent: EntryId) -> KeyRange {
        self.entries_with(parent, "")
    }

    /// The entries of `parent` whose name, with the slash of a folder, begins with `prefix`.
    pub fn entries_with(self, parent: EntryId, prefix: &str) -> KeyRange {
        KeyRange::of_prefix(self.0.table(table::ENTRY, &[&number(parent), prefix.as_bytes()]))
    }

    pub fn name(self, parent: EntryId, folded: &str) -> Vec<u8> {
        self.0.table(table::ENTRY_NAME, &[&number(parent), folded.as_bytes()])
    }

    pub fn place(self, entry: EntryId) -> Vec<u8> {
        self.0.table(table::PLACE, &[&number(entry)])
    }

    pub fn revision(self, entry: EntryId, rev: u64) -> Vec<u8> {
        self.0.table(table::REVISION, &[&number(entry), &(!rev).to_be_bytes()])
    }

    pub fn revisions(self) -> KeyRange {
        KeyRange::of_prefix(self.0.table(table::REVISION, &[]))
    }

    /// Newest first.
    pub fn revisions_of(self, entry: EntryId) -> KeyRange {
        KeyRange::of_prefix(self.0.table(table::REVISION, &[&number(entry)]))
    }

    pub fn change(self, seq: u64) -> Vec<u8> {
        self.0.table(table::CHANGE, &[&seq.to_be_bytes()])
    }

    pub fn changes(self) -> KeyRange {
        KeyRange::of_prefix(self.0.table(table::CHANGE, &[]))
    }

    pub fn vacated(self, parent: EntryId, folded: &str) -> Vec<u8> {
        self.0.table(table::VACATED, &[&number(parent), folded.as_bytes()])
    }

    pub fn trash(self, seq: u64) -> Vec<u8> {
        self.0.table(table::TRASH, &[&(!seq).to_be_bytes()])
    }

    /// Newest first.
    pub fn trashed(self) -> KeyRange {
        KeyRange::of_prefix(self.0.table(table::TRASH, &[]))
    }

    pub fn session(self, session: UploadId) -> Vec<u8> {
        self.0.table(table::SESSION, &[&session.0])
    }

    pub fn sessions(self) -> KeyRange {
        KeyRange::of_prefix(self.0.table(table::SESSION, &[]))
    }

    pub fn session_part(self, session: UploadId, part: u16) -> Vec<u8> {
        self.0.table(table::SESSION_PART, &[&session.0, &part.to_be_bytes()])
    }

    pub fn session_parts(self, session: UploadId) -> KeyRange {
        KeyRange::of_prefix(self.0.table(table::SESSION_PART, &[&session.0]))
    }

    pub fn link(self, link: LinkId) -> Vec<u8> {
        self.0.table(table::LINK, &[&link.0])
    }

    /// Where an entry stood until the change `seq`.
    pub fn stood(self, entry: EntryId, seq: u64) -> Vec<u8> {
        self.0.table(table::STOOD, &[&number(entry), &seq.to_be_bytes()])
    }

    /// Oldest first.
    pub fn stood_of(self, entry: EntryId) -> KeyRange {
        KeyRange::of_prefix(self.0.table(table::STOOD, &[&number(entry)]))
    }

    pub fn moment(self, span: u64) -> Vec<u8> {
        self.0.table(table::MOMENT, &[&span.to_be_bytes()])
    }

    pub fn moments(self) -> KeyRange {
        KeyRange::of_prefix(self.0.table(table::MOMENT, &[]))
    }

    pub fn brake(self) -> Vec<u8> {
        self.0.table(table::BRAKE, &[])
    }

    pub fn links(self) -> KeyRange {
        KeyRange::of_prefix(self.0.table(table::LINK, &[]))
    }
}

fn number(entry: EntryId) -> [u8; 8] {
    entry.0.to_be_bytes()
}
