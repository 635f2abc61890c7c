//! Upload: files and folders.
//! Owns: that the same command goes on with what was cut short, as long as the file is the same.

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use clap::Args;
use futures::{StreamExt, TryStreamExt};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use super::client::{DriveClient, Refused};
use super::message::{Entry, File};
use super::parallel_upload::{self, PIECES_OF_ALL_MAX};
use super::session::{FILES_MAX, PIECE_BYTES, SessionKind, UploadSession};
use crate::cli::https::segment;
use crate::cli::output;
use crate::cli::progress::Transfers;

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

pub async fn put(client: &DriveClient, home: &Path, arguments: PutArguments) -> Result<()> {
    let mode = if arguments.overwrite { "overwrite" } else { "add" };
    let mut files = Vec::new();
    for from in &arguments.from {
        collect(client, from, arguments.to.trim_end_matches('/'), mode, &mut files).await?;
    }
    let all: u64 = files.iter().map(|file| file.bytes).sum();
    let (transfers, room) = (Transfers::of(all), Semaphore::new(PIECES_OF_ALL_MAX));
    let sent = futures::stream::iter(&files).map(|file| async {
        let name = file.local.display().to_string();
        send(client, home, file, &room, &mut transfers.file(&name)).await.context(name.clone())
    });
    sent.buffer_unordered(FILES_MAX).try_collect::<()>().await?;
    transfers.end();
    println!("{} files, {}", files.len(), output::bytes(all));
    Ok(())
}

/// Folders are made on the way, empty ones too.
async fn collect(
    client: &DriveClient,
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

async fn create_folder(client: &DriveClient, path: &str) -> Result<()> {
    match client.call::<Entry>("/files/create_folder", &json!({ "path": path })).await {
        Ok(_) => Ok(()),
        Err(error) if error.downcast_ref::<Refused>().is_some_and(|refused| refused.code == "exists") => Ok(()),
        Err(error) => Err(error.context(path.to_owned())),
    }
}

async fn send(
    client: &DriveClient,
    home: &Path,
    file: &Upload,
    room: &Semaphore,
    show: &mut (impl FnMut(u64) + Send),
) -> Result<()> {
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
    let memory = home.join(format!("parallel-upload-{}.json", fingerprint(client, file)));
    let argument = json!({ "path": file.path, "mode": file.mode, "client_modified": rfc3339(file.modified_ms)? });
    let session = UploadSession::open(client, &memory, SessionKind::SideBySide, &argument, file.bytes).await?;
    parallel_upload::send(client, &session, std::fs::File::open(&file.local)?, room, show).await?;
    std::fs::remove_file(&memory).ok();
    Ok(())
}

/// The same file, unchanged, to the same place of the same drive.
fn fingerprint(client: &DriveClient, file: &Upload) -> String {
    let parts = [
        client.endpoint(),
        client.user(),
        &file.path,
        &file.local.display().to_string(),
        &file.bytes.to_string(),
        &file.modified_ms.to_string(),
        file.mode,
    ];
    hex::encode(&Sha256::digest(parts.join("\n"))[..16])
}

pub fn rfc3339(unix_ms: u64) -> Result<String> {
    let nanoseconds = i128::from(unix_ms) * 1_000_000;
    let time = time::OffsetDateTime::from_unix_timestamp_nanos(nanoseconds)?;
    Ok(time.format(&time::format_description::well_known::Rfc3339)?)
}
