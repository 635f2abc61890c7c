//! Upload: files and folders, large ones in pieces that are not sent twice.
//! Owns: what is remembered of an upload that was cut short, so that the same command goes on with it.

use std::io::SeekFrom;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result, anyhow, bail};
use bytes::Bytes;
use clap::Args;
use http::header::{CONTENT_RANGE, CONTENT_TYPE, LOCATION, RANGE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::client::{DriveClient, Refused, whole};
use super::message::{Entry, File};
use crate::cli::https::segment;
use crate::cli::output;
use crate::cli::progress::{Line, bar};

/// One request; larger files go in pieces of this size.
const PIECE_BYTES: u64 = 16 << 20;
/// A file may hold still for a server that restarts.
const ATTEMPTS_MAX: u32 = 6;

#[derive(Debug, Args)]
pub struct PutArguments {
    /// Files and folders of this machine
    #[arg(required = true)]
    from: Vec<PathBuf>,
    /// Folder of the drive; made if it is missing
    #[arg(long, default_value = "/")]
    to: String,
    /// Make a new revision of a file that is there; otherwise one of other contents is an error
    #[arg(long)]
    overwrite: bool,
}

struct Upload {
    local: PathBuf,
    path: String,
    mode: &'static str,
    bytes: u64,
    modified_ms: u64,
}

/// What lets the same command go on.
#[derive(Serialize, Deserialize)]
struct Unfinished {
    session: String,
}

pub async fn put(client: &mut DriveClient, home: &Path, arguments: PutArguments) -> Result<()> {
    let mode = if arguments.overwrite { "overwrite" } else { "add" };
    let mut files = Vec::new();
    for from in &arguments.from {
        collect(client, from, arguments.to.trim_end_matches('/'), mode, &mut files).await?;
    }
    let all: u64 = files.iter().map(|file| file.bytes).sum();
    let (mut line, mut done) = (Line::default(), 0);
    for file in &files {
        let mut show = |sent: u64| {
            let text = format!("{} {}", bar(done + sent, all), file.local.display());
            line.show(text);
        };
        show(0);
        send(client, home, file, &mut show).await.with_context(|| file.local.display().to_string())?;
        done += file.bytes;
    }
    line.end();
    println!("{} files, {}", files.len(), output::bytes(all));
    Ok(())
}

/// Folders are made on the way, empty ones too.
async fn collect(
    client: &mut DriveClient,
    from: &Path,
    to: &str,
    mode: &'static str,
    files: &mut Vec<Upload>,
) -> Result<()> {
    let name = from.canonicalize().with_context(|| from.display().to_string())?;
    let name = name.file_name().and_then(|name| name.to_str()).map(str::to_owned);
    let name = name.ok_or_else(|| anyhow!("{}: its name is no UTF-8", from.display()))?;
    let mut left = vec![(from.to_owned(), format!("{to}/{name}"))];
    while let Some((local, path)) = left.pop() {
        let found = std::fs::metadata(&local).with_context(|| local.display().to_string())?;
        if found.is_dir() {
            create_folder(client, &path).await?;
            for child in std::fs::read_dir(&local).with_context(|| local.display().to_string())? {
                let child = child?;
                let name = child.file_name().into_string();
                let name = name.map_err(|name| anyhow!("{}/{name:?}: its name is no UTF-8", local.display()))?;
                left.push((child.path(), format!("{path}/{name}")));
            }
        } else if found.is_file() {
            let modified = found.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            let modified_ms = modified.map_or(0, |since| since.as_millis() as u64);
            files.push(Upload { local, path, mode, bytes: found.len(), modified_ms });
        }
    }
    Ok(())
}

async fn create_folder(client: &mut DriveClient, path: &str) -> Result<()> {
    match client.call::<Entry>("/files/create_folder", &json!({ "path": path })).await {
        Ok(_) => Ok(()),
        Err(error) if error.downcast_ref::<Refused>().is_some_and(|refused| refused.code == "exists") => Ok(()),
        Err(error) => Err(error.context(path.to_owned())),
    }
}

async fn send(client: &mut DriveClient, home: &Path, file: &Upload, show: &mut impl FnMut(u64)) -> Result<()> {
    if file.bytes <= PIECE_BYTES {
        let body = Bytes::from(tokio::fs::read(&file.local).await?);
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"))]);
        let target = format!(
            "/files/upload?uploadType=media&path={}&mode={}&client_modified={}",
            segment(&file.path),
            file.mode,
            segment(&rfc3339(file.modified_ms)?)
        );
        let sent = body.len() as u64;
        let _: File = client.json(Method::POST, &target, headers, body).await?;
        show(sent);
        return Ok(());
    }
    let memory = home.join(format!("upload-{}.json", fingerprint(client, file)));
    let session = match unfinished(&memory) {
        Some(session) if received(client, &session, file.bytes).await.is_ok() => session,
        _ => begin(client, file, &memory).await?,
    };
    send_pieces(client, file, &session, show).await?;
    std::fs::remove_file(&memory).ok();
    Ok(())
}

async fn begin(client: &mut DriveClient, file: &Upload, memory: &Path) -> Result<String> {
    let argument = json!({ "path": file.path, "mode": file.mode, "client_modified": rfc3339(file.modified_ms)? });
    let headers = HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (http::HeaderName::from_static("x-upload-content-length"), HeaderValue::from(file.bytes)),
    ]);
    let body = Bytes::from(serde_json::to_vec(&argument)?);
    let response = client.send(Method::POST, "/files/upload?uploadType=resumable", headers, body).await?;
    let session = response.headers().get(LOCATION).and_then(|location| location.to_str().ok()).map(str::to_owned);
    let session = session.context("the server's answer names no session")?;
    std::fs::write(memory, serde_json::to_vec(&Unfinished { session: session.clone() })?)
        .with_context(|| format!("write {}", memory.display()))?;
    Ok(session)
}

