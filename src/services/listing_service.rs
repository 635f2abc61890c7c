//! Listing service: pages of keys, versions and uploads, each page one consistent state of the bucket.
//! Owns: who may list. Does not own: order, folding into prefixes, where a page ends (cluster's queries).

use onggi_cluster::metadata::command::VersionSelector;
use onggi_cluster::metadata::query::{
    self, ListObjects, ListUploads, ListVersions, ObjectPage, UploadPage, VersionPage, VersionsAfter,
};

use super::bucket_view;
use super::error::Result;
use super::metadata_access::MetadataAccess;
use super::name::BucketName;
use super::principal::Principal;

#[derive(Clone)]
pub struct ListingService {
    metadata: MetadataAccess,
}

impl ListingService {
    pub(super) fn new(metadata: MetadataAccess) -> Self {
        Self { metadata }
    }

    /// Latest versions that are objects.
    pub async fn objects(&self, principal: &Principal, bucket: &BucketName, list: ListObjects) -> Result<ObjectPage> {
        let in_bucket = self
            .metadata
            .read_bucket(principal, bucket, move |view, owner, bucket| {
                bucket_view::list_objects(view, owner, bucket, &list)
            })
            .await?;
        Ok(in_bucket.found)
    }

    /// All versions and delete markers, newest first within a key. `after`: a key alone, or a key and a version of it;
    /// `null` stands for the place of the key's null version.
    pub async fn versions(
        &self,
        principal: &Principal,
        bucket: &BucketName,
        list: ListVersions,
        after: Option<(String, VersionSelector)>,
    ) -> Result<VersionPage> {
        let in_bucket = self
            .metadata
            .read_bucket(principal, bucket, move |view, owner, bucket| {
                let version = match &after {
                    None | Some((_, VersionSelector::Latest)) => None,
                    Some((_, VersionSelector::Id(id))) => Some(*id),
                    Some((key, VersionSelector::Null)) => {
                        let null = bucket_view::version(view, owner, bucket, key, VersionSelector::Null)?;
                        null.map(|(record, _)| record.version)
                    }
                };
                let after = after.as_ref().map(|(key, _)| VersionsAfter { key: key.clone(), version });
                bucket_view::list_versions(view, owner, bucket, &ListVersions { after, ..list.clone() })
            })
            .await?;
        Ok(in_bucket.found)
    }

    /// Multipart uploads in progress, by key and then by age.
    pub async fn uploads(&self, principal: &Principal, bucket: &BucketName, list: ListUploads) -> Result<UploadPage> {
        let in_bucket = self
            .metadata
            .read_bucket(principal, bucket, move |view, owner, bucket| {
                query::list_uploads(view, owner, bucket.id, &list)
            })
            .await?;
        Ok(in_bucket.found)
    }
}
