//! Carry out: one operation of a plan, on the disk and on the drive.
//! Owns: the order of steps within it, such that it can stop between any two (docs/drive-sync.md, "Every step").

use std::fs::FileTimes;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::delta::{self, Chunks};
use super::disk::{Changed, DOWN, Disk, UP};
use super::plan::{Action, Operation};
use super::remote::{RemoteTree, remote_file};
use super::scan::{hash_file, now_ns, stamp};
use super::state::{Change, State};
use super::tree::{
    Local, LocalFile, LocalItem, Remote, RemoteFile, RemoteItem, Synced, Tree, Trees, below, key, name_of, parent_of,
};
use crate::cli::drive::client::{DriveClient, Refused};
use crate::cli::drive::download::{Wanted, fetch_part};
use crate::cli::drive::entries;
use crate::cli::drive::message::{Entry, File};
use crate::cli::drive::retry::is_passing;
use crate::cli::drive::session::{Base, PIECE_BYTES, SessionKind, UploadSession};
use crate::cli::drive::upload::rfc3339;
use crate::cli::https::segment;

/// What an operation works on.
pub struct Hands<'a> {
    pub client: &'a DriveClient,
    pub disk: &'a Disk,
    pub state: &'a State,
    pub remote: &'a RemoteTree,
    pub trees: &'a Trees,
}

