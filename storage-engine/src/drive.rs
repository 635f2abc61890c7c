//! A drive: one data directory. Who it is, that only one process uses it, and whether it may be written to.

mod health;
mod identity;
mod poison;

pub use health::{Health, HealthStatus, Reserve, WriteFor};
pub use identity::{ClusterId, DriveId, Identity};
pub use poison::Poison;

use std::path::Path;
use std::sync::Arc;

use crate::env::{Environment, ProcessLock};
use crate::error::{Context, Error, Result};

pub struct Drive {
    identity: Identity,
    health: Arc<Health>,
    /// Released when the drive is dropped, or when the process ends in any way. A simulated one is nobody else's.
    _lock: Option<ProcessLock>,
}

impl Drive {
    /// Locks the directory, makes it a drive if it is new, and refuses one of another cluster. Blocks.
    pub fn open(
        directory: &Path,
        environment: &Environment,
        cluster: Option<ClusterId>,
        reserve: Reserve,
    ) -> Result<Self> {
        environment.disk.create_directory(directory).context("create data directory")?;
        let lock = ProcessLock::take(&directory.join("LOCK")).context(format!("lock {}", directory.display()))?;
        Ok(Self { _lock: Some(lock), ..Self::open_unlocked(directory, environment, cluster, reserve)? })
    }

    /// Of a simulated disk: nobody else can have it.
    pub fn open_unlocked(
        directory: &Path,
        environment: &Environment,
        cluster: Option<ClusterId>,
        reserve: Reserve,
    ) -> Result<Self> {
        let identity = Identity::load_or_create(directory, environment, cluster)?;
        let health = Health::new(environment.disk.clone(), directory.to_owned(), reserve)?;
        Ok(Self { identity, health: Arc::new(health), _lock: None })
    }

    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    pub fn health(&self) -> &Arc<Health> {
        &self.health
    }

    pub fn poison(&self) -> &Poison {
        self.health.poison()
    }

    /// May a change be proposed? `Full` and `DriveFailed` say why not. Costs two loads.
    pub fn admit(&self, write: WriteFor) -> Result<()> {
        self.health.admit(write)
    }
}

fn corrupt_identity(path: &Path, what: &str) -> Error {
    Error::corrupt(format!("read {}: {what}", path.display()))
}

#[cfg(test)]
mod drive_test;
