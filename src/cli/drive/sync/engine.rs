//! Engine: looks, plans and carries out, until there is nothing left to do.
//! Invariant: what is remembered is on the disk before the memory is: a power failure never looks like a deletion.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use futures::StreamExt;

use super::carry_out::Hands;
use super::disk::{Changed, Disk};
use super::plan::{Action, Operation, groups, plan};
use super::remote::RemoteTree;
use super::scan::scan;
use super::state::{Change, Pair, State};
use super::tree::{Trees, below};
use crate::cli::drive::client::DriveClient;
use crate::cli::drive::retry::is_passing;
use crate::cli::drive::session::FILES_MAX;
use crate::cli::progress::{Line, bar};

/// How long something that is done may not be remembered: each time costs a sync of the disk.
const COMMIT_INTERVAL: Duration = Duration::from_millis(500);
/// A pass in which everything that is looked at changes all the time ends, and another begins later.
const ROUNDS_MAX: usize = 100;
const IDLE_ROUNDS_MAX: usize = 3;

pub struct Engine {
    client: DriveClient,
    disk: Disk,
    state: State,
    remote: RemoteTree,
    trees: Trees,
}

/// What one pass came to.
#[derive(Debug, Default)]
pub struct Outcome {
    pub counts: Counts,
    /// What could not be done, and why, by key.
    pub problems: BTreeMap<String, String>,
    /// Nothing was changing while it was looked at, and nothing is left but the problems.
    pub is_settled: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    pub uploaded: u64,
    pub downloaded: u64,
    pub moved: u64,
    pub folders_made: u64,
    pub removed_here: u64,
    pub removed_there: u64,
    pub set_aside: u64,
}

impl Engine {
    pub async fn open(client: DriveClient, dir: &Path, path: &str, device: &str) -> Result<Self> {
        let remote = RemoteTree::open(&client, path).await?;
        let disk = Disk::open(dir, device)?;
        let pair =
            Pair { endpoint: client.endpoint().to_owned(), user: client.user().to_owned(), folder: remote.id.clone() };
        let state = State::open(&disk.hidden("state.redb"), &pair)?;
        let trees = Trees { synced: state.synced()?, ..Trees::default() };
        disk.recover(&trees.synced)?;
        Ok(Self { client, disk, state, remote, trees })
    }

    pub fn client(&self) -> &DriveClient {
        &self.client
    }

    /// Up to which the drive was looked at.
    pub fn cursor(&self) -> Option<&str> {
        self.remote.cursor()
    }

    /// What stands here and is not synced, and why.
    pub fn unsyncable(&self) -> impl Iterator<Item = String> {
        let twins = self.trees.twins.iter().map(|key| format!("{key}: several names here are one on the drive"));
        self.trees.unsyncable.values().filter(|why| !why.is_empty()).cloned().chain(twins)
    }

    pub async fn pass(&mut self) -> Result<Outcome> {
        let mut outcome = Outcome::default();
        let mut idle_rounds = 0;
        for _ in 0..ROUNDS_MAX {
            let is_busy = self.look().await?;
            let mut operations = plan(&self.trees);
            operations.retain(|operation| !outcome.problems.contains_key(&operation.key));
            if operations.is_empty() {
                outcome.is_settled = !is_busy;
                return Ok(outcome);
            }
            let done = self.carry_out(operations, &mut outcome).await?;
            idle_rounds = if done == 0 { idle_rounds + 1 } else { 0 };
            if idle_rounds == IDLE_ROUNDS_MAX {
                break;
            }
        }
        Ok(outcome)
    }

    /// Both sides as they are. Returns whether something changed while it was read.
    async fn look(&mut self) -> Result<bool> {
        self.disk.check()?;
        self.remote.refresh(&self.client, &mut self.trees.remote).await?;
        let (dir, root, mut trees) =
            (self.disk.dir().to_owned(), self.remote.path.clone(), std::mem::take(&mut self.trees));
        let (trees, scanned) = tokio::task::spawn_blocking(move || {
            let scanned = scan(&dir, &root, &mut trees);
            (trees, scanned)
        })
        .await?;
        self.trees = trees;
        scanned
    }

