//! Page: some records of a table, from a place on.

use std::ops::ControlFlow;

use onggi_storage_engine::format::Record;

use crate::error::Result;
use crate::metadata::key::{self, BucketKey, Key, TreeKey};
use crate::metadata::view::{KeyRange, MetadataView};

/// The first `limit` records of `range`, with the keys they stand under.
pub(super) fn page<R: Record>(view: &dyn MetadataView, range: &KeyRange, limit: usize) -> Result<Vec<(TreeKey, R)>> {
    let mut rows: Vec<(Vec<u8>, onggi_storage_engine::error::Result<R>)> = Vec::new();
    if limit == 0 {
        return Ok(Vec::new());
    }
    view.scan(range.bounds(), &mut |key, value| {
        rows.push((key.to_vec(), R::from_bytes(value)));
        if rows.len() == limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    rows.into_iter().map(|(key, record)| Ok((tree_key(&key)?, record?))).collect()
}

pub(super) fn tree_key(key: &[u8]) -> Result<TreeKey> {
    match key::parse(key)? {
        Key::Bucket(_, BucketKey::Tree(key)) => Ok(key),
        other => Err(key::out_of_place(&other)),
    }
}
