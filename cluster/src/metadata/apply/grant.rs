//! Grants: what lets a user in without the password, decided by the user's own group.
//! Owns: how many there may be, what a token that was used before means, how long a lost answer is forgiven.
//! Does not own: who gets one (services), whether the password changed since (the system group says so).

use super::{Decision, Draft};
use crate::id::{GrantId, OwnerKey};
use crate::metadata::command::{RenewGrant, TouchGrant};
use crate::metadata::key::OwnerSpace;
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::query;
use crate::metadata::record::{GrantKind, GrantRecord, ReplacedToken};

/// More devices than anybody has. Past it the one that was not used for the longest time is signed out.
const SIGN_INS_MAX: usize = 200;
/// Past it a new one is refused: nobody's program is cut off unasked.
const APP_PASSWORDS_MAX: usize = 100;
/// They live for minutes. Past it the oldest goes.
const CODES_MAX: usize = 20;
/// Programs that share a refresh token hold one each; past it the oldest is over.
const ACCESS_TOKENS_MAX: usize = 8;
/// How long a refresh token that was replaced is still taken, from a client that did not get the answer.
const REPLACED_TAKEN_MS: u64 = 30_000;

pub(super) fn create(draft: &mut Draft<'_>, owner: OwnerKey, grant: &GrantRecord) -> Decision<Outcome> {
    let key = OwnerSpace(owner).grant(grant.grant);
    if draft.exists(&key)? {
        return Err(Refusal::GrantExists.into());
    }
    make_room(draft, owner, &grant.kind)?;
    draft.put(key, grant);
    Ok(Outcome::Done)
}

pub(super) fn renew(draft: &mut Draft<'_>, owner: OwnerKey, change: &RenewGrant) -> Decision<Outcome> {
    let key = OwnerSpace(owner).grant(change.grant);
    let mut grant = standing(draft, owner, change.grant)?;
    let rotates = match &grant.kind {
        GrantKind::SignIn { rotates } => *rotates,
        GrantKind::Code(terms) => terms.rotates,
        GrantKind::Console | GrantKind::AppPassword => return Err(Refusal::NoSuchGrant.into()),
    };
    if grant.lineage != change.lineage {
        return Err(Refusal::NoSuchGrant.into());
    }
    let was_a_sign_in = matches!(grant.kind, GrantKind::SignIn { .. });
    let time_ms = draft.time_ms;
    let is_current = grant.token == change.presented;
    let is_forgiven = grant
        .replaced
        .as_ref()
        .is_some_and(|replaced| replaced.token == change.presented && time_ms < replaced.until_ms);
    if !is_current && !is_forgiven {
        draft.delete(key);
        return Ok(Outcome::GrantReused);
    }
    if let Some(token) = change.token {
        if is_current && was_a_sign_in {
            let until_ms = time_ms + REPLACED_TAKEN_MS;
            grant.replaced = Some(ReplacedToken { token: change.presented, until_ms });
        }
        grant.token = token;
    }
    grant.kind = GrantKind::SignIn { rotates };
    grant.access.retain(|access| access.expires_ms > time_ms);
    grant.access.push(change.access.clone());
    let too_many = grant.access.len().saturating_sub(ACCESS_TOKENS_MAX);
    grant.access.drain(..too_many);
    grant.used_ms = grant.used_ms.max(time_ms);
    grant.expires_ms = Some(change.expires_ms);
    draft.put(key, &grant);
    Ok(Outcome::Done)
}

pub(super) fn touch(draft: &mut Draft<'_>, owner: OwnerKey, change: &TouchGrant) -> Decision<Outcome> {
    let mut grant = standing(draft, owner, change.grant)?;
    grant.used_ms = grant.used_ms.max(draft.time_ms);
    grant.expires_ms = change.expires_ms.or(grant.expires_ms);
    grant.under = change.under.unwrap_or(grant.under);
    draft.put(OwnerSpace(owner).grant(change.grant), &grant);
    Ok(Outcome::Done)
}

pub(super) fn revoke(draft: &mut Draft<'_>, owner: OwnerKey, grant: GrantId) -> Decision<Outcome> {
    let key = OwnerSpace(owner).grant(grant);
    if !draft.exists(&key)? {
        return Err(Refusal::NoSuchGrant.into());
    }
    draft.delete(key);
    Ok(Outcome::Done)
}

fn standing(draft: &Draft<'_>, owner: OwnerKey, grant: GrantId) -> Decision<GrantRecord> {
    let grant: GrantRecord = draft.get(&OwnerSpace(owner).grant(grant))?.ok_or(Refusal::NoSuchGrant)?;
    if grant.expires_ms.is_some_and(|expires_ms| expires_ms <= draft.time_ms) {
        return Err(Refusal::GrantExpired.into());
    }
    Ok(grant)
}

/// Expired ones go, and of those alike the new one as many as are too many.
fn make_room(draft: &mut Draft<'_>, owner: OwnerKey, kind: &GrantKind) -> Decision<()> {
    let class = Class::of(kind);
    let (expired, standing): (Vec<_>, Vec<_>) = query::grants(draft.view(), owner)?
        .into_iter()
        .partition(|grant| grant.expires_ms.is_some_and(|expires_ms| expires_ms <= draft.time_ms));
    let mut alike: Vec<_> = standing.into_iter().filter(|grant| Class::of(&grant.kind) == class).collect();
    let too_many = (alike.len() + 1).saturating_sub(class.max());
    if too_many > 0 && class == Class::AppPasswords {
        return Err(Refusal::TooManyGrants { max: class.max() as u64 }.into());
    }
    alike.sort_by_key(|grant| (grant.used_ms, grant.grant));
    for gone in expired.iter().chain(alike.iter().take(too_many)) {
        draft.delete(OwnerSpace(owner).grant(gone.grant));
    }
    Ok(())
}

/// What is counted together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    SignIns,
    AppPasswords,
    Codes,
}

impl Class {
    fn of(kind: &GrantKind) -> Self {
        match kind {
            GrantKind::SignIn { .. } | GrantKind::Console => Self::SignIns,
            GrantKind::AppPassword => Self::AppPasswords,
            GrantKind::Code(_) => Self::Codes,
        }
    }

    fn max(self) -> usize {
        match self {
            Self::SignIns => SIGN_INS_MAX,
            Self::AppPasswords => APP_PASSWORDS_MAX,
            Self::Codes => CODES_MAX,
        }
    }
}
