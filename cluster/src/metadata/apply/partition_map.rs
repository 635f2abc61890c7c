//! The partition map: replaced as a whole, one epoch after the other.

use super::{Decision, Draft};
use crate::metadata::key::SystemSpace;
use crate::metadata::outcome::{Outcome, Refusal};
use crate::placement::PartitionMap;

pub(super) fn set(draft: &mut Draft<'_>, map: &PartitionMap) -> Decision<Outcome> {
    let standing: Option<PartitionMap> = draft.get(&SystemSpace.partition_map())?;
    if standing.is_some_and(|standing| standing.epoch() + 1 != map.epoch()) {
        return Err(Refusal::StalePartitionMap.into());
    }
    draft.put(SystemSpace.partition_map(), map);
    Ok(Outcome::Done)
}
