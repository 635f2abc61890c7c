//! Mass delete: devices that are held because they threw away most of a drive, and the owner's word about them (docs/mass-delete.md).
//! Does not own: what is too much (cluster's `apply`; the limits are here).

use std::time::Duration;

use onggi_cluster::metadata::command::tree::{Brake, TreeChange};
use onggi_cluster::metadata::outcome::Refusal;
use onggi_cluster::metadata::query;
use onggi_cluster::metadata::record::tree::DeviceDeletes;
use tokio::time::Instant;

use super::DriveService;
use super::actor::Actor;
use crate::services::error::{Error, Result};
use crate::services::fresh;

/// More than both within a minute, the largest delete not counted.
pub const BRAKE: Brake = Brake { entries: 1_000, percent: 50 };
/// For how long a device that was allowed to go on is not counted.
const ALLOWED_MS: u64 = 3_600_000;
/// Items of the trash that are read at once.
const TRASH_PAGE: usize = 500;
/// How long one call works.
const CALL_TIME: Duration = Duration::from_secs(20);

/// What came back, and whether that was all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undone {
    pub entries: u64,
    pub has_more: bool,
}

impl DriveService {
    pub async fn held_devices(&self, actor: &Actor) -> Result<Vec<DeviceDeletes>> {
        let devices = self.read(actor, |view, tree| query::tree::brake(view, tree)).await?.devices;
        Ok(devices.into_iter().filter(|device| device.held_ms.is_some()).collect())
    }

    /// It goes on, and is not counted for an hour.
    pub async fn allow_deletes(&self, actor: &Actor, device: String) -> Result<()> {
        self.held_device(actor, &device).await?;
        self.release(actor, device, fresh::unix_ms() + ALLOWED_MS).await
    }

    /// What it threw away since its minute began comes back; when all of that is done, it is held no more.
    pub async fn undo_deletes(&self, actor: &Actor, device: String) -> Result<Undone> {
        let since_seq = self.held_device(actor, &device).await?.since_seq;
        let (deadline, mut entries, mut before) = (Instant::now() + CALL_TIME, 0, None);
        // Newest first: a folder comes back before what went from it earlier.
        loop {
            let items = self.trash(actor, before, TRASH_PAGE).await?;
            before = items.last().map(|last| last.seq);
            let is_last = before.is_none_or(|before| before <= since_seq);
            for item in items.into_iter().filter(|item| item.seq > since_seq && item.by.device == device) {
                if Instant::now() >= deadline {
                    return Ok(Undone { entries, has_more: true });
                }
                let totals = item.entry.totals();
                match self.untrash(actor, item.seq, None).await {
                    Ok(_) => entries += totals.files + totals.folders,
                    // Taken out or purged meanwhile, or what it stood in is gone: it stays in the trash.
                    Err(Error::Refused(Refusal::NoSuchTrashItem | Refusal::ParentGone)) => {}
                    Err(error) => return Err(error),
                }
            }
            if is_last {
                self.release(actor, device, 0).await?;
                return Ok(Undone { entries, has_more: false });
            }
        }
    }

    async fn held_device(&self, actor: &Actor, device: &str) -> Result<DeviceDeletes> {
        let held = self.held_devices(actor).await?;
        held.into_iter().find(|held| held.device == device).ok_or(Error::Refused(Refusal::NoSuchDevice))
    }

    async fn release(&self, actor: &Actor, device: String, allowed_until_ms: u64) -> Result<()> {
        self.change(actor, TreeChange::ReleaseDevice { device, allowed_until_ms }).await.map(drop)
    }
}
