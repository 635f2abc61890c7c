//! Remote tree: what stands on the drive, followed through its feed.
//! Owns: where the feed was read to, and that the folder is still the one that was asked for.
//! Invariant: after `refresh` the entries are one state of the drive; if it fails, nothing may be planned from them.

use anyhow::{Context, Result, bail};
use http::StatusCode;
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::disk::HIDDEN;
use super::tree::{Remote, RemoteFile, RemoteItem, Tree, is_below, key, remove_below};
use crate::cli::drive::client::{DriveClient, Refused};
use crate::cli::drive::message::{Entry, File, Folder, Page};

const PAGE_ENTRIES: u32 = 2000;

pub struct RemoteTree {
    /// Id and path of the folder that is synced; the path is empty for the root.
    pub id: String,
    pub path: String,
    cursor: Option<String>,
}

impl RemoteTree {
    /// The folder is made if it is missing.
    pub async fn open(client: &DriveClient, path: &str) -> Result<Self> {
        let path = path.trim_end_matches('/');
        if !path.is_empty() {
            let made = client.call::<Entry>("/files/create_folder", &json!({ "path": path })).await;
            if let Err(error) = made
                && error.downcast_ref::<Refused>().is_none_or(|refused| refused.code != "exists")
            {
                return Err(error.context(path.to_owned()));
            }
        }
        let found: Entry = client.call("/files/metadata", &json!({ "path": path })).await?;
        let Entry::Folder(folder) = found else { bail!("{path} is a file of the drive, not a folder") };
        let path = folder.path.trim_end_matches('/').to_owned();
        Ok(Self { id: folder.id, path, cursor: None })
    }

    /// Brings `entries` to what is there now.
    pub async fn refresh(&mut self, client: &DriveClient, entries: &mut Tree<Remote>) -> Result<()> {
        self.check(client).await?;
        loop {
            let is_first = self.cursor.is_none();
            let page = match &self.cursor {
                None => {
                    let argument = json!({ "path": self.id, "recursive": true, "limit": PAGE_ENTRIES });
                    entries.clear();
                    client.call("/files/list", &argument).await
                }
                Some(cursor) => {
                    let argument = json!({ "cursor": cursor, "limit": PAGE_ENTRIES });
                    client.call("/files/list/continue", &argument).await
                }
            };
            let page: Page = match page {
                Err(error) if !is_first && is_gone(&error) => {
                    self.cursor = None;
                    continue;
                }
                page => page?,
            };
            for entry in page.entries {
                self.take(entries, entry)?;
            }
            self.cursor = Some(page.cursor);
            if !page.has_more {
                return Ok(());
            }
        }
    }

    /// Still the folder that was asked for, at the place that was asked for.
    async fn check(&self, client: &DriveClient) -> Result<()> {
        let argument = json!({ "id": self.id });
        let found: Entry = client.call("/files/metadata", &argument).await.map_err(|error| {
            let is_missing =
                error.downcast_ref::<Refused>().is_some_and(|refused| refused.status == StatusCode::NOT_FOUND);
            let gone = || format!("{} is gone from the drive: nothing was touched here", self.path);
            if is_missing { error.context(Stopped(gone())) } else { error }
        })?;
        match found {
            Entry::Folder(folder) if folder.path.trim_end_matches('/') == self.path => Ok(()),
            now => {
                let moved = format!("{} is {} now: start the sync with its new path", self.path, now.path());
                Err(Stopped(moved).into())
            }
        }
    }

    /// An entry as the drive told it.
    pub fn take(&self, entries: &mut Tree<Remote>, entry: Entry) -> Result<()> {
        let Some(path) = self.below(entry.path())? else { return Ok(()) };
        let key = key(&path);
        if key == HIDDEN || is_below(&key, HIDDEN) {
            return Ok(());
        }
        let was_folder = entries.get(&key).is_some_and(Remote::is_folder);
        let (id, item) = match entry {
            Entry::Removed { .. } => {
                remove_below(entries, &key);
                entries.remove(&key);
                return Ok(());
            }
            Entry::Folder(Folder { id, .. }) => (id, RemoteItem::Folder),
            Entry::File(file) => (file.id.clone(), RemoteItem::File(remote_file(&file))),
        };
        if was_folder && item != RemoteItem::Folder {
            remove_below(entries, &key);
        }
        entries.insert(key, Remote { path, id, item });
        Ok(())
    }

    /// Relative to the folder; `None` for itself.
    pub fn below(&self, path: &str) -> Result<Option<String>> {
        // Case may differ above: names are what the drive says they are.
        let rest = path.get(self.path.len()..).context("the drive told of a path elsewhere")?;
        Ok(Some(rest.trim_start_matches('/').to_owned()).filter(|rest| !rest.is_empty()))
    }

    pub fn absolute(&self, path: &str) -> String {
        format!("{}/{path}", self.path)
    }

    /// Where the feed was read to.
    pub fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }
}

/// What a person must look at before it goes on.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Stopped(pub String);

fn is_gone(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Refused>().is_some_and(|refused| refused.status == StatusCode::GONE)
}

pub fn remote_file(file: &File) -> RemoteFile {
    let milliseconds = |text: &String| {
        let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        i64::try_from(time.unix_timestamp_nanos() / 1_000_000).ok()
    };
    RemoteFile {
        rev: file.rev.clone(),
        bytes: file.size,
        hash: file.content_hash.clone(),
        client_modified_ms: file.client_modified.as_ref().and_then(milliseconds),
    }
}