fn unfinished(memory: &Path) -> Option<String> {
    let unfinished: Unfinished = serde_json::from_slice(&std::fs::read(memory).ok()?).ok()?;
    Some(unfinished.session)
}

/// From where the server says it stands, whatever was lost on the way.
async fn send_pieces(client: &mut DriveClient, file: &Upload, session: &str, show: &mut impl FnMut(u64)) -> Result<()> {
    let mut opened = tokio::fs::File::open(&file.local).await?;
    let mut failures = 0;
    loop {
        let step = async {
            let offset = match received(client, session, file.bytes).await? {
                Received::Bytes(offset) => offset,
                Received::All => return Ok(None),
            };
            send_from(client, file, session, &mut opened, offset, show).await
        };
        match step.await {
            Ok(_) => return Ok(()),
            Err(error) if is_passing(&error) && failures < ATTEMPTS_MAX => {
                failures += 1;
                tokio::time::sleep(std::time::Duration::from_secs(1 << failures)).await;
            }
            Err(error) => return Err(error),
        }
    }
}

async fn send_from(
    client: &mut DriveClient,
    file: &Upload,
    session: &str,
    opened: &mut tokio::fs::File,
    mut offset: u64,
    show: &mut impl FnMut(u64),
) -> Result<Option<u64>> {
    opened.seek(SeekFrom::Start(offset)).await?;
    while offset < file.bytes {
        let length = PIECE_BYTES.min(file.bytes - offset);
        let mut piece = vec![0; usize::try_from(length)?];
        opened.read_exact(&mut piece).await.context("the file became shorter while it was sent")?;
        let range = format!("bytes {offset}-{}/{}", offset + length - 1, file.bytes);
        let headers = HeaderMap::from_iter([(CONTENT_RANGE, range.parse()?)]);
        let response = client.send(Method::PUT, session, headers, Bytes::from(piece)).await?;
        if response.status() != StatusCode::PERMANENT_REDIRECT {
            whole(response).await?;
            show(file.bytes);
            return Ok(None);
        }
        let stands_at = stored(response.headers());
        if stands_at != offset + length {
            // The server took less: what comes next begins there.
            opened.seek(SeekFrom::Start(stands_at)).await?;
        }
        offset = stands_at;
        show(offset);
    }
    bail!("the server has all bytes, and did not make a file of them")
}

enum Received {
    Bytes(u64),
    /// The file is made.
    All,
}

async fn received(client: &mut DriveClient, session: &str, bytes: u64) -> Result<Received> {
    let headers = HeaderMap::from_iter([(CONTENT_RANGE, format!("bytes */{bytes}").parse()?)]);
    let response = client.send(Method::PUT, session, headers, Bytes::new()).await?;
    match response.status() {
        StatusCode::PERMANENT_REDIRECT => Ok(Received::Bytes(stored(response.headers()))),
        _ => Ok(Received::All),
    }
}

/// `Range: bytes=0-262143`; without it nothing is stored yet.
fn stored(headers: &HeaderMap) -> u64 {
    let range = headers.get(RANGE).and_then(|range| range.to_str().ok());
    let last = range.and_then(|range| range.rsplit('-').next()).and_then(|last| last.parse::<u64>().ok());
    last.map_or(0, |last| last + 1)
}

/// Another try may help: nobody answered, or the server asks for one.
fn is_passing(error: &anyhow::Error) -> bool {
    match error.downcast_ref::<Refused>() {
        Some(refused) => refused.status.is_server_error() || refused.status == StatusCode::TOO_MANY_REQUESTS,
        None => !error.is::<std::io::Error>(),
    }
}

/// The same file, unchanged, to the same place of the same drive.
fn fingerprint(client: &DriveClient, file: &Upload) -> String {
    let parts = [
        client.sign_in.endpoint.as_str(),
        &client.sign_in.user,
        &file.path,
        &file.local.display().to_string(),
        &file.bytes.to_string(),
        &file.modified_ms.to_string(),
        file.mode,
    ];
    hex::encode(&Sha256::digest(parts.join("\n"))[..16])
}

fn rfc3339(unix_ms: u64) -> Result<String> {
    let nanoseconds = i128::from(unix_ms) * 1_000_000;
    let time = time::OffsetDateTime::from_unix_timestamp_nanos(nanoseconds)?;
    Ok(time.format(&time::format_description::well_known::Rfc3339)?)
}
