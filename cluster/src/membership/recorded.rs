//! Recorded: what this drive's own copy of the system group says about membership, before the group is opened.
//! It may be behind; what it has was true once.

use onggi_storage_engine::metadata_store::MetadataStore;

use crate::error::Result;
use crate::id::DriveId;
use crate::metadata::query;
use crate::metadata::record::{AuthorityRecord, NodeRecord};
use crate::metadata::view::StoreView;

#[derive(Debug)]
pub struct Recorded {
    pub authority: Option<AuthorityRecord>,
    /// The node that was admitted with this drive.
    pub node: Option<NodeRecord>,
    /// Removed ones too.
    pub nodes: Vec<NodeRecord>,
}

impl Recorded {
    /// Blocks on the disk.
    pub fn read(store: &MetadataStore, drive: &DriveId) -> Result<Self> {
        let view = StoreView::new(store.snapshot());
        Ok(Self {
            authority: query::authority(&view)?,
            node: query::node_of_drive(&view, drive)?,
            nodes: query::nodes(&view)?,
        })
    }
}
