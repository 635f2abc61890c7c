//! Bootstrap: the partition map of a new cluster, and of one that starts again.

use onggi_storage_engine::env::{Environment, spawn_blocking};
use onggi_storage_engine::format::Record;

use super::PartitionMap;
use crate::error::{Error, ErrorKind, Result};
use crate::id::RequestId;
use crate::metadata::command::{Change, Command, SystemChange};
use crate::metadata::key::SystemSpace;
use crate::metadata::outcome::Outcome;
use crate::metadata::view::MetadataView;
use crate::raft::Group;

/// The map that the system group holds. A new cluster gets one of `groups` equal partitions; later the stored one counts,
/// whatever the configuration says.
pub async fn load_partition_map(system: &Group, groups: u32, environment: &Environment) -> Result<PartitionMap> {
    if let Some(map) = stored_map(system).await? {
        return Ok(map);
    }
    let mut request = [0; 16];
    environment.random.fill(&mut request);
    let change = SystemChange::SetPartitionMap { map: PartitionMap::even(groups) };
    let command = Command {
        request: RequestId(request),
        retry: false,
        time_ms: environment.clock.unix_ms(),
        change: Change::System(change),
    };
    let outcome = system.propose(command.encode()).await?;
    // Refused means that another node was first; its map counts.
    match (stored_map(system).await?, outcome) {
        (Some(map), Outcome::Done | Outcome::Refused(_)) => Ok(map),
        (_, outcome) => Err(Error::new(ErrorKind::Internal, format!("no partition map came of {outcome:?}"))),
    }
}

async fn stored_map(system: &Group) -> Result<Option<PartitionMap>> {
    let view = system.linearizable_view().await?;
    let read = move || view.get(&SystemSpace.partition_map());
    let stored = spawn_blocking(read)
        .await
        .map_err(|panic| Error::caused_by(ErrorKind::Internal, "read the partition map", panic))??;
    Ok(stored.map(|bytes| PartitionMap::from_bytes(&bytes)).transpose()?)
}
