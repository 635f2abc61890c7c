//! List uploads: pages of multipart uploads in progress, by key and then oldest first.

use onggi_storage_engine::format::Record;

use super::cursor::Cursor;
use super::fold::Fold;
use crate::error::Result;
use crate::id::{BucketId, OwnerKey, UploadId};
use crate::metadata::key::BucketSpace;
use crate::metadata::record::UploadRecord;
use crate::metadata::view::MetadataView;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListUploads {
    pub prefix: String,
    pub delimiter: Option<String>,
    pub after: Option<UploadsAfter>,
    /// Uploads and common prefixes together; 0 gives an empty, complete page.
    pub limit: usize,
}

/// Without an upload, every upload of `key` was listed already (or of the common prefix in which it lies).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadsAfter {
    pub key: String,
    pub upload: Option<UploadId>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct UploadPage {
    pub uploads: Vec<UploadRecord>,
    pub common_prefixes: Vec<String>,
    pub next: Option<UploadsAfter>,
}

pub fn list_uploads(
    view: &dyn MetadataView,
    owner: OwnerKey,
    bucket: BucketId,
    list: &ListUploads,
) -> Result<UploadPage> {
    let space = BucketSpace::new(owner, bucket);
    let fold = Fold::new(&list.prefix, list.delimiter.as_deref());
    let mut cursor = Cursor::new(view, space.uploads(&list.prefix));
    if let Some(after) = &list.after {
        match (fold.common_prefix(&after.key), after.upload) {
            (Some(listed), _) => cursor.skip_prefix(space.uploads(listed).from),
            (None, Some(upload)) => cursor.skip_past(space.upload(&after.key, upload)),
            (None, None) => cursor.skip_to(space.uploads_of(&after.key).to),
        }
    }

    let mut page = UploadPage::default();
    let mut last = None;
    while let Some((_, value)) = cursor.peek()? {
        if page.uploads.len() + page.common_prefixes.len() == list.limit {
            page.next = last;
            break;
        }
        let upload = UploadRecord::from_bytes(value)?;
        match fold.common_prefix(&upload.key) {
            Some(common) => {
                page.common_prefixes.push(common.to_owned());
                last = Some(UploadsAfter { key: common.to_owned(), upload: None });
                cursor.skip_prefix(space.uploads(common).from);
            }
            None => {
                last = Some(UploadsAfter { key: upload.key.clone(), upload: Some(upload.upload) });
                page.uploads.push(upload);
                cursor.advance();
            }
        }
    }
    Ok(page)
}
