//! Upload sessions: a file that comes in pieces, over as many requests, connections and nodes as it takes.
//! Owns: the cut into parts, and that every byte that arrived stays: also those of a request that broke off.
//! Does not own: protocols (each door maps its own), what a finished session becomes (cluster's `apply`).
//! Invariant: what is acknowledged is stored, and its hashes stand beside it; any node goes on from there.

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use onggi_cluster::id::UploadId;
use onggi_cluster::metadata::command::tree::{AppendSession, CreateSession, FinishSession, TreeChange};
use onggi_cluster::metadata::command::{NewContent, NewPart};
use onggi_cluster::metadata::outcome::{EntryChanged, Outcome, Refusal};
use onggi_cluster::metadata::query;
use onggi_cluster::metadata::record::ETag;
use onggi_cluster::metadata::record::tree::{SessionKind, SessionPartRecord, SessionRecord};
use onggi_storage_engine::format::Record as _;

use super::DriveService;
use super::actor::Actor;
use super::content_hash::{BLOCK_BYTES, ContentDigests, ContentHash, PieceDigests, PieceHash};
use super::new_file::{FileClaims, FileTarget};
use super::session_details::SessionDetails;
use crate::services::body_hash::BodyHash;
use crate::services::error::{BoxError, Error, Result};
use crate::services::fresh;

/// After the last byte that came.
pub const SESSION_AGE_MAX: Duration = Duration::from_secs(7 * 24 * 3600);
/// What is lost of a request that breaks off is nothing; what a node that dies takes along is at most a part.
const PART_BYTES_MIN: u64 = 16 << 20;
/// Of the 60,000 that a session may have, so that small pieces find room, too.
const PARTS_WANTED_MAX: u64 = 4096;

pub type Pieces = BoxStream<'static, Result<Bytes, BoxError>>;

#[derive(Clone, Debug)]
pub struct NewSession {
    /// What the client says at the start; some say it at the end.
    pub details: SessionDetails,
    pub kind: SessionKind,
    pub bytes: Option<u64>,
}

/// An upload in progress, or finished.
#[derive(Clone, Debug)]
pub struct Session {
    pub record: SessionRecord,
    pub details: SessionDetails,
}

impl Session {
    pub fn finished(&self) -> Option<EntryChanged> {
        let finished = self.record.finished.clone()?;
        Some(EntryChanged { path: finished.path, entry: finished.entry, unchanged: true, trashed: None })
    }
}

/// What became of the bytes of one request.
#[derive(Debug)]
pub struct Appended {
    /// Of the whole session, all stored.
    pub received: u64,
    /// Why not everything came, or more than this could not be stored.
    pub broke_off: Option<Error>,
}

impl DriveService {
    pub async fn create_session(&self, actor: &Actor, new: NewSession) -> Result<UploadId> {
        let session = fresh::upload_id();
        let create = CreateSession {
            session,
            kind: new.kind,
            bytes: new.bytes,
            details: new.details.to_bytes(),
            expires_ms: expires_ms(),
        };
        match self.change(actor, TreeChange::CreateSession(create)).await? {
            Outcome::UploadCreated { upload } => Ok(upload),
            outcome => Err(Error::unexpected(outcome)),
        }
    }

    pub async fn session(&self, actor: &Actor, session: UploadId) -> Result<Session> {
        let record = self
            .read(actor, move |view, tree| query::tree::session(view, tree, session))
            .await?
            .filter(|record| record.expires_ms > fresh::unix_ms())
            .ok_or(Error::Refused(Refusal::NoSuchSession))?;
        let details = SessionDetails::from_bytes(&record.details).map_err(onggi_cluster::Error::from)?;
        Ok(Session { record, details })
    }

    /// Stores a piece that begins at `offset`. Runs on when the caller is dropped, as connections are that break off.
    pub async fn append(&self, actor: &Actor, session: &Session, offset: u64, pieces: Pieces) -> Result<Appended> {
        self.append_with(actor, session, Piece { offset, pieces, whole: false }).await
    }

    /// Stores all of a piece or nothing.
    pub async fn append_whole(
        &self,
        actor: &Actor,
        session: &Session,
        offset: u64,
        pieces: Pieces,
    ) -> Result<Appended> {
        self.append_with(actor, session, Piece { offset, pieces, whole: true }).await
    }

    async fn append_with(&self, actor: &Actor, session: &Session, piece: Piece) -> Result<Appended> {
        let (service, actor, record) = (self.clone(), actor.clone(), session.record.clone());
        let run = async move {
            if record.closed {
                return Err(Error::Refused(Refusal::SessionClosed));
            }
            match record.kind {
                SessionKind::Sequential => service.append_next(&actor, record, piece).await,
                SessionKind::Concurrent => service.append_anywhere(&actor, record, piece).await,
            }
        };
        tokio::spawn(run).await.map_err(|_panic| Error::Hashing)?
    }

    /// Takes no more bytes from here on.
    pub async fn close_session(&self, actor: &Actor, session: &Session) -> Result<()> {
        let append = append_of(&session.record, session.record.received, nothing(), Bytes::new());
        self.change(actor, TreeChange::AppendSession(AppendSession { close: true, ..append })).await.map(drop)
    }

