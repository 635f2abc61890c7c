//! Parallel upload, from the client's side: the pieces of a large file go side by side, in any order, and none is sent twice.

use std::fs::File as LocalFile;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use http::{HeaderMap, Method};
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::client::DriveClient;
use super::message::File;
use super::retry::retried;
use super::session::{PIECE_BYTES, Progress, UploadSession};

/// Of one file.
const PIECES_MAX: usize = 4;

/// Of all files that one command sends: each is in memory while it is sent.
pub const PIECES_OF_ALL_MAX: usize = 2 * PIECES_MAX;

#[derive(Deserialize)]
struct Stored {
    stored: Vec<StoredRange>,
}

#[derive(Deserialize)]
struct StoredRange {
    first: u64,
    last: u64,
}

/// All of `file` that the session does not have. A piece holds a permit of `room`.
pub async fn send(
    client: &DriveClient,
    session: &UploadSession<'_>,
    file: LocalFile,
    room: &Semaphore,
    show: &mut (impl FnMut(u64) + Send),
) -> Result<File> {
    let stored: Stored = retried(|| client.json(Method::GET, session.url(), HeaderMap::new(), Bytes::new())).await?;
    let stored: Vec<Range<u64>> = stored.stored.into_iter().map(|range| range.first..range.last + 1).collect();
    let missing = missing(session.bytes(), &stored);
    let mut sent = session.bytes() - missing.iter().map(|piece| piece.end - piece.start).sum::<u64>();
    show(sent);
    let file = Arc::new(file);
    let pieces = missing.into_iter().map(|piece| async {
        let _room = room.acquire().await?;
        let bytes = read(file.clone(), piece.clone()).await?;
        let progress = retried(|| session.put_piece(piece.start, bytes.clone())).await?;
        anyhow::Ok((piece, progress))
    });
    let mut pieces = futures::stream::iter(pieces).buffer_unordered(PIECES_MAX);
    let mut made = None;
    while let Some((piece, progress)) = pieces.try_next().await? {
        sent += piece.end - piece.start;
        show(sent);
        if let Progress::Finished(file) = progress {
            made = Some(*file);
        }
    }
    match made {
        Some(made) => Ok(made),
        // Nothing was missing, or the answer to the last piece was that of another try.
        None => match retried(|| session.progress()).await? {
            Progress::Finished(made) => Ok(*made),
            Progress::Received(_) => bail!("the server has all bytes, and did not make a file of them"),
        },
    }
}

/// Pieces of what is not stored, cut at multiples of their size.
fn missing(bytes: u64, stored: &[Range<u64>]) -> Vec<Range<u64>> {
    let is_stored =
        |piece: &Range<u64>| stored.iter().any(|range| range.start <= piece.start && piece.end <= range.end);
    let cuts = (0..bytes).step_by(usize::try_from(PIECE_BYTES).unwrap_or(usize::MAX));
    cuts.map(|first| first..bytes.min(first + PIECE_BYTES)).filter(|piece| !is_stored(piece)).collect()
}

async fn read(file: Arc<LocalFile>, piece: Range<u64>) -> Result<Bytes> {
    let read = tokio::task::spawn_blocking(move || -> Result<Bytes> {
        let mut bytes = vec![0; usize::try_from(piece.end - piece.start)?];
        file.read_exact_at(&mut bytes, piece.start).context("the file became shorter while it was sent")?;
        Ok(bytes.into())
    });
    read.await?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_not_sent_again() {
        const P: u64 = PIECE_BYTES;
        let starts = |bytes, stored: &[(u64, u64)]| {
            let stored: Vec<Range<u64>> = stored.iter().map(|(first, end)| *first..*end).collect();
            missing(bytes, &stored).into_iter().map(|piece| (piece.start, piece.end)).collect::<Vec<_>>()
        };
        let (first, second, last) = ((0, P), (P, 2 * P), (2 * P, 2 * P + 5));
        assert_eq!(starts(2 * P + 5, &[]), [first, second, last]);
        assert_eq!(starts(2 * P + 5, &[second]), [first, last]);
        // Of a piece that another program cut otherwise.
        assert_eq!(starts(2 * P + 5, &[(0, P + (4 << 20)), last]), [second]);
        assert_eq!(starts(2 * P, &[(0, 2 * P)]), []);
    }
}
