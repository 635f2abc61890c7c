//! Watch: waits until one of the two sides may have changed.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use notify::event::{EventKind, ModifyKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::sleep;

use super::disk::HIDDEN;
use crate::cli::drive::client::DriveClient;

/// A program that saves does so in several steps.
const SETTLE: Duration = Duration::from_millis(300);
/// The operating system may have missed something.
const SCAN_INTERVAL: Duration = Duration::from_secs(300);
/// Of one question to the drive.
const WAIT_SECONDS: u64 = 60;
/// Until the drive is asked again when it did not answer.
const RETRY: Duration = Duration::from_secs(5);

pub struct Watch {
    changed: Arc<Notify>,
    /// It looks as long as it lives.
    _watcher: RecommendedWatcher,
}

impl Watch {
    pub fn of(dir: &Path) -> Result<Self> {
        let changed = Arc::new(Notify::new());
        let (tell, hidden) = (Arc::clone(&changed), dir.join(HIDDEN));
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // What went wrong is found by a scan.
            if event.map_or(true, |event| is_change(&event, &hidden)) {
                tell.notify_one();
            }
        })?;
        watcher.watch(dir, RecursiveMode::Recursive).with_context(|| {
            format!("watch {} (fs.inotify.max_user_watches may be too small for its folders)", dir.display())
        })?;
        Ok(Self { changed, _watcher: watcher })
    }

    /// `at_most`: sooner than a change, if something is known to be left.
    pub async fn next(&self, client: &DriveClient, cursor: Option<&str>, at_most: Option<Duration>) {
        tokio::select! {
            () = self.changed.notified() => sleep(SETTLE).await,
            () = drive_changes(client, cursor) => {}
            () = sleep(at_most.unwrap_or(SCAN_INTERVAL)) => {}
        }
    }
}

fn is_change(event: &Event, hidden: &Path) -> bool {
    let is_own = !event.paths.is_empty() && event.paths.iter().all(|path| path.starts_with(hidden));
    let is_reading = matches!(event.kind, EventKind::Access(_) | EventKind::Modify(ModifyKind::Metadata(_)));
    event.need_rescan() || (!is_own && !is_reading)
}

/// Ends when there is something to tell.
async fn drive_changes(client: &DriveClient, cursor: Option<&str>) {
    let argument = json!({ "cursor": cursor, "timeout": WAIT_SECONDS });
    loop {
        match client.call::<Value>("/files/wait", &argument).await {
            Ok(answer) if answer["changes"] == false => {}
            Ok(_) => return,
            // What it is, the next look at the drive tells.
            Err(_) => return sleep(RETRY).await,
        }
    }
}