    /// Returns how many were done.
    async fn carry_out(&mut self, operations: Vec<Operation>, outcome: &mut Outcome) -> Result<usize> {
        let (all, mut done, mut line) = (operations.len() as u64, 0, Line::default());
        for group in groups(operations) {
            let (carried, passing) = self
                .carry_out_group(group, &mut |operation, trees, result| match result {
                    Ok(()) => {
                        outcome.counts.count(operation, trees);
                        done += 1;
                        // A log is told the sum of it.
                        if std::io::stderr().is_terminal() {
                            line.show(format!("{} {}", bar(done, all), operation.key));
                        }
                    }
                    Err(error) => {
                        outcome.problems.insert(operation.key.clone(), format!("{error:#}"));
                    }
                })
                .await?;
            self.remember(carried);
            if let Some(error) = passing {
                return Err(error);
            }
        }
        line.end();
        Ok(usize::try_from(done)?)
    }

    /// Returns what is remembered of it, and why it should be tried again later, if it should.
    async fn carry_out_group(
        &self,
        group: Vec<Operation>,
        tell: &mut impl FnMut(&Operation, &Trees, Result<(), &anyhow::Error>),
    ) -> Result<(Vec<Change>, Option<anyhow::Error>)> {
        let hands = Hands {
            client: &self.client,
            disk: &self.disk,
            state: &self.state,
            remote: &self.remote,
            trees: &self.trees,
        };
        let hands = &hands;
        let carried = futures::stream::iter(group)
            .map(|operation| async move { (hands.carry_out(&operation).await, operation) })
            .buffer_unordered(FILES_MAX);
        let mut carried = std::pin::pin!(carried);
        let (mut all, mut new, mut passing) = (Vec::new(), Vec::new(), None);
        let mut committed = Instant::now();
        while let Some((result, operation)) = carried.next().await {
            match result {
                Ok(changes) => {
                    new.extend(changes);
                    tell(&operation, &self.trees, Ok(()));
                }
                Err(error) if error.is::<Changed>() => {}
                Err(error) if is_passing(&error) => passing = Some(error),
                Err(error) => tell(&operation, &self.trees, Err(&error)),
            }
            if committed.elapsed() > COMMIT_INTERVAL {
                self.commit(&mut new, &mut all)?;
                committed = Instant::now();
            }
        }
        self.commit(&mut new, &mut all)?;
        Ok((all, passing))
    }

    fn commit(&self, new: &mut Vec<Change>, all: &mut Vec<Change>) -> Result<()> {
        self.disk.sync()?;
        self.state.commit(new)?;
        all.append(new);
        Ok(())
    }

    fn remember(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Put(key, synced) => {
                    self.trees.synced.insert(key, *synced);
                }
                Change::Remove(key) => {
                    self.trees.synced.remove(&key);
                }
                Change::Relocate { from, to, synced } => {
                    self.trees.synced.remove(&from);
                    self.trees.synced.insert(to, *synced);
                }
                Change::PutChunks(..) => {}
            }
        }
    }
}

impl Counts {
    fn count(&mut self, operation: &Operation, trees: &Trees) {
        match operation.action {
            Action::MoveLocal { .. } | Action::MoveRemote { .. } => self.moved += 1,
            Action::MakeLocal | Action::MakeRemote => self.folders_made += 1,
            Action::Download => self.downloaded += 1,
            Action::Upload { .. } => self.uploaded += 1,
            Action::RemoveLocal => self.removed_here += 1,
            Action::RemoveRemote => self.removed_there += 1 + below(&trees.remote, &operation.key).count() as u64,
            Action::SetAside | Action::Resolve => self.set_aside += 1,
            Action::Remember | Action::Forget => {}
        }
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, more: Self) {
        self.uploaded += more.uploaded;
        self.downloaded += more.downloaded;
        self.moved += more.moved;
        self.folders_made += more.folders_made;
        self.removed_here += more.removed_here;
        self.removed_there += more.removed_there;
        self.set_aside += more.set_aside;
    }
}

/// `2 uploaded, 1 moved`
impl std::fmt::Display for Counts {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let all = [
            (self.uploaded, "uploaded"),
            (self.downloaded, "downloaded"),
            (self.moved, "moved"),
            (self.folders_made, "folders made"),
            (self.removed_here, "removed here"),
            (self.removed_there, "removed from the drive"),
            (self.set_aside, "set aside as conflicted copies"),
        ];
        let some: Vec<String> =
            all.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        formatter.write_str(if some.is_empty() { "nothing to do" } else { "" })?;
        formatter.write_str(&some.join(", "))
    }
}
