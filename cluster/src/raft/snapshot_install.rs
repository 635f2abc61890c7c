//! Snapshot install: replaces a group's state by that of a snapshot file, at once or not at all.
//! Owns: the intent, a small file beside the snapshot that says "this install was begun".
//! Invariant: a half-replaced state is never seen after a crash. The intent is durable before the first record is touched
//! and goes only when the new state is flushed; while it stands, opening the group does the install again.

use std::io::{self, IoSlice};
use std::path::PathBuf;
use std::sync::Arc;

use onggi_storage_engine::env::{OpenMode, spawn_blocking};
use onggi_storage_engine::error::{self as engine, Context};
use onggi_storage_engine::format::Record;
use onggi_storage_engine::metadata_store::MetadataStore;

use super::group_keys::GroupKeys;
use super::snapshot_file::{BlockKind, SnapshotFile, SnapshotFiles, for_each_pair};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{BlobId, GroupId};

/// Replaces the state of the group by `file`, which goes afterwards.
pub async fn install(
    store: &MetadataStore,
    keys: &Arc<GroupKeys>,
    files: &SnapshotFiles,
    file: Arc<SnapshotFile>,
) -> Result<()> {
    if file.group() != keys.group() {
        return Err(Error::new(ErrorKind::Internal, format!("a snapshot of group {}", file.group().0)));
    }
    let install = Install { store: store.clone(), keys: keys.clone(), files: files.clone() };
    blocking(move || {
        install.write_intent()?;
        install.replace(&file)
    })
    .await?;
    finish(store, keys, files).await
}

/// Ends an install that a crash cut short. Called before the group is opened.
pub async fn resume(store: &MetadataStore, keys: &Arc<GroupKeys>, files: &SnapshotFiles) -> Result<()> {
    let install = Install { store: store.clone(), keys: keys.clone(), files: files.clone() };
    let resumed = blocking(move || {
        if !install.has_intent()? {
            return Ok(false);
        }
        let file = install.files.open(&install.files.staging_path(install.keys.group()))?;
        install.replace(&file)?;
        Ok(true)
    })
    .await?;
    if resumed {
        tracing::info!(group = keys.group().0, "finished the install of a snapshot that was cut short");
        finish(store, keys, files).await?;
    }
    Ok(())
}

async fn finish(store: &MetadataStore, keys: &Arc<GroupKeys>, files: &SnapshotFiles) -> Result<()> {
    store.flush().await?;
    let install = Install { store: store.clone(), keys: keys.clone(), files: files.clone() };
    blocking(move || install.remove_intent_and_file()).await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> engine::Result<T> + Send + 'static) -> Result<T> {
    let done = spawn_blocking(work).await;
    Ok(done.map_err(|panic| Error::caused_by(ErrorKind::Internal, "install snapshot", panic))??)
}

struct Install {
    store: MetadataStore,
    keys: Arc<GroupKeys>,
    files: SnapshotFiles,
}

impl Install {
    fn write_intent(&self) -> engine::Result<()> {
        let disk = &*self.files.disk;
        remove_if_there(disk.remove(&self.intent_path()))?;
        let intent = disk.open(&self.intent_path(), OpenMode::CreateNew).context("begin install")?;
        intent.write_at(&[IoSlice::new(b"install\n")], 0).context("begin install")?;
        intent.sync_data().context("begin install")?;
        disk.sync_directory(&self.files.directory).context("begin install")
    }

    fn has_intent(&self) -> engine::Result<bool> {
        match self.files.disk.open(&self.intent_path(), OpenMode::Read) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(engine::Error::io("look for a begun install", error)),
        }
    }

    fn remove_intent_and_file(&self) -> engine::Result<()> {
        let disk = &*self.files.disk;
        // The intent first: an intent without its file could not be resumed.
        remove_if_there(disk.remove(&self.intent_path()))?;
        disk.sync_directory(&self.files.directory).context("end install")?;
        remove_if_there(disk.remove(&self.files.staging_path(self.keys.group())))
    }

    /// In one batch per block: the state is only whole after the last one, which the intent covers.
    fn replace(&self, file: &SnapshotFile) -> engine::Result<()> {
        // What the old state held may be more than the new one does, when the group was split in between; on this node it is nobody
        // else's (docs/group-split.md).
        let mut batch = self.store.batch();
        self.keys.of_state(&self.store.snapshot())?.delete(&mut batch);
        self.keys.of_recorded(file.range()).delete(&mut batch);
        self.store.apply(batch)?;
        file.for_each_block(&*self.files.disk, |kind, payload| {
            let mut batch = self.store.batch();
            let mut bad_blob = false;
            for_each_pair(&payload, &mut |key, value| match (kind, <[u8; BlobId::BYTES]>::try_from(key)) {
                (BlockKind::Payloads, Ok(blob)) => batch.put_inline(BlobId::from_bytes(blob), value),
                (BlockKind::Payloads, Err(_)) => bad_blob = true,
                _ => batch.put(key, value),
            })?;
            if bad_blob {
                return Err(engine::Error::corrupt("install snapshot: a payload without a blob id"));
            }
            self.store.apply(batch)
        })?;
        // The view of the snapshot may be older than its applied position only if the writer had a bug: say it again.
        let mut batch = self.store.batch();
        batch.put(&self.keys.applied(), &file.applied().to_bytes());
        self.store.apply(batch)
    }

    fn intent_path(&self) -> PathBuf {
        let GroupId(group) = self.keys.group();
        self.files.directory.join(format!("group-{group}.install"))
    }
}

fn remove_if_there(removed: io::Result<()>) -> engine::Result<()> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(engine::Error::io("end install", error)),
        _ => Ok(()),
    }
}
