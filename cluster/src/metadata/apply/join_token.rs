//! Join tokens: one node each, for a while.

use super::{Decision, Draft};
use crate::id::{NodeId, TokenId};
use crate::metadata::key::SystemSpace;
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::query;
use crate::metadata::record::JoinTokenRecord;

/// How long an expired token stays listed, so that an operator can see what became of it.
const KEPT_MS: u64 = 7 * 24 * 60 * 60 * 1000;

pub(super) fn create(
    draft: &mut Draft<'_>,
    token: TokenId,
    expires_ms: u64,
    zone: Option<&String>,
) -> Decision<Outcome> {
    if draft.exists(&SystemSpace.join_token(token))? {
        return Err(Refusal::TokenExists.into());
    }
    forget_old(draft)?;
    let created_ms = draft.time_ms;
    let record = JoinTokenRecord { token, created_ms, expires_ms, zone: zone.cloned(), used_by: None };
    draft.put(SystemSpace.join_token(token), &record);
    Ok(Outcome::Done)
}

pub(super) fn revoke(draft: &mut Draft<'_>, token: TokenId) -> Decision<Outcome> {
    match standing(draft, token)?.used_by {
        Some(by) => Err(Refusal::TokenUsed { by }.into()),
        None => {
            draft.delete(SystemSpace.join_token(token));
            Ok(Outcome::Done)
        }
    }
}

pub(super) fn standing(draft: &Draft<'_>, token: TokenId) -> Decision<JoinTokenRecord> {
    Ok(draft.get(&SystemSpace.join_token(token))?.ok_or(Refusal::NoSuchToken)?)
}

/// Refused unless the token still admits a node.
pub(super) fn use_up(draft: &mut Draft<'_>, token: JoinTokenRecord, node: NodeId) -> Decision<()> {
    if let Some(by) = token.used_by {
        return Err(Refusal::TokenUsed { by }.into());
    }
    if token.expires_ms <= draft.time_ms {
        return Err(Refusal::TokenExpired.into());
    }
    draft.put(SystemSpace.join_token(token.token), &JoinTokenRecord { used_by: Some(node), ..token });
    Ok(())
}

fn forget_old(draft: &mut Draft<'_>) -> Decision<()> {
    let forgotten_before = draft.time_ms.saturating_sub(KEPT_MS);
    for token in query::join_tokens(draft.view())? {
        if token.expires_ms < forgotten_before {
            draft.delete(SystemSpace.join_token(token.token));
        }
    }
    Ok(())
}
