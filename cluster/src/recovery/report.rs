//! Report: what one drive has of the cluster's groups. It is written to a file and carried to where the plan is made.

use std::collections::{BTreeMap, BTreeSet};

use onggi_storage_engine::StorageEngine;
use onggi_storage_engine::env::spawn_blocking;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::id::{GroupId, NodeId};
use crate::metadata::view::StoreView;
use crate::placement::Placement;
use crate::raft::{LogPosition, ReplicaOnDrive};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriveReport {
    /// 32 hex digits.
    pub cluster: String,
    pub node: u64,
    pub replicas: Vec<ReplicaReport>,
    /// All groups, as this drive's copy of the system group has them, which may be behind.
    pub placed: Vec<PlacedGroup>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicaReport {
    pub group: u32,
    /// One set, or two while one replaces the other.
    pub voters: Vec<BTreeSet<u64>>,
    pub term: u64,
    pub end: LogPosition,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacedGroup {
    pub group: u32,
    pub voters: BTreeSet<u64>,
}

impl DriveReport {
    /// Of the stopped `node` whose drive this is. Changes nothing.
    pub async fn read(engine: &StorageEngine, node: NodeId) -> Result<Self> {
        let placed = placed(engine).await?;
        let mut groups: BTreeSet<u32> = engine.log_store().groups().into_iter().collect();
        // One that came of a split has a state before it has a log.
        groups.extend(placed.keys());
        let mut replicas = Vec::new();
        for group in groups {
            if let Some(replica) = ReplicaOnDrive::read(engine, GroupId(group)).await? {
                replicas.push(ReplicaReport::of(&replica));
            }
        }
        let placed = placed.into_iter().map(|(group, voters)| PlacedGroup { group, voters }).collect();
        Ok(Self { cluster: hex::encode(engine.drive().identity().cluster), node: node.0, replicas, placed })
    }

    pub(super) fn replica(&self, group: u32) -> Option<&ReplicaReport> {
        self.replicas.iter().find(|replica| replica.group == group)
    }
}

impl ReplicaReport {
    fn of(replica: &ReplicaOnDrive) -> Self {
        let numbers = |voters: &BTreeSet<NodeId>| voters.iter().map(|node| node.0).collect();
        Self {
            group: replica.group.0,
            voters: replica.voters.iter().map(numbers).collect(),
            term: replica.term,
            end: replica.end,
        }
    }
}

async fn placed(engine: &StorageEngine) -> Result<BTreeMap<u32, BTreeSet<u64>>> {
    let view = StoreView::new(engine.metadata_store().snapshot());
    let read = spawn_blocking(move || Placement::read(&view)).await;
    let placement =
        read.map_err(|panic| Error::caused_by(ErrorKind::Internal, "read where the groups are", panic))??;
    let groups = placement.into_iter().flat_map(|placement| placement.groups);
    Ok(groups.map(|(group, record)| (group.0, record.voters.iter().map(|node| node.0).collect())).collect())
}
