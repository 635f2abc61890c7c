//! Host file: `<data-dir>/peer/host.json`, the same on every drive of a process: which drives it has, and where they were.
//! Owns: what lets an empty directory be told from a disk that is not mounted.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use onggi_cluster::id::{DriveId, HostId, NodeId};
use serde::{Deserialize, Serialize};

use crate::private_file;

const FORMAT: u32 = 1;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostFile {
    format: u32,
    host: u64,
    pub drives: Vec<KnownDrive>,
}

/// Until its node is removed from the cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnownDrive {
    pub node: u64,
    drive: String,
    pub path: String,
}

impl HostFile {
    pub fn new(host: HostId, drives: Vec<KnownDrive>) -> Self {
        Self { format: FORMAT, host: host.0, drives }
    }

    pub fn host(&self) -> HostId {
        HostId(self.host)
    }

    /// `None`: the directory was never used, or by a release that had one drive in a process.
    pub fn load(data_dir: &Path) -> Result<Option<Self>> {
        let path = path(data_dir);
        let text = private_file::read(&path).with_context(|| format!("read {}", path.display()))?;
        let Some(text) = text else { return Ok(None) };
        let file: Self = serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))?;
        ensure!(file.format == FORMAT, "{} is of another release", path.display());
        Ok(Some(file))
    }

    /// Of a drive that is a member: its directory is there.
    pub fn keep(&self, data_dir: &Path) -> Result<()> {
        let path = path(data_dir);
        let text = serde_json::to_string_pretty(self)? + "\n";
        private_file::replace(&path, &text).with_context(|| format!("write {}", path.display()))
    }
}

impl KnownDrive {
    pub fn new(node: NodeId, drive: DriveId, data_dir: &Path) -> Self {
        Self { node: node.0, drive: hex::encode(drive), path: data_dir.display().to_string() }
    }
}

fn path(data_dir: &Path) -> std::path::PathBuf {
    data_dir.join("peer").join("host.json")
}
