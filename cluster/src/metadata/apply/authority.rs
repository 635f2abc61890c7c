//! The cluster's certificate authority: set once.

use super::{Decision, Draft};
use crate::metadata::key::SystemSpace;
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::record::AuthorityRecord;

pub(super) fn set(draft: &mut Draft<'_>, authority: &AuthorityRecord) -> Decision<Outcome> {
    if draft.exists(&SystemSpace.authority())? {
        return Err(Refusal::AuthorityExists.into());
    }
    draft.put(SystemSpace.authority(), authority);
    Ok(Outcome::Done)
}
