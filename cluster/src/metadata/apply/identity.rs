//! The cluster's first entry, users and access keys: decided by the system group.

use super::{Decision, Draft};
use crate::id::UserId;
use crate::metadata::key::SystemSpace;
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::query;
use crate::metadata::record::{AccessKeyRecord, ClusterRecord, UserRecord};

const ROOT_NAME: &str = "root";

pub(super) fn initialize_cluster(draft: &mut Draft<'_>, name: &str, root_key: &AccessKeyRecord) -> Decision<Outcome> {
    if draft.exists(&SystemSpace.cluster())? {
        return Err(Refusal::AlreadyInitialized.into());
    }
    let cluster = ClusterRecord { name: name.to_owned(), created_ms: draft.time_ms, last_user: UserId::ROOT.0 };
    draft.put(SystemSpace.cluster(), &cluster);
    put_new_user(draft, UserId::ROOT, ROOT_NAME, true, None);
    put_key(draft, &AccessKeyRecord { user: UserId::ROOT, ..root_key.clone() });
    Ok(Outcome::UserCreated { user: UserId::ROOT })
}

pub(super) fn create_user(
    draft: &mut Draft<'_>,
    name: &str,
    admin: bool,
    quota_bytes: Option<u64>,
) -> Decision<Outcome> {
    if draft.exists(&SystemSpace.user_name(name))? {
        return Err(Refusal::UserExists.into());
    }
    // Before InitializeCluster there is no root user who could ask for another.
    let mut cluster: ClusterRecord = draft.get(&SystemSpace.cluster())?.ok_or(Refusal::NoSuchUser)?;
    cluster.last_user += 1;
    let user = UserId(cluster.last_user);
    draft.put(SystemSpace.cluster(), &cluster);
    put_new_user(draft, user, name, admin, quota_bytes);
    Ok(Outcome::UserCreated { user })
}

pub(super) fn update_user(
    draft: &mut Draft<'_>,
    user: UserId,
    enabled: Option<bool>,
    quota_bytes: Option<Option<u64>>,
) -> Decision<Outcome> {
    let mut record: UserRecord = draft.get(&SystemSpace.user(user))?.ok_or(Refusal::NoSuchUser)?;
    if user == UserId::ROOT && enabled == Some(false) {
        return Err(Refusal::RootUser.into());
    }
    record.enabled = enabled.unwrap_or(record.enabled);
    record.quota_bytes = quota_bytes.unwrap_or(record.quota_bytes);
    draft.put(SystemSpace.user(user), &record);
    Ok(Outcome::Done)
}

pub(super) fn delete_user(draft: &mut Draft<'_>, user: UserId) -> Decision<Outcome> {
    let record: UserRecord = draft.get(&SystemSpace.user(user))?.ok_or(Refusal::NoSuchUser)?;
    if user == UserId::ROOT {
        return Err(Refusal::RootUser.into());
    }
    if query::owns_bucket_name(draft.view(), user)? {
        return Err(Refusal::UserOwnsBuckets.into());
    }
    for key in query::access_keys(draft.view(), user)? {
        remove_key(draft, &key);
    }
    draft.delete(SystemSpace.password(user));
    draft.delete(SystemSpace.user(user));
    draft.delete(SystemSpace.user_name(&record.name));
    Ok(Outcome::Done)
}

pub(super) fn create_access_key(draft: &mut Draft<'_>, key: &AccessKeyRecord) -> Decision<Outcome> {
    if !draft.exists(&SystemSpace.user(key.user))? {
        return Err(Refusal::NoSuchUser.into());
    }
    if draft.exists(&SystemSpace.access_key(&key.access_key))? {
        return Err(Refusal::AccessKeyExists.into());
    }
    put_key(draft, key);
    Ok(Outcome::Done)
}

pub(super) fn update_access_key(draft: &mut Draft<'_>, access_key: &str, enabled: bool) -> Decision<Outcome> {
    let key = draft.get::<AccessKeyRecord>(&SystemSpace.access_key(access_key))?.ok_or(Refusal::NoSuchAccessKey)?;
    draft.put(SystemSpace.access_key(access_key), &AccessKeyRecord { enabled, ..key });
    Ok(Outcome::Done)
}

pub(super) fn delete_access_key(draft: &mut Draft<'_>, access_key: &str) -> Decision<Outcome> {
    let key = draft.get::<AccessKeyRecord>(&SystemSpace.access_key(access_key))?.ok_or(Refusal::NoSuchAccessKey)?;
    remove_key(draft, &key);
    Ok(Outcome::Done)
}

fn put_new_user(draft: &mut Draft<'_>, id: UserId, name: &str, admin: bool, quota_bytes: Option<u64>) {
    let record = UserRecord { id, name: name.to_owned(), created_ms: draft.time_ms, enabled: true, admin, quota_bytes };
    draft.put(SystemSpace.user(id), &record);
    draft.put(SystemSpace.user_name(name), &id);
}

fn put_key(draft: &mut Draft<'_>, key: &AccessKeyRecord) {
    draft.put(SystemSpace.access_key(&key.access_key), key);
    draft.put_mark(SystemSpace.user_key(key.user, &key.access_key));
}

fn remove_key(draft: &mut Draft<'_>, key: &AccessKeyRecord) {
    draft.delete(SystemSpace.access_key(&key.access_key));
    draft.delete(SystemSpace.user_key(key.user, &key.access_key));
}
