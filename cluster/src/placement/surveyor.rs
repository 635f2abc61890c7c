//! Surveyor: how much each group holds and who leads it, asked of a node that has the group; and splits on an operator's word.
//! Does not own: what a load is (`load`), the steps of a split (`mover::splitter`).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt};
use onggi_storage_engine::format::Record;

use super::load::GroupLoad;
use super::survey_message::{Survey, SurveyRequest};
use super::{Placement, PlacementView};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{GroupId, NodeId, OwnerKey};
use crate::metadata::client::MetadataClient;
use crate::metadata::command::{Change, SystemChange};
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::record::RangeRecord;
use crate::peer::{Caller, Handlers, Method, Payload, Peers};
use crate::raft::{Group, GroupSet};

/// A group of a million owners takes some seconds to walk.
const CALL_TIME_MAX: Duration = Duration::from_secs(20);
/// Groups at a time.
const SURVEYS_MAX: usize = 8;

/// Cheap to clone.
#[derive(Clone)]
pub struct Surveyor {
    node: NodeId,
    groups: Arc<GroupSet>,
    placement: PlacementView,
    metadata: MetadataClient,
    peers: Peers,
}

/// A group of owners, as of a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupReport {
    pub group: GroupId,
    pub range: RangeRecord,
    pub voters: Vec<NodeId>,
    pub target: Vec<NodeId>,
    /// `None`: nobody who has the group could be asked.
    pub survey: Option<Survey>,
    /// The group that is being split off.
    pub child: Option<GroupId>,
}

impl Surveyor {
    pub fn new(
        node: NodeId,
        groups: Arc<GroupSet>,
        placement: PlacementView,
        metadata: MetadataClient,
        peers: Peers,
    ) -> Self {
        Self { node, groups, placement, metadata, peers }
    }

    pub fn handlers(groups: &Arc<GroupSet>, placement: &PlacementView, handlers: Handlers) -> Handlers {
        let (groups, placement) = (groups.clone(), placement.clone());
        let answer = move |_from: Caller, payload: Bytes| -> BoxFuture<'static, Result<Payload>> {
            let (groups, placement) = (groups.clone(), placement.now());
            Box::pin(async move {
                let SurveyRequest { group } = Record::from_bytes(&payload)?;
                let here = groups.find(group);
                let absent = || Error::new(ErrorKind::NotFound, format!("group {} is not on this node", group.0));
                Ok(vec![survey_here(&*here.ok_or_else(absent)?, &placement).await?.to_bytes()])
            })
        };
        handlers.with(Method::GROUP_SURVEY, answer)
    }

    /// Every group of owners, in the order of their owners.
    pub async fn reports(&self) -> Vec<GroupReport> {
        let placement = self.placement.now();
        let groups = placement.map.partitions().iter().map(|partition| partition.group);
        stream::iter(groups.collect::<Vec<_>>())
            .map(|group| self.report(group, placement.clone()))
            .buffered(SURVEYS_MAX)
            .filter_map(async |report| report)
            .collect()
            .await
    }

    async fn report(&self, group: GroupId, placement: Arc<Placement>) -> Option<GroupReport> {
        let record = placement.groups.get(&group)?;
        let child = placement.split_under_way().filter(|split| split.parent == group).map(|split| split.child);
        Some(GroupReport {
            group,
            range: placement.map.range_of(group)?,
            voters: record.voters.clone(),
            target: record.target.clone(),
            survey: self.survey(group).await.ok(),
            child,
        })
    }

    /// Of what the node that is asked has applied: a moment old, at the most.
    pub async fn survey(&self, group: GroupId) -> Result<Survey> {
        let placement = self.placement.now();
        if let Some(here) = self.groups.find(group) {
            return survey_here(&here, &placement).await;
        }
        let mut failure = Error::new(ErrorKind::Unavailable, format!("nobody is known to hold group {}", group.0));
        for node in placement.voters(group).iter().filter(|node| **node != self.node && self.peers.is_up(**node)) {
            let request = vec![SurveyRequest { group }.to_bytes()];
            match self.peers.call(*node, Method::GROUP_SURVEY, request, CALL_TIME_MAX).await {
                Ok(answer) => return Ok(Survey::from_bytes(&answer)?),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Begins to split a group before the owner `at`, or in its middle. What comes of it is seen in `reports`.
    pub async fn begin_split(
        &self,
        group: GroupId,
        at: Option<OwnerKey>,
    ) -> Result<std::result::Result<GroupId, Refusal>> {
        let placement = self.placement.now();
        if placement.map.range_of(group).is_none() {
            return Ok(Err(Refusal::NoSuchGroup));
        }
        let boundary = match at {
            Some(at) => at,
            None => match self.survey(group).await?.load.middle {
                Some(middle) => middle.boundary,
                None => {
                    let context = format!("group {}: one user has everything in it, or nobody has anything", group.0);
                    return Err(Error::new(ErrorKind::Conflict, context));
                }
            },
        };
        let begin = SystemChange::BeginSplit { parent: group, boundary, epoch: placement.map.epoch() };
        match self.metadata.commit(Change::System(begin)).await? {
            Outcome::SplitBegun { child } => Ok(Ok(child)),
            Outcome::Refused(refusal) => Ok(Err(refusal)),
            other => Err(Error::new(ErrorKind::Internal, format!("begin a split: {other:?}"))),
        }
    }
}

async fn survey_here(group: &Group, placement: &Placement) -> Result<Survey> {
    let view = group.local_view()?;
    let Some(range) = surveyed_range(group.owners(), placement.map.range_of(group.id())) else {
        return Err(Error::new(ErrorKind::Unavailable, format!("the range of group {} is not known", group.id().0)));
    };
    let load = onggi_storage_engine::env::spawn_blocking(move || GroupLoad::of(&view, range));
    let load = load.await.map_err(|panic| Error::caused_by(ErrorKind::Internal, "survey a group", panic))??;
    Ok(Survey { leader: group.leader_hint(), load })
}

/// Of the state that is here, and on the map. Either may have a split that the other lacks, so the group's own is what both say: else owners
/// were counted in two groups, and a split would begin at one that has left.
fn surveyed_range(here: Option<RangeRecord>, mapped: Option<RangeRecord>) -> Option<RangeRecord> {
    match (here, mapped) {
        (Some(here), Some(mapped)) => here.intersection(&mapped),
        (here, mapped) => here.or(mapped),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_surveyed_where_its_state_and_the_map_agree() {
        let range = |first, last| Some(RangeRecord { first: OwnerKey(first), last: OwnerKey(last) });
        for (here, mapped, surveyed) in [
            (None, None, None),
            // Never split, or not on the map yet.
            (None, range(0, 9), range(0, 9)),
            (range(5, 9), None, range(5, 9)),
            (range(0, 4), range(0, 4), range(0, 4)),
            // This replica was away during the split; the map here is older than the split.
            (range(0, 9), range(0, 4), range(0, 4)),
            (range(0, 4), range(0, 9), range(0, 4)),
            (range(0, 4), range(5, 9), None),
        ] {
            assert_eq!(surveyed_range(here, mapped), surveyed, "{here:?} {mapped:?}");
        }
    }
}
