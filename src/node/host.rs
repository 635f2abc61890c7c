//! Host: the drives of this process, each at work as a node of its own.
//! Owns: which of them start and in which order, adding new ones, giving up one that failed, the host file.
//! Does not own: what a directory is (`directories`), how one node starts (`local_node`).
//! Invariant: a drive that fails stops no other. The process has at least one node, or does not start.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures::future::join_all;
use onggi_cluster::id::HostId;
use onggi_cluster::metadata::record::NodeState;
use onggi_cluster::metadata::secret_box::MasterKey;
use onggi_cluster::peer::LocalNodes;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::node::addresses::Bound;
use crate::node::directories::Directories;
use crate::node::host_file::{HostFile, KnownDrive};
use crate::node::local_node::{LocalNode, OpenDrive};
use crate::node::options::SharedMemory;
use crate::node::roster::Roster;
use crate::node::system::HostSystem;
use crate::node::{join, master_key, member};
use crate::observability::metrics::Metrics;

/// How soon a failed drive is given up.
const WATCH_INTERVAL: Duration = Duration::from_millis(250);
/// A drive that could not be added is tried again this often.
const ADD_RETRY: Duration = Duration::from_secs(2);

/// What all nodes of the process are made of.
pub struct HostParts {
    pub config: Config,
    pub bound: Bound,
    pub nodes: LocalNodes,
    pub memory: SharedMemory,
    pub system: Arc<HostSystem>,
    pub metrics: Arc<Metrics>,
    pub roster: Roster,
    /// Read once the first drive is open.
    pub key: OnceLock<MasterKey>,
}

impl HostParts {
    pub fn master_key(&self) -> Result<&MasterKey> {
        self.key.get().context("the master key is read when the first drive is open")
    }
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Host {
    parts: Arc<HostParts>,
    directories: Arc<Directories>,
}

impl Host {
    /// Starts the nodes that there are, all at once, because each may wait for the others; or the first one, which founds a cluster or has just
    /// joined one.
    pub async fn start(parts: HostParts, directories: Directories) -> Result<Self> {
        let host = Self { parts: Arc::new(parts), directories: Arc::new(directories) };
        for (data_dir, why) in &host.directories.failed {
            host.report_idle(data_dir, why.clone());
        }
        let first: Vec<&PathBuf> = match host.directories.members.is_empty() {
            true => host.directories.new.iter().take(1).collect(),
            false => host.directories.members.iter().collect(),
        };
        let mut failures = Vec::new();
        let mut opened = Vec::new();
        for (data_dir, drive) in
            first.iter().zip(join_all(first.iter().map(|dir| OpenDrive::open(&host.parts, dir))).await)
        {
            match drive {
                Ok(drive) => opened.push(drive),
                Err(error) => failures.push((data_dir.as_path(), error)),
            }
        }
        if opened.is_empty()
            && let Some((_, error)) = failures.pop()
        {
            return Err(error);
        }
        let key = master_key::load_or_create(opened.iter().map(|drive| drive.data_dir.as_path()))?;
        let _first = host.parts.key.set(key);
        let start = |drive: OpenDrive| {
            let (parts, data_dir) = (host.parts.clone(), drive.data_dir.clone());
            async move { (data_dir, LocalNode::start(&parts, drive).await) }
        };
        let started = opened.into_iter().map(start);
        let mut last_error = None;
        for (data_dir, node) in join_all(started).await {
            match node {
                Ok(node) => host.parts.roster.add(Arc::new(node)),
                Err(error) => {
                    host.report_idle(&data_dir, format!("{error:#}"));
                    last_error = Some(error);
                }
            }
        }
        for (data_dir, error) in failures {
            host.report_idle(data_dir, format!("{error:#}"));
        }
        match last_error {
            Some(error) if host.parts.roster.all().is_empty() => Err(error),
            _ => Ok(host),
        }
    }

    pub fn roster(&self) -> &Roster {
        &self.parts.roster
    }

    /// The directory that holds what the process as a whole needs: the first one at work.
    pub fn home(&self) -> Result<PathBuf> {
        let in_use = self.parts.roster.in_use();
        let given = std::iter::once(&self.parts.config.node.data_dir).chain(&self.parts.config.storage.more_data_dirs);
        for data_dir in given {
            let data_dir = std::path::absolute(data_dir)?;
            if in_use.iter().any(|node| node.data_dir == data_dir) {
                return Ok(data_dir);
            }
        }
        bail!("no drive is at work")
    }

