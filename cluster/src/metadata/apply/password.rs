//! Passwords: decided by the system group, so that every node knows within a moment which sign-ins are over.

use super::{Decision, Draft};
use crate::metadata::command::SetPassword;
use crate::metadata::key::SystemSpace;
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::record::PasswordRecord;

pub(super) fn set(draft: &mut Draft<'_>, change: &SetPassword) -> Decision<Outcome> {
    let key = SystemSpace.password(change.user);
    if !draft.exists(&SystemSpace.user(change.user))? {
        return Err(Refusal::NoSuchUser.into());
    }
    let standing: Option<PasswordRecord> = draft.get(&key)?;
    let (sign_ins, app_passwords) = standing.map_or((0, 0), |record| (record.sign_ins, record.app_passwords));
    if change.expected.is_some_and(|expected| expected != sign_ins) {
        return Err(Refusal::PasswordChanged.into());
    }
    let sign_ins = sign_ins + 1;
    let app_passwords = app_passwords + u64::from(change.ends_app_passwords);
    let record = PasswordRecord { hash: change.hash.clone(), changed_ms: draft.time_ms, sign_ins, app_passwords };
    draft.put(key, &record);
    Ok(Outcome::PasswordSet { sign_ins })
}
