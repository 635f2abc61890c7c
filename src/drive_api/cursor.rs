//! Cursors: where a client stands in a listing or in the changes of a tree, as text that only this cluster can make.
//! Owns: the bytes and their authentication. Does not own: what a position means (the tree's queries).
//! Invariant: a cursor says nothing of a tree that its holder may not read, and cannot be made to say anything else.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use onggi_cluster::id::{BucketId, EntryId, UserId};
use onggi_storage_engine::error::{Error, Result};
use onggi_storage_engine::format::{Decoder, Encoder, Record};
use sha2::Sha256;

use crate::services::drive::feed::{Position, Stage};

/// As long as a guess must be to be hopeless; a cursor opens nothing by itself.
const TAG_BYTES: usize = 16;
/// The longest path, twice over.
const TEXT_BYTES_MAX: usize = 16 << 10;

/// A position, and whom it was given to.
struct Cursor(UserId, Position);

/// Of the whole cluster, so that any node reads what another one wrote. Cheap to clone.
#[derive(Clone)]
pub struct CursorKey([u8; 32]);

impl CursorKey {
    pub fn derive(master_key: &[u8; 32]) -> Self {
        let mut key = [0; 32];
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(master_key) {
            mac.update(b"onggi drive cursor v1");
            key.copy_from_slice(&mac.finalize().into_bytes());
        }
        Self(key)
    }

    pub fn seal(&self, user: UserId, position: &Position) -> String {
        let bytes = Cursor(user, position.clone()).to_bytes();
        URL_SAFE_NO_PAD.encode([&self.tag(&bytes)[..], &bytes].concat())
    }

    /// `None`: not ours, or changed.
    pub fn open(&self, text: &str) -> Option<(UserId, Position)> {
        if text.len() > TEXT_BYTES_MAX {
            return None;
        }
        let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (tag, bytes) = sealed.split_first_chunk::<TAG_BYTES>()?;
        let is_ours: bool = subtle::ConstantTimeEq::ct_eq(&self.tag(bytes)[..], &tag[..]).into();
        if is_ours { Cursor::from_bytes(bytes).ok().map(|Cursor(user, position)| (user, position)) } else { None }
    }

    /// `None`, too, for one that was given to somebody else.
    pub fn open_for(&self, user: UserId, text: &str) -> Option<Position> {
        self.open(text).filter(|(of, _)| *of == user).map(|(_, position)| position)
    }

    fn tag(&self, bytes: &[u8]) -> [u8; TAG_BYTES] {
        let mut tag = [0; TAG_BYTES];
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) {
            mac.update(bytes);
            tag.copy_from_slice(&mac.finalize().into_bytes()[..TAG_BYTES]);
        }
        tag
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

    #[test]
    fn cannot_be_made_or_changed() {
        let key = CursorKey::derive(&[7; 32]);
        let sealed = URL_SAFE_NO_PAD.decode(key.seal(UserId(5), &cursor())).unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(key.open(&URL_SAFE_NO_PAD.encode(changed)), None);
            assert_eq!(key.open(&URL_SAFE_NO_PAD.encode(&sealed[..at])), None);
        }
        assert_eq!(CursorKey::derive(&[8; 32]).open(&key.seal(UserId(5), &cursor())), None);
        assert_eq!(key.open(""), None);
        assert_eq!(key.open("not base64!"), None);
        assert_eq!(key.open(&"A".repeat(TEXT_BYTES_MAX + 1)), None);
    }
}
