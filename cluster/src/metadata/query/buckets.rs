//! Buckets and their names.

use std::ops::ControlFlow;

use onggi_storage_engine::format::Record;

use crate::error::Result;
use crate::id::{BucketId, OwnerKey};
use crate::metadata::key::{self, BucketSpace, Key, OwnerSpace, SystemKey, SystemSpace};
use crate::metadata::record::{BucketNameRecord, BucketRecord, Counters, OwnerRecord};
use crate::metadata::view::{MetadataView, record};

/// Who owns a bucket name: asked of the system group.
pub fn bucket_name(view: &dyn MetadataView, name: &str) -> Result<Option<BucketNameRecord>> {
    record(view, &SystemSpace.bucket_name(name))
}

/// Names after `after`, in order, with their owners: asked of the system group.
pub fn bucket_names(
    view: &dyn MetadataView,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<(String, BucketNameRecord)>> {
    let mut range = SystemSpace.bucket_names();
    if let Some(after) = after {
        range = range.starting_at(just_after(SystemSpace.bucket_name(after)));
    }
    let mut names = Vec::new();
    let mut failed = None;
    view.scan(range.bounds(), &mut |key, value| {
        if names.len() == limit {
            return ControlFlow::Break(());
        }
        match named(key, value) {
            Ok(named) => names.push(named),
            Err(error) => failed = Some(error),
        }
        if failed.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    failed.map_or(Ok(names), Err)
}

pub fn bucket(view: &dyn MetadataView, owner: OwnerKey, name: &str) -> Result<Option<BucketRecord>> {
    match record::<BucketId>(view, &OwnerSpace(owner).bucket_name(name))? {
        Some(bucket) => bucket_by_id(view, owner, bucket),
        None => Ok(None),
    }
}

pub fn bucket_by_id(view: &dyn MetadataView, owner: OwnerKey, bucket: BucketId) -> Result<Option<BucketRecord>> {
    record(view, &BucketSpace::new(owner, bucket).bucket())
}

/// The owner's buckets whose name begins with `prefix`, after `after`, by name.
pub fn buckets(
    view: &dyn MetadataView,
    owner: OwnerKey,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<BucketRecord>> {
    let mut range = OwnerSpace(owner).bucket_names(prefix);
    if let Some(after) = after {
        range = range.starting_at(just_after(OwnerSpace(owner).bucket_name(after)));
    }
    let mut ids = Vec::new();
    view.scan(range.bounds(), &mut |_, value| {
        if ids.len() == limit {
            return ControlFlow::Break(());
        }
        ids.push(BucketId::from_bytes(value));
        ControlFlow::Continue(())
    })?;
    let mut buckets = Vec::with_capacity(ids.len());
    for id in ids {
        buckets.extend(bucket_by_id(view, owner, id?)?);
    }
    Ok(buckets)
}

pub fn counters(view: &dyn MetadataView, owner: OwnerKey, bucket: BucketId) -> Result<Counters> {
    Ok(record(view, &BucketSpace::new(owner, bucket).counters())?.unwrap_or_default())
}

/// Counts over all buckets of the owner.
pub fn owner_totals(view: &dyn MetadataView, owner: OwnerKey) -> Result<Counters> {
    let owner: Option<OwnerRecord> = record(view, &OwnerSpace(owner).owner())?;
    Ok(owner.unwrap_or_default().totals)
}

fn named(key: &[u8], value: &[u8]) -> Result<(String, BucketNameRecord)> {
    match key::parse(key)? {
        Key::System(SystemKey::BucketName { name }) => Ok((name, BucketNameRecord::from_bytes(value)?)),
        other => Err(key::out_of_place(&other)),
    }
}

/// The least key after `key`.
fn just_after(mut key: Vec<u8>) -> Vec<u8> {
    key.push(0);
    key
}