impl Hands<'_> {
    /// What is to be remembered of it. `Changed`: something is not as it was seen, look again.
    pub async fn carry_out(&self, operation: &Operation) -> Result<Vec<Change>> {
        let key = &operation.key;
        match &operation.action {
            Action::MoveLocal { to } => self.move_local(key, to),
            Action::MoveRemote { to } => self.move_remote(key, to).await,
            Action::SetAside => self.set_aside(key),
            Action::Remember => Ok(self.remember(key, self.local(key)?, self.there(key)?)),
            Action::Forget | Action::RemoveLocal => self.remove_local(key),
            Action::MakeLocal => self.make_local(key),
            Action::MakeRemote => self.make_remote(key).await,
            Action::Download => self.download(key, false).await,
            Action::Resolve => self.download(key, true).await,
            Action::Upload { over } => self.upload(key, over.as_deref()).await,
            Action::RemoveRemote => self.remove_remote(key).await,
        }
        .map_err(|error| if is_outdated(&error) { error.context(Changed) } else { error })
    }

    fn local(&self, key: &str) -> Result<&Local> {
        self.trees.local.get(key).with_context(|| format!("nothing stands here at {key}"))
    }

    fn there(&self, key: &str) -> Result<&Remote> {
        self.trees.remote.get(key).with_context(|| format!("nothing stands on the drive at {key}"))
    }

    fn remember(&self, key: &str, local: &Local, remote: &Remote) -> Vec<Change> {
        Synced::of(local, remote).map(|synced| Change::Put(key.to_owned(), Box::new(synced))).into_iter().collect()
    }

    /// Where an entry of the drive stands here: folders as they are spelled here.
    fn local_path(&self, remote: &Remote) -> String {
        let parent = parent_of(&remote.path).and_then(|parent| self.trees.local.get(&key(parent)));
        parent.map_or_else(|| remote.path.clone(), |parent| format!("{}/{}", parent.path, name_of(&remote.path)))
    }

    fn move_local(&self, key: &str, to: &str) -> Result<Vec<Change>> {
        let synced = self.trees.synced.get(key).context("what moved was never synced")?;
        let moved = self.trees.remote.values().find(|remote| remote.id == synced.id);
        self.disk.relocate(&self.local(key)?.path, to)?;
        Ok(self.relocated(key, to, moved.map_or(to, |moved| &moved.path)))
    }

    async fn move_remote(&self, from: &str, to: &str) -> Result<Vec<Change>> {
        let argument = json!({ "from": self.there(from)?.id, "to": self.remote.absolute(to) });
        let moved: Entry = self.client.call("/files/move", &argument).await?;
        let path = self.remote.below(moved.path())?.unwrap_or_default();
        let here = self.trees.local.get(&key(to)).map_or(to, |local| &local.path);
        Ok(self.relocated(from, here, &path))
    }

    fn relocated(&self, from: &str, local: &str, remote: &str) -> Vec<Change> {
        let rows = below(&self.trees.synced, from).map(|(key, synced)| (key.clone(), synced.clone()));
        let root = self.trees.synced.get(from).map(|synced| (from.to_owned(), synced.clone()));
        let mut subtree: Tree<Synced> = rows.chain(root).collect();
        let keys = super::memory::relocate(&mut subtree, from, local, remote);
        let change = |(from, to): (String, String)| {
            let synced = Box::new(subtree.get(&to)?.clone());
            Some(Change::Relocate { from, to, synced })
        };
        keys.into_iter().filter_map(change).collect()
    }

    fn set_aside(&self, key: &str) -> Result<Vec<Change>> {
        let forget = self.forget(key);
        set_aside(self.disk, self.state, &self.local(key)?.path, &forget)?;
        Ok(forget)
    }

    fn forget(&self, key: &str) -> Vec<Change> {
        let gone = below(&self.trees.synced, key).map(|(key, _)| key.clone()).chain([key.to_owned()]);
        gone.map(Change::Remove).collect()
    }

    fn remove_local(&self, key: &str) -> Result<Vec<Change>> {
        match self.trees.local.get(key) {
            None => {}
            Some(Local { path, item: LocalItem::File(file), .. }) => self.disk.remove_file(path, &file.stamp)?,
            Some(folder) => self.disk.remove_folder(&folder.path)?,
        }
        Ok(self.forget(key))
    }

    fn make_local(&self, key: &str) -> Result<Vec<Change>> {
        let remote = self.there(key)?;
        let path = self.local_path(remote);
        let identity = self.disk.make_folder(&path)?;
        Ok(self.remember(key, &Local { path, identity, item: LocalItem::Folder }, remote))
    }

    async fn make_remote(&self, key: &str) -> Result<Vec<Change>> {
        let local = self.local(key)?;
        let argument = json!({ "path": self.remote.absolute(&local.path) });
        let made: Entry = self.client.call("/files/create_folder", &argument).await?;
        let Entry::Folder(folder) = made else { bail!("the server's answer is no folder") };
        let path = self.remote.below(&folder.path)?.unwrap_or_default();
        Ok(self.remember(key, local, &Remote { path, id: folder.id, item: RemoteItem::Folder }))
    }

    /// `has_rival`: what stands here is something else than what was synced.
    async fn download(&self, key: &str, has_rival: bool) -> Result<Vec<Change>> {
        let remote = self.there(key)?;
        let file = remote.file().context("a folder is not downloaded")?;
        let standing = self.trees.local.get(key);
        let (part, hash) = self.fetch(remote, file).await?;
        let remote = Remote {
            item: RemoteItem::File(RemoteFile { hash: Some(hash.clone()), ..file.clone() }),
            ..remote.clone()
        };
        let (mut changes, mut old) = (Vec::new(), None);
        match standing.map(|local| (local, local.file())) {
            Some((local, Some(here))) if here.hash == hash => {
                std::fs::remove_file(&part)?;
                return Ok(self.remember(key, local, &remote));
            }
            Some(_) if has_rival => changes = self.set_aside(key)?,
            Some((_, Some(here))) => old = Some(here.stamp),
            _ => {}
        }
        let path = standing.map_or_else(|| self.local_path(&remote), |local| local.path.clone());
        let hashed_ns = now_ns();
        let chunks = self.chunks_of(part.clone(), file.bytes, &hash).await?;
        let (stamp, identity) = self.disk.place(&part, &path, old.as_ref())?;
        let item = LocalItem::File(LocalFile { stamp, hash, hashed_ns });
        changes.extend(self.remember(key, &Local { path, identity, item }, &remote));
        changes.extend(chunks.map(|chunks| Change::PutChunks(key.to_owned(), chunks)));
        Ok(changes)
    }

    /// The whole file beside the folder's own, and what it is.
    async fn fetch(&self, remote: &Remote, file: &RemoteFile) -> Result<(PathBuf, String)> {
        let part = self.disk.hidden(&format!("{DOWN}{}-{}", remote.id.trim_start_matches("id:"), file.rev));
        let wanted = Wanted { id: remote.id.clone(), rev: file.rev.clone(), bytes: file.bytes };
        fetch_part(self.client, &wanted, &part, &mut |_| {}).await?;
        let path = part.clone();
        let (hash, _) = tokio::task::spawn_blocking(move || hash_file(&path)).await??;
        if file.hash.as_ref().is_some_and(|expected| *expected != hash) {
            // Of a download that was cut short, perhaps: all of it once more.
            std::fs::remove_file(&part)?;
            return Err(Changed.into());
        }
        if let Some(modified_ms) = file.client_modified_ms {
            let modified = time_of(modified_ms);
            std::fs::File::options().write(true).open(&part)?.set_times(FileTimes::new().set_modified(modified))?;
        }
        Ok((part, hash))
    }

    async fn chunks_of(&self, path: PathBuf, bytes: u64, hash: &str) -> Result<Option<Chunks>> {
        if bytes < delta::FILE_BYTES_MIN {
            return Ok(None);
        }
        let hash = hash.to_owned();
        let cut = move || delta::cut(&mut std::fs::File::open(path)?, &hash);
        tokio::task::spawn_blocking(cut).await?.map(Some)
    }

    /// `over`: the revision that it replaces.
    async fn upload(&self, key: &str, over: Option<&str>) -> Result<Vec<Change>> {
        let local = self.local(key)?;
        let file = local.file().context("a folder is not uploaded")?;
        let opened = self.disk.open_file(&local.path, &file.stamp)?;
        let chunks = self.chunks_of(self.disk.dir().join(&local.path), file.stamp.bytes, &file.hash).await?;
        let argument = new_revision(&self.remote.absolute(&local.path), file, over)?;
        let made = match &chunks {
            Some(chunks) => self.send_pieces(key, file, opened, chunks, over, &argument).await?,
            None => self.send_whole(file, opened, &argument).await?,
        };
        let path = self.remote.below(&made.path)?.unwrap_or_default();
        let remote = Remote { path, id: made.id.clone(), item: RemoteItem::File(remote_file(&made)) };
        let mut changes = self.remember(key, local, &remote);
        changes.extend(chunks.map(|chunks| Change::PutChunks(key.to_owned(), chunks)));
        Ok(changes)
    }

    async fn send_whole(&self, file: &LocalFile, mut opened: std::fs::File, argument: &Value) -> Result<File> {
        let mut bytes = Vec::with_capacity(usize::try_from(file.stamp.bytes)?);
        std::io::Read::read_to_end(&mut opened, &mut bytes)?;
        if stamp(&opened.metadata()?) != file.stamp {
            return Err(Changed.into());
        }
        let fields = argument.as_object().into_iter().flatten();
        let pairs = fields.filter_map(|(name, value)| Some(format!("&{name}={}", segment(value.as_str()?))));
        let target = format!("/files/upload?uploadType=media{}", pairs.collect::<String>());
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"))]);
        self.client.json(Method::POST, &target, headers, Bytes::from(bytes)).await
    }

    async fn send_pieces(
        &self,
        key: &str,
        file: &LocalFile,
        opened: std::fs::File,
        chunks: &Chunks,
        over: Option<&str>,
        argument: &Value,
    ) -> Result<File> {
        // Chunks are known of what was synced; they are stored in that revision only.
        let synced = self.trees.synced.get(key);
        let base = synced.and_then(|synced| Some((synced, synced.file()?))).filter(|(_, (rev, _))| over == Some(*rev));
        let base = base.map(|(synced, (rev, then))| (Base { id: synced.id.clone(), rev: rev.to_owned() }, then));
        let known = match &base {
            Some((_, then)) => self.state.chunks(key)?.filter(|known| known.hash == then.hash),
            None => None,
        };
        let runs = delta::runs(known.as_ref(), chunks);
        if file.stamp.bytes <= PIECE_BYTES && runs.iter().all(|run| run.stored_at.is_none()) {
            return self.send_whole(file, opened, argument).await;
        }
        let name = hex::encode(&Sha256::digest(format!("{key}\n{}\n{}", file.hash, over.unwrap_or_default()))[..16]);
        let memory = self.disk.hidden(&format!("{UP}{name}"));
        let session =
            UploadSession::open(self.client, &memory, SessionKind::InOrder, argument, file.stamp.bytes).await?;
        let mut source = tokio::fs::File::from_std(opened);
        let sent = session.send(&mut source, &runs, base.as_ref().map(|(base, _)| base), &mut |_| {}).await;
        // What was refused would be refused again; what broke off is gone on with.
        if !sent.as_ref().is_err_and(is_passing) {
            std::fs::remove_file(&memory).ok();
        }
        sent
    }

    async fn remove_remote(&self, key: &str) -> Result<Vec<Change>> {
        let remote = self.there(key)?;
        let rev = match remote.file() {
            Some(file) => file.rev.clone(),
            None => self.etag_as_seen(key, remote).await?,
        };
        let argument = json!({ "id": remote.id, "rev": rev });
        let _: Value = self.client.call("/files/delete", &argument).await?;
        Ok(self.forget(key))
    }

    /// Of a folder in which nothing stands that was not seen when this was planned.
    async fn etag_as_seen(&self, key: &str, folder: &Remote) -> Result<String> {
        let about: Value = self.client.call("/files/metadata", &json!({ "id": folder.id })).await?;
        let etag = about["etag"].as_str().context("the server's answer has no etag")?.to_owned();
        // Listed after the etag was read: if that still holds when the folder goes, this is all that goes with it.
        let mut listed = Tree::new();
        for entry in entries::all(self.client, &folder.id, true).await? {
            self.remote.take(&mut listed, entry)?;
        }
        let seen = below(&self.trees.remote, key).map(|(key, remote)| (key.clone(), remote.clone())).collect();
        if is_as_seen(&listed, &seen) { Ok(etag) } else { Err(Changed.into()) }
    }
}

