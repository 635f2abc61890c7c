//! Cursors: where a client stands in a listing or in the changes of a tree, as text that only this cluster can make.
//! Owns: the bytes. Does not own: what a position means (the tree's queries).
//! Invariant: a cursor says nothing of a tree that its holder may not read, and cannot be made to say anything else.

use onggi_cluster::id::{BucketId, EntryId, UserId};
use onggi_storage_engine::error::{Error, Result};
use onggi_storage_engine::format::{Decoder, Encoder, Record};

use crate::drive_api::seal::SealKey;
use crate::services::drive::feed::{Position, Stage};

/// A position, and whom it was given to.
struct Cursor(UserId, Position);

/// Cheap to clone.
#[derive(Clone)]
pub struct CursorKey(SealKey);

impl CursorKey {
    pub fn derive(master_key: &[u8; 32]) -> Self {
        Self(SealKey::derive(master_key, "onggi drive cursor v1"))
    }

    pub fn seal(&self, user: UserId, position: &Position) -> String {
        self.0.seal(&Cursor(user, position.clone()).to_bytes())
    }

    /// `None`: not ours, or changed.
    pub fn open(&self, text: &str) -> Option<(UserId, Position)> {
        Cursor::from_bytes(&self.0.open(text)?).ok().map(|Cursor(user, position)| (user, position))
    }

    /// `None`, too, for one that was given to somebody else.
    pub fn open_for(&self, user: UserId, text: &str) -> Option<Position> {
        self.open(text).filter(|(of, _)| *of == user).map(|(_, position)| position)
    }
}

impl Record for Cursor {
    const NAME: &'static str = "cursor";
    const VERSION: u8 = 1;

    fn encode_fields(&self, encoder: &mut Encoder) {
        let Position { tree, folder, recursive, stage } = &self.1;
        encoder.varint(self.0.0).varint(tree.0).varint(folder.0).bool(*recursive);
        match stage {
            Stage::Listing { seq, after } => encoder.u8(0).varint(*seq).str(after),
            Stage::Changes { seq, within } => encoder.u8(1).varint(*seq).option(within.as_ref(), |encoder, within| {
                encoder.str(within);
            }),
        };
    }

    fn decode_fields(_: u8, decoder: &mut Decoder<'_>) -> Result<Self> {
        let user = UserId(decoder.varint()?);
        Ok(Self(
            user,
            Position {
                tree: BucketId(decoder.varint()?),
                folder: EntryId(decoder.varint()?),
                recursive: decoder.bool()?,
                stage: match decoder.u8()? {
                    0 => Stage::Listing { seq: decoder.varint()?, after: decoder.str()?.to_owned() },
                    1 => Stage::Changes {
                        seq: decoder.varint()?,
                        within: decoder.option(|decoder| decoder.str().map(str::to_owned))?,
                    },
                    other => return Err(Error::corrupt(format!("decode: {other} is no stage of a cursor"))),
                },
            },
        ))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn cursor() -> Position {
        let stage = Stage::Listing { seq: 90_000, after: "A/b.txt".into() };
        Position { tree: BucketId(3), folder: EntryId(700), recursive: true, stage }
    }

    #[test]
    fn comes_back_as_it_was() {
        let key = CursorKey::derive(&[7; 32]);
        let changes = |within| Position { stage: Stage::Changes { seq: 7, within }, ..cursor() };
        for position in [cursor(), changes(None), changes(Some("A/".into()))] {
            let sealed = key.seal(UserId(5), &position);
            assert_eq!(key.open(&sealed), Some((UserId(5), position.clone())));
            assert_eq!(key.open_for(UserId(5), &sealed), Some(position));
            assert_eq!(key.open_for(UserId(6), &sealed), None);
        }
    }

    /// Clients keep cursors for months.
    #[test]
    fn stays_readable() {
        expect!["Z_VNmruAAA5nxgno1Dq-gwEFA7wFAQCQvwUHQS9iLnR4dA"]
            .assert_eq(&CursorKey::derive(&[7; 32]).seal(UserId(5), &cursor()));
    }
}
