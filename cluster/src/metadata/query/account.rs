//! Passwords, asked of the system group, and grants, asked of their owner's.

use std::ops::ControlFlow;

use onggi_storage_engine::format::Record;

use crate::error::Result;
use crate::id::{GrantId, OwnerKey, UserId};
use crate::metadata::key::{OwnerSpace, SystemSpace};
use crate::metadata::record::{GrantRecord, PasswordRecord};
use crate::metadata::view::{MetadataView, record};

/// `None`: nobody set one, and the user cannot sign in.
pub fn password(view: &dyn MetadataView, user: UserId) -> Result<Option<PasswordRecord>> {
    record(view, &SystemSpace.password(user))
}

pub fn grant(view: &dyn MetadataView, owner: OwnerKey, grant: GrantId) -> Result<Option<GrantRecord>> {
    record(view, &OwnerSpace(owner).grant(grant))
}

/// All of the owner's, expired ones included; a few hundred at most.
pub fn grants(view: &dyn MetadataView, owner: OwnerKey) -> Result<Vec<GrantRecord>> {
    let mut grants = Vec::new();
    view.scan(OwnerSpace(owner).grants().bounds(), &mut |_, value| {
        grants.push(GrantRecord::from_bytes(value));
        ControlFlow::Continue(())
    })?;
    Ok(grants.into_iter().collect::<Result<_, _>>()?)
}
