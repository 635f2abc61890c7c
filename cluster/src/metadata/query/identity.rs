//! Users and access keys: asked of the system group.

use std::ops::ControlFlow;

use onggi_storage_engine::format::Record;

use crate::error::Result;
use crate::id::UserId;
use crate::metadata::key::{self, Key, SystemKey, SystemSpace};
use crate::metadata::record::{AccessKeyRecord, ClusterRecord, UserRecord};
use crate::metadata::view::{MetadataView, record};

/// `None`: the cluster was never initialized.
pub fn cluster(view: &dyn MetadataView) -> Result<Option<ClusterRecord>> {
    record(view, &SystemSpace.cluster())
}

pub fn user(view: &dyn MetadataView, user: UserId) -> Result<Option<UserRecord>> {
    record(view, &SystemSpace.user(user))
}

pub fn user_by_name(view: &dyn MetadataView, name: &str) -> Result<Option<UserRecord>> {
    match record::<UserId>(view, &SystemSpace.user_name(name))? {
        Some(found) => user(view, found),
        None => Ok(None),
    }
}

/// All users, by number.
pub fn users(view: &dyn MetadataView) -> Result<Vec<UserRecord>> {
    let mut users = Vec::new();
    view.scan(SystemSpace.users().bounds(), &mut |_, value| {
        users.push(UserRecord::from_bytes(value));
        ControlFlow::Continue(())
    })?;
    Ok(users.into_iter().collect::<Result<_, _>>()?)
}

pub fn access_key(view: &dyn MetadataView, access_key: &str) -> Result<Option<AccessKeyRecord>> {
    record(view, &SystemSpace.access_key(access_key))
}

/// The access keys of a user, by their text.
pub fn access_keys(view: &dyn MetadataView, user: UserId) -> Result<Vec<AccessKeyRecord>> {
    let mut names = Vec::new();
    view.scan(SystemSpace.user_keys(user).bounds(), &mut |key, _| {
        names.push(key::parse(key));
        ControlFlow::Continue(())
    })?;
    let mut keys = Vec::with_capacity(names.len());
    for name in names {
        match name? {
            Key::System(SystemKey::UserKey { access_key: name, .. }) => keys.extend(access_key(view, &name)?),
            other => return Err(key::out_of_place(&other)),
        }
    }
    Ok(keys)
}

pub(crate) fn owns_bucket_name(view: &dyn MetadataView, user: UserId) -> Result<bool> {
    let mut owns = false;
    view.scan(SystemSpace.user_buckets(user).bounds(), &mut |_, _| {
        owns = true;
        ControlFlow::Break(())
    })?;
    Ok(owns)
}