    /// Makes new directories drives of this host, one after the other, each as soon as the cluster answers.
    pub async fn add_drives(self, stop: CancellationToken) {
        let known = usize::from(self.directories.members.is_empty());
        for data_dir in self.directories.new.iter().skip(known) {
            self.report_idle(data_dir, "it is being added to the cluster".to_owned());
            while let Some(added) = stop.run_until_cancelled(self.add_drive(data_dir)).await {
                let Err(error) = added else { break };
                self.report_idle(data_dir, format!("it could not be added to the cluster yet: {error:#}"));
                if stop.run_until_cancelled(sleep(ADD_RETRY)).await.is_none() {
                    return;
                }
            }
        }
    }

    async fn add_drive(&self, data_dir: &Path) -> Result<()> {
        if !join::is_member(data_dir)? {
            let beside = self.parts.roster.serving().context("no node of this process works")?;
            let membership = beside.cluster.membership().context("a node is a member of its cluster")?;
            let (config, bound) = (&self.parts.config, self.parts.bound);
            let node = member::add_drive(config, data_dir, bound, &beside.identity, membership).await?;
            self.parts.nodes.announce(node);
        }
        let drive = OpenDrive::open(&self.parts, data_dir).await?;
        let node = LocalNode::start(&self.parts, drive).await?;
        self.parts.roster.add(Arc::new(node));
        Ok(())
    }

    /// Gives up drives that fail while others work, and keeps the host file, until `stop`.
    pub async fn watch(self, stop: CancellationToken) {
        let mut kept = None;
        let mut writing: Option<JoinHandle<()>> = None;
        loop {
            self.give_up_failed();
            let file = self.file();
            // On its own, as all that touches several drives: a disk that is gone may keep its callers.
            if file != kept && writing.as_ref().is_none_or(JoinHandle::is_finished) {
                let data_dirs = self.data_dirs_in_use();
                kept = file.clone();
                writing = Some(tokio::task::spawn_blocking(move || keep_everywhere(file, &data_dirs)));
            }
            if stop.run_until_cancelled(sleep(WATCH_INTERVAL)).await.is_none() {
                return;
            }
        }
    }

    fn give_up_failed(&self) {
        let in_use = self.parts.roster.in_use();
        let works = in_use.iter().any(|node| node.failure().is_none());
        for node in in_use.into_iter().filter(|_| works) {
            let Some(why) = node.failure() else { continue };
            let (number, drive) = (node.number().0, node.data_dir.display().to_string());
            tracing::error!(node = number, drive, why, "a drive is given up until a restart");
            node.give_up(&self.parts.nodes, why);
            let nodes = self.parts.nodes.clone();
            tokio::spawn(async move { node.stop(&nodes).await });
        }
    }

    pub async fn stop(&self) {
        let nodes = self.parts.roster.in_use();
        join_all(nodes.iter().map(|node| node.stop(&self.parts.nodes))).await;
    }

    /// On every drive the same. A drive that could not be opened stays in it, one whose node was removed does not.
    fn file(&self) -> Option<HostFile> {
        let nodes = self.parts.roster.all();
        let first = nodes.iter().find(|node| node.is_in_use())?;
        let placement = first.cluster.placement();
        let is_removed = |drive: &KnownDrive| {
            let mut records = placement.nodes.values().filter(|record| record.node.0 == drive.node);
            records.any(|record| record.state == NodeState::Removed)
        };
        let here = nodes.iter().map(|node| KnownDrive::new(node.number(), node.identity.drive, &node.data_dir));
        let mut drives: Vec<KnownDrive> = here.collect();
        for known in &self.directories.drives {
            if !drives.iter().any(|drive| drive.node == known.node || drive.path == known.path) {
                drives.push(known.clone());
            }
        }
        drives.retain(|drive| !is_removed(drive));
        let recorded = nodes.iter().find_map(|node| node.host());
        let host = self.directories.host.or(recorded).unwrap_or(HostId::begun_by(first.number()));
        Some(HostFile::new(host, drives))
    }

    fn data_dirs_in_use(&self) -> Vec<PathBuf> {
        self.parts.roster.in_use().iter().map(|node| node.data_dir.clone()).collect()
    }

    fn report_idle(&self, data_dir: &Path, why: String) {
        tracing::warn!(drive = %data_dir.display(), why, "a drive is not in use");
        self.parts.roster.say_idle(data_dir, why);
    }
}

fn keep_everywhere(file: Option<HostFile>, data_dirs: &[PathBuf]) {
    let Some(file) = file else { return };
    for data_dir in data_dirs {
        if let Err(error) = file.keep(data_dir) {
            tracing::warn!(error = format!("{error:#}"), "the list of this host's drives could not be kept");
        }
    }
}
