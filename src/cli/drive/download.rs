//! Download: a file, or a folder with all that is in it.
//! Owns: that what was cut short goes on where it stopped, of the same revision, and that a file stands under its name only whole.

use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use bytes::Bytes;
use clap::Args;
use futures::{StreamExt, TryStreamExt};
use http::header::RANGE;
use http::{HeaderMap, Method};
use http_body_util::{BodyExt, Limited};
use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::client::{DriveClient, NoAnswer};
use super::entries;
use super::message::{Entry, File, Revisions};
use super::retry::retried;
use super::session::FILES_MAX;
use crate::cli::https::segment;
use crate::cli::output;
use crate::cli::progress::Transfers;

/// One request, in memory until it is written: what is there is always the beginning of the file.
const PIECE_BYTES: u64 = 4 << 20;
/// Of one file.
const PIECES_MAX: usize = 4;

#[derive(Debug, Args)]
pub struct GetArguments {
    /// File or folder of the drive
    path: String,
    /// Folder of this machine
    #[arg(long, default_value = ".")]
    to: PathBuf,
    /// An old revision of a file
    #[arg(long)]
    rev: Option<String>,
}

pub async fn get(client: &DriveClient, arguments: GetArguments) -> Result<()> {
    let GetArguments { path, to, rev } = arguments;
    let entry: Entry = client.call("/files/metadata", &json!({ "path": path })).await?;
    let above = entry.path().rsplit_once('/').map_or("", |(above, _)| above).to_owned();
    let files: Vec<File> = match entry {
        Entry::File(file) => match rev {
            Some(rev) => vec![revision(client, file, rev).await?],
            None => vec![file],
        },
        Entry::Folder(_) if rev.is_some() => bail!("{path} is a folder: it has no revisions"),
        Entry::Folder(folder) => files_below(client, &folder.path, &above, &to).await?,
        Entry::Removed { path } => bail!("{path} is not there any more"),
    };
    let all: u64 = files.iter().map(|file| file.size).sum();
    let transfers = Transfers::of(all);
    let fetched = futures::stream::iter(&files).map(|file| async {
        let local = local_path(&to, &above, &file.path);
        fetch(client, file, &local, &mut transfers.file(&file.path)).await.context(file.path.clone())
    });
    fetched.buffer_unordered(FILES_MAX).try_collect::<()>().await?;
    transfers.end();
    println!("{} files, {}", files.len(), output::bytes(all));
    Ok(())
}

/// The file as it was.
async fn revision(client: &DriveClient, file: File, rev: String) -> Result<File> {
    let argument = json!({ "path": file.path, "limit": 100 });
    let revisions: Revisions = client.call("/files/list_revisions", &argument).await?;
    let Some(found) = revisions.entries.into_iter().find(|revision| revision.rev == rev) else {
        bail!("{rev} is none of the last 100 revisions of {}", file.path);
    };
    Ok(File { rev, size: found.size, ..file })
}

/// Empty folders are made too.
async fn files_below(client: &DriveClient, path: &str, above: &str, to: &Path) -> Result<Vec<File>> {
    let mut files = Vec::new();
    std::fs::create_dir_all(local_path(to, above, path))?;
    for entry in entries::all(client, path, true).await? {
        match entry {
            Entry::File(file) => files.push(file),
            Entry::Folder(folder) => std::fs::create_dir_all(local_path(to, above, &folder.path))?,
            Entry::Removed { .. } => {}
        }
    }
    Ok(files)
}

/// Names of the drive hold no slash and are never `..`: nothing gets out of `to`.
fn local_path(to: &Path, above: &str, path: &str) -> PathBuf {
    let below = path.strip_prefix(above).unwrap_or(path);
    below
        .split('/')
        .filter(|name| !name.is_empty() && *name != "." && *name != "..")
        .fold(to.to_owned(), |to, name| to.join(name))
}

async fn fetch(client: &DriveClient, file: &File, local: &Path, show: &mut (impl FnMut(u64) + Send)) -> Result<()> {
    if let Some(folder) = local.parent() {
        std::fs::create_dir_all(folder)?;
    }
    // The revision is in the name: what is left of another one is not gone on with.
    let name = local.file_name().and_then(|name| name.to_str()).unwrap_or("file");
    let part = local.with_file_name(format!(".{name}.{}.onggi-part", file.rev));
    fetch_part(client, &file.into(), &part, show).await?;
    std::fs::rename(&part, local).with_context(|| format!("put {} in its place", local.display()))
}

/// One revision of a file.
pub struct Wanted {
    pub id: String,
    pub rev: String,
    pub bytes: u64,
}

impl From<&File> for Wanted {
    fn from(file: &File) -> Self {
        Self { id: file.id.clone(), rev: file.rev.clone(), bytes: file.size }
    }
}

/// All of it into `part`, after what is there already. It is on the disk when this returns.
pub async fn fetch_part(
    client: &DriveClient,
    wanted: &Wanted,
    part: &Path,
    show: &mut (impl FnMut(u64) + Send),
) -> Result<()> {
    retried(async || receive(client, wanted, part, show).await).await
}

async fn receive(
    client: &DriveClient,
    wanted: &Wanted,
    part: &Path,
    show: &mut (impl FnMut(u64) + Send),
) -> Result<()> {
    let options = tokio::fs::OpenOptions::new().create(true).append(true).open(part).await;
    let mut out = options.with_context(|| format!("open {}", part.display()))?;
    let mut received = out.metadata().await?.len();
    let starts = (received..wanted.bytes).step_by(usize::try_from(PIECE_BYTES)?);
    let pieces = starts.map(|first| receive_piece(client, wanted, first..wanted.bytes.min(first + PIECE_BYTES)));
    let mut pieces = futures::stream::iter(pieces).buffered(PIECES_MAX);
    while let Some(piece) = pieces.try_next().await? {
        out.write_all(&piece).await?;
        received += piece.len() as u64;
        show(received);
    }
    out.flush().await?;
    out.sync_all().await?;
    match received == wanted.bytes {
        true => Ok(()),
        false => bail!("{received} bytes are there instead of {}: remove {}", wanted.bytes, part.display()),
    }
}

async fn receive_piece(client: &DriveClient, wanted: &Wanted, range: Range<u64>) -> Result<Bytes> {
    let headers = HeaderMap::from_iter([(RANGE, format!("bytes={}-{}", range.start, range.end - 1).parse()?)]);
    let target = format!("/files/download?id={}&rev={}", segment(&wanted.id), wanted.rev);
    let body = client.send(Method::GET, &target, headers, Bytes::new()).await?.into_body();
    let body = Limited::new(body, usize::try_from(PIECE_BYTES)?).collect().await;
    let piece = body.map_err(|error| anyhow!(error).context(NoAnswer::BrokenOff))?.to_bytes();
    match piece.len() as u64 == range.end - range.start {
        true => Ok(piece),
        false => Err(NoAnswer::BrokenOff.into()),
    }
}