/// Neither what was not seen is replaced, nor other bytes stored than were hashed. `over`: the revision that it replaces.
fn new_revision(path: &str, file: &LocalFile, over: Option<&str>) -> Result<Value> {
    Ok(json!({
        "path": path,
        "mode": if over.is_some() { "update" } else { "add" },
        "rev": over,
        "content_hash": file.hash,
        "client_modified": rfc3339(u64::try_from(file.stamp.modified_ns / 1_000_000).unwrap_or(0))?,
    }))
}

/// Forgotten before it goes: else its new name would look like a move, after a crash between the two.
fn set_aside(disk: &Disk, state: &State, path: &str, forget: &[Change]) -> Result<()> {
    state.commit(forget)?;
    disk.set_aside(path)
}

/// Nothing is listed that was not seen, or that has changed since. What is gone meanwhile does not matter.
fn is_as_seen(listed: &Tree<Remote>, seen: &Tree<Remote>) -> bool {
    listed.iter().all(|(key, now)| {
        let rev = |remote: &Remote| remote.file().map(|file| file.rev.clone());
        seen.get(key).is_some_and(|then| then.id == now.id && rev(then) == rev(now))
    })
}

fn time_of(unix_ms: i64) -> SystemTime {
    let since = Duration::from_millis(unix_ms.unsigned_abs());
    if unix_ms < 0 { UNIX_EPOCH - since } else { UNIX_EPOCH + since }
}

/// The drive is not as it was seen, or the file is not what was read: after another look that may be different.
fn is_outdated(error: &anyhow::Error) -> bool {
    let Some(refused) = error.downcast_ref::<Refused>() else { return false };
    match refused.status {
        StatusCode::NOT_FOUND | StatusCode::RANGE_NOT_SATISFIABLE => true,
        // A device that is held waits for a person.
        StatusCode::CONFLICT => refused.code != "mass_delete_held",
        _ => refused.fields["reason"] == "digest_mismatch",
    }
}

#[cfg(test)]
mod carry_out_test;
