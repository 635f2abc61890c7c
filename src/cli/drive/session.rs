//! Upload session, from the client's side: a file that goes in pieces, of which none is sent twice.
//! Owns: what is remembered of an upload that was cut short, and that it goes on from where the server says it stands.

use std::io::SeekFrom;
use std::path::Path;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::header::{CONTENT_RANGE, CONTENT_TYPE, LOCATION, RANGE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::client::{DriveClient, decode, whole};
use super::message::File;
use super::retry::retried;

/// One request; larger files go in pieces of this size.
pub const PIECE_BYTES: u64 = 16 << 20;
/// Transferred at a time: small ones wait for the disk of the drive, large ones for the line.
pub const FILES_MAX: usize = 6;
/// Of one request to copy what is stored (docs/drive.md).
const COPY_BYTES_MAX: u64 = 256 << 20;

pub struct UploadSession<'a> {
    client: &'a DriveClient,
    url: String,
    bytes: u64,
}

/// How its pieces may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionKind {
    InOrder,
    SideBySide,
}

/// What the server has.
pub enum Progress {
    /// From the first byte on; 0 of one whose pieces come side by side.
    Received(u64),
    /// The file is made.
    Finished(Box<File>),
}

/// Bytes of the new file that come from one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    pub at: u64,
    pub bytes: u64,
    /// Where they stand in the revision that is stored; else they are sent.
    pub stored_at: Option<u64>,
}

/// A revision of which runs are copied.
#[derive(Clone, Debug)]
pub struct Base {
    pub id: String,
    pub rev: String,
}

/// What lets a later command go on.
#[derive(Serialize, Deserialize)]
struct Unfinished {
    session: String,
}

impl<'a> UploadSession<'a> {
    /// The one that `memory` names, if the server still has it; else a new one, which `memory` names from then on.
    pub async fn open(
        client: &'a DriveClient,
        memory: &Path,
        kind: SessionKind,
        argument: &Value,
        bytes: u64,
    ) -> Result<Self> {
        if let Some(url) = unfinished(memory) {
            let session = Self { client, url, bytes };
            if session.progress().await.is_ok() {
                return Ok(session);
            }
        }
        let headers = HeaderMap::from_iter([
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (HeaderName::from_static("x-upload-content-length"), HeaderValue::from(bytes)),
        ]);
        let body = Bytes::from(serde_json::to_vec(argument)?);
        let target = match kind {
            SessionKind::InOrder => "/files/upload?uploadType=resumable",
            SessionKind::SideBySide => "/files/upload?uploadType=parallel",
        };
        let response = client.send(Method::POST, target, headers, body).await?;
        let url = response.headers().get(LOCATION).and_then(|location| location.to_str().ok()).map(str::to_owned);
        let url = url.context("the server's answer names no session")?;
        std::fs::write(memory, serde_json::to_vec(&Unfinished { session: url.clone() })?)
            .with_context(|| format!("write {}", memory.display()))?;
        Ok(Self { client, url, bytes })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub async fn progress(&self) -> Result<Progress> {
        self.put(format!("bytes */{}", self.bytes), Bytes::new()).await
    }

    /// Bytes that stand at `first` in the file.
    pub async fn put_piece(&self, first: u64, piece: Bytes) -> Result<Progress> {
        let range = format!("bytes {first}-{}/{}", first + piece.len() as u64 - 1, self.bytes);
        self.put(range, piece).await
    }

    /// All of a file. `base` is where runs that are stored are copied from.
    pub async fn send(
        &self,
        file: &mut tokio::fs::File,
        runs: &[Run],
        base: Option<&Base>,
        show: &mut (impl FnMut(u64) + Send),
    ) -> Result<File> {
        retried(async || self.send_from_where_it_stands(file, runs, base, show).await).await
    }

    async fn send_from_where_it_stands(
        &self,
        file: &mut tokio::fs::File,
        runs: &[Run],
        base: Option<&Base>,
        show: &mut (impl FnMut(u64) + Send),
    ) -> Result<File> {
        let mut progress = self.progress().await?;
        loop {
            let at = match progress {
                Progress::Finished(made) => {
                    show(self.bytes);
                    return Ok(*made);
                }
                Progress::Received(at) => at,
            };
            show(at);
            let Some(run) = runs.iter().find(|run| (run.at..run.at + run.bytes).contains(&at)) else {
                bail!("the server has all bytes, and did not make a file of them")
            };
            let left = run.at + run.bytes - at;
            progress = match (run.stored_at, base) {
                (Some(first), Some(base)) => {
                    let first = first + (at - run.at);
                    self.copy(base, first, left.min(COPY_BYTES_MAX), at).await?
                }
                _ => {
                    let mut piece = vec![0; usize::try_from(left.min(PIECE_BYTES))?];
                    file.seek(SeekFrom::Start(at)).await?;
                    file.read_exact(&mut piece).await.context("the file became shorter while it was sent")?;
                    self.put_piece(at, Bytes::from(piece)).await?
                }
            };
        }
    }

    async fn put(&self, range: String, piece: Bytes) -> Result<Progress> {
        let headers = HeaderMap::from_iter([(CONTENT_RANGE, range.parse()?)]);
        progress_of(self.client.send(Method::PUT, &self.url, headers, piece).await?).await
    }

    async fn copy(&self, base: &Base, first: u64, bytes: u64, at: u64) -> Result<Progress> {
        let argument = json!({ "id": base.id, "rev": base.rev, "first": first, "bytes": bytes, "at": at });
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        let body = Bytes::from(serde_json::to_vec(&argument)?);
        progress_of(self.client.send(Method::POST, &format!("{}/copy", self.url), headers, body).await?).await
    }
}

async fn progress_of(response: Response<Incoming>) -> Result<Progress> {
    if response.status() == StatusCode::PERMANENT_REDIRECT {
        return Ok(Progress::Received(stored(response.headers())));
    }
    Ok(Progress::Finished(Box::new(decode(&whole(response).await?)?)))
}

fn unfinished(memory: &Path) -> Option<String> {
    let unfinished: Unfinished = serde_json::from_slice(&std::fs::read(memory).ok()?).ok()?;
    Some(unfinished.session)
}

/// `Range: bytes=0-262143`; without it nothing is stored yet.
fn stored(headers: &HeaderMap) -> u64 {
    let range = headers.get(RANGE).and_then(|range| range.to_str().ok());
    let last = range.and_then(|range| range.rsplit('-').next()).and_then(|last| last.parse::<u64>().ok());
    last.map_or(0, |last| last + 1)
}