    async fn append_next(&self, actor: &Actor, record: SessionRecord, piece: Piece) -> Result<Appended> {
        let Piece { offset, pieces, whole } = piece;
        // What is stored already is sent again after an answer that was lost.
        let Some(mut stored_before) = record.received.checked_sub(offset) else {
            return Err(Error::Refused(Refusal::IncorrectOffset { expected: record.received }));
        };
        let mut pieces = Cut::new(pieces);
        while stored_before > 0 {
            match pieces.next(stored_before).await {
                Some(Ok(piece)) => stored_before -= piece.len() as u64,
                Some(Err(error)) => return Ok(Appended { received: record.received, broke_off: Some(error) }),
                None => return Ok(Appended { received: record.received, broke_off: None }),
            }
        }
        let owner = actor.principal.owner_key();
        let part_bytes = if whole { u64::MAX } else { part_bytes(record.bytes, record.parts) };
        let mut hash = running_hash(&record)?;
        let mut received = record.received;
        loop {
            let mut writer = self.data.blob_writer(owner);
            let mut running = BodyHash::new(hash.clone());
            let (mut filled, mut end) = (0, None);
            while filled < part_bytes {
                match pieces.next(part_bytes - filled).await {
                    Some(Ok(piece)) => {
                        filled += piece.len() as u64;
                        running.update(piece.clone()).await?;
                        writer.push(piece).await?;
                    }
                    Some(Err(error)) => end = Some(Some(error)),
                    None => end = Some(None),
                }
                if end.is_some() {
                    break;
                }
            }
            if let (true, Some(Some(_))) = (whole, &end) {
                return Ok(Appended { received, broke_off: end.flatten() });
            }
            if filled > 0 {
                let (hashed, content) = futures::join!(running.finish(), writer.finish());
                hash = hashed?;
                let part = NewPart { content: content?, ..nothing() };
                let append = append_of(&record, received, part, hash.to_bytes());
                received = self.append_part(actor, append).await?;
            }
            if let Some(broke_off) = end {
                return Ok(Appended { received, broke_off });
            }
        }
    }

    async fn append_anywhere(&self, actor: &Actor, record: SessionRecord, piece: Piece) -> Result<Appended> {
        let Piece { offset, mut pieces, .. } = piece;
        if !offset.is_multiple_of(BLOCK_BYTES) {
            let expected = offset / BLOCK_BYTES * BLOCK_BYTES;
            return Err(Error::Refused(Refusal::IncorrectOffset { expected }));
        }
        let owner = actor.principal.owner_key();
        let mut writer = self.data.blob_writer(owner);
        let mut running = BodyHash::new(PieceHash::default());
        let mut filled = 0;
        while let Some(piece) = pieces.next().await {
            // Side by side, half a piece is of no use to the client: it sends the whole again.
            let piece = piece.map_err(Error::Body)?;
            filled += piece.len() as u64;
            running.update(piece.clone()).await?;
            writer.push(piece).await?;
        }
        if filled == 0 {
            return Ok(Appended { received: record.received, broke_off: None });
        }
        let (hashed, content) = futures::join!(running.finish(), writer.finish());
        let digests = hashed?.finish();
        let part = NewPart { content: content?, md5: digests.md5, ..nothing() };
        let append = append_of(&record, offset, part, digests.to_bytes());
        Ok(Appended { received: self.append_part(actor, append).await?, broke_off: None })
    }

    async fn append_part(&self, actor: &Actor, append: AppendSession) -> Result<u64> {
        match self.change(actor, TreeChange::AppendSession(append)).await? {
            Outcome::SessionAppended { received } => Ok(received),
            outcome => Err(Error::unexpected(outcome)),
        }
    }

    /// The pieces become a file. Asked again, a finished session answers the same.
    pub async fn finish_session(
        &self,
        actor: &Actor,
        session: &Session,
        target: &FileTarget,
        claims: &FileClaims,
    ) -> Result<EntryChanged> {
        if let Some(finished) = session.finished() {
            return Ok(finished);
        }
        let (digests, etag) = match session.record.kind {
            SessionKind::Sequential => (running_hash(&session.record)?.finish(), NO_ETAG),
            SessionKind::Concurrent => {
                let combined = self.combined(actor, session.record.session).await?;
                // Finished by another request meanwhile, it has no pieces any more.
                if let Some(finished) = self.session(actor, session.record.session).await?.finished() {
                    return Ok(finished);
                }
                combined
            }
        };
        claims.check(&digests)?;
        let finish = |mode| {
            TreeChange::FinishSession(FinishSession {
                session: session.record.session,
                path: target.path.clone(),
                mode,
                rename: target.rename(actor),
                bytes: digests.bytes,
                file: target.file(&digests, etag),
            })
        };
        self.write_file(actor, target, finish).await
    }

