//! Founder: node 1 puts itself, the authority and the groups on record, at every start until it is done.
//! A store of one node that was made before there were others does so at its next start: that is how it grows.

use super::Membership;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{GroupId, NodeId};
use crate::metadata::client::Route;
use crate::metadata::command::{Change, NewNode, SystemChange};
use crate::metadata::key::SystemSpace;
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::query;
use crate::metadata::record::{AuthorityRecord, GroupRecord};
use crate::metadata::view::record;
use crate::placement::PartitionMap;

impl Membership {
    /// Idempotent. `authority` is the one that issued the founder's own certificate.
    pub async fn found(&self, founder: NewNode, authority: &AuthorityRecord) -> Result<NodeId> {
        let drive = founder.drive;
        let known = self.inner.metadata.read(Route::System, move |view| query::node_of_drive(view, &drive)).await?;
        let node = match known {
            Some(record) => record.node,
            None => match self.commit(SystemChange::RegisterFounder { founder }).await? {
                Outcome::NodeAdmitted { node } => node,
                other => return Err(Error::new(ErrorKind::Internal, format!("register the founder: {other:?}"))),
            },
        };
        self.set_authority(authority).await?;
        for group in self.groups_without_record().await? {
            let record = GroupRecord { group, voters: vec![node], target: vec![node], step: 0 };
            let change = SystemChange::SetGroup { record, expected_step: 0 };
            match self.inner.metadata.commit(Change::System(change)).await? {
                // Stale: set in between, by an earlier attempt of this very start.
                Outcome::Done | Outcome::Refused(Refusal::StaleGroup) => {}
                other => {
                    return Err(Error::new(ErrorKind::Internal, format!("put group {} on record: {other:?}", group.0)));
                }
            }
        }
        Ok(node)
    }

    async fn set_authority(&self, authority: &AuthorityRecord) -> Result<()> {
        let standing = self.inner.metadata.read(Route::System, query::authority).await?;
        match standing {
            None => self.commit(SystemChange::SetAuthority { authority: authority.clone() }).await.map(drop),
            Some(standing) if standing.certificate == authority.certificate => Ok(()),
            Some(_) => Err(Error::new(
                ErrorKind::Conflict,
                "the certificate authority in the data directory is not the one on record in the cluster",
            )),
        }
    }

    async fn groups_without_record(&self) -> Result<Vec<GroupId>> {
        let read = self.inner.metadata.read(Route::System, |view| {
            let map: Option<PartitionMap> = record(view, &SystemSpace.partition_map())?;
            let known: Vec<GroupId> = query::groups(view)?.into_iter().map(|record| record.group).collect();
            Ok((map, known))
        });
        let (map, known) = read.await?;
        let of_owners = map.iter().flat_map(|map| map.partitions().iter().map(|partition| partition.group));
        let mut groups: Vec<GroupId> = std::iter::once(GroupId::SYSTEM).chain(of_owners).collect();
        groups.sort();
        groups.dedup();
        groups.retain(|group| !known.contains(group));
        Ok(groups)
    }
}