    /// Where the bytes are that came, in order; none of them empty, and none beginning where another ends.
    pub async fn stored_ranges(&self, actor: &Actor, session: &Session) -> Result<Vec<Range<u64>>> {
        let record = &session.record;
        if record.kind == SessionKind::Sequential || record.finished.is_some() {
            return Ok(Some(0..record.received).filter(|stored| !stored.is_empty()).into_iter().collect());
        }
        let mut stored: Vec<Range<u64>> = Vec::new();
        for (number, digests) in self.pieces(actor, record.session).await? {
            let first = u64::from(number - 1) * BLOCK_BYTES;
            match stored.last_mut().filter(|before| before.end == first) {
                Some(before) => before.end += digests.bytes,
                None => stored.push(first..first + digests.bytes),
            }
        }
        Ok(stored)
    }

    async fn combined(&self, actor: &Actor, session: UploadId) -> Result<(ContentDigests, ETag)> {
        let pieces: Vec<PieceDigests> =
            self.pieces(actor, session).await?.into_iter().map(|(_, digests)| digests).collect();
        Ok((PieceDigests::combine(&pieces), PieceDigests::etag(&pieces)))
    }

    /// That came side by side, by part number.
    async fn pieces(&self, actor: &Actor, session: UploadId) -> Result<Vec<(u16, PieceDigests)>> {
        let parts = self.read(actor, move |view, tree| query::tree::session_parts(view, tree, session)).await?;
        let digests = |(number, part): (u16, SessionPartRecord)| Ok((number, PieceDigests::from_bytes(&part.state)?));
        let pieces: Result<Vec<_>, onggi_storage_engine::error::Error> = parts.into_iter().map(digests).collect();
        Ok(pieces.map_err(onggi_cluster::Error::from)?)
    }

    pub async fn abort_session(&self, actor: &Actor, session: UploadId) -> Result<()> {
        self.change(actor, TreeChange::AbortSession { session }).await.map(drop)
    }
}

/// What one request brings.
struct Piece {
    offset: u64,
    pieces: Pieces,
    /// All of it or nothing.
    whole: bool,
}

/// Of a file whose MD5 is known anyway.
const NO_ETAG: ETag = ETag { md5: [0; 16], parts: None };

fn expires_ms() -> u64 {
    fresh::unix_ms() + SESSION_AGE_MAX.as_millis() as u64
}

fn append_of(record: &SessionRecord, offset: u64, part: NewPart, state: Bytes) -> AppendSession {
    AppendSession { session: record.session, offset, part, state, expires_ms: expires_ms(), close: false }
}

/// Its number is given when it is stored. The MD5 of a part of its own would be computed for nobody.
fn nothing() -> NewPart {
    NewPart { number: 0, content: NewContent::empty(), md5: [0; 16], checksum: None }
}

fn running_hash(record: &SessionRecord) -> Result<ContentHash> {
    if record.state.is_empty() {
        return Ok(ContentHash::default());
    }
    Ok(ContentHash::from_bytes(&record.state).map_err(onggi_cluster::Error::from)?)
}

/// Of a length that is not known the parts grow with their number.
fn part_bytes(declared: Option<u64>, parts: u16) -> u64 {
    let by_length = declared.unwrap_or(0) / PARTS_WANTED_MAX;
    let by_number = PART_BYTES_MIN << (u64::from(parts) / PARTS_WANTED_MAX);
    by_length.max(by_number).next_multiple_of(BLOCK_BYTES)
}

/// Pieces of a body, cut to what there is room for.
struct Cut {
    pieces: Pieces,
    rest: Bytes,
}

impl Cut {
    fn new(pieces: Pieces) -> Self {
        Self { pieces, rest: Bytes::new() }
    }

    /// Never empty.
    async fn next(&mut self, bytes_max: u64) -> Option<Result<Bytes>> {
        while self.rest.is_empty() {
            match self.pieces.next().await? {
                Ok(piece) => self.rest = piece,
                Err(error) => return Some(Err(Error::Body(error))),
            }
        }
        let take = usize::try_from(bytes_max).unwrap_or(usize::MAX).min(self.rest.len());
        Some(Ok(self.rest.split_to(take)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_grow_with_the_file() {
        assert_eq!(part_bytes(Some(5), 0), 16 << 20);
        assert_eq!(part_bytes(Some(64 << 30), 0), 16 << 20);
        assert_eq!(part_bytes(Some(5 << 40), 0), 1280 << 20);
        assert_eq!(part_bytes(None, 0), 16 << 20);
        assert_eq!(part_bytes(None, 4096), 32 << 20);
        assert_eq!(part_bytes(None, 60_000), 256 << 30);
    }

    #[tokio::test]
    async fn pieces_are_cut() {
        let pieces: Vec<Result<Bytes, BoxError>> =
            vec![Ok(Bytes::from_static(b"abcde")), Ok(Bytes::new()), Ok(Bytes::from_static(b"f")), Err("gone".into())];
        let mut cut = Cut::new(futures::stream::iter(pieces).boxed());
        assert_eq!(cut.next(2).await.unwrap().unwrap(), "ab");
        assert_eq!(cut.next(9).await.unwrap().unwrap(), "cde");
        assert_eq!(cut.next(9).await.unwrap().unwrap(), "f");
        assert!(cut.next(9).await.unwrap().is_err());
        assert!(cut.next(9).await.is_none());
    }
}
