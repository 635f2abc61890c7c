//! Ground: a bucket of a user of its own, so of a group of its own, mostly, with the history of what was done there.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use tokio::task::block_in_place;

use super::door::Door;
use crate::checker::Keeps;
use crate::fleet::Fleet;
use crate::recorder::Recorder;
use crate::s3_client::client_with;

#[derive(Clone)]
pub struct Ground {
    pub bucket: String,
    pub keeps: Keeps,
    pub recorder: Recorder,
    access_key: String,
    secret_key: String,
}

/// What a bucket's counters say, or what they should.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub objects: u64,
    pub versions: u64,
    pub delete_markers: u64,
    pub bytes: u64,
}

impl Ground {
    pub async fn prepare(fleet: &Fleet, bucket: &str, keeps: Keeps) -> Self {
        let key = block_in_place(|| {
            fleet.ask(&["user", "create", bucket]);
            fleet.ask(&["key", "create", bucket])
        });
        let text = |name: &str| key[name].as_str().unwrap().to_owned();
        let (access_key, secret_key) = (text("access_key"), text("secret_key"));
        let ground = Self { bucket: bucket.to_owned(), keeps, recorder: Recorder::new(keeps), access_key, secret_key };
        let client = ground.client(&fleet.members[0].s3);
        client.create_bucket().bucket(bucket).send().await.unwrap();
        if keeps == Keeps::Versions {
            let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
            client.put_bucket_versioning().bucket(bucket).versioning_configuration(enabled).send().await.unwrap();
        }
        ground
    }

    pub fn client(&self, address: &str) -> Client {
        client_with(&format!("http://{address}"), &self.access_key, &self.secret_key)
    }

    /// What the cluster counts.
    pub fn counters(&self, fleet: &Fleet) -> Counters {
        let all = block_in_place(|| fleet.ask(&["bucket", "list"]));
        let found = all["buckets"].as_array().unwrap().iter().find(|found| found["name"] == *self.bucket).unwrap();
        let count = |name: &str| found[name].as_u64().unwrap();
        let (objects, versions, delete_markers) = (count("objects"), count("versions"), count("delete_markers"));
        Counters { objects, versions, delete_markers, bytes: count("bytes") }
    }

    /// Uploads that nobody will complete: their parts count.
    pub async fn abort_uploads(&self, door: &Door) {
        let client = self.client(&door.address);
        loop {
            let page = client.list_multipart_uploads().bucket(&self.bucket).send().await.unwrap();
            if page.uploads().is_empty() {
                return;
            }
            for upload in page.uploads() {
                let request = client.abort_multipart_upload().bucket(&self.bucket).set_key(upload.key.clone());
                request.set_upload_id(upload.upload_id.clone()).send().await.unwrap();
            }
        }
    }

    /// What its listings say.
    pub async fn recount(&self, door: &Door) -> Counters {
        let mut counters = Counters::default();
        let client = self.client(&door.address);
        let mut pages = client.list_object_versions().bucket(&self.bucket);
        loop {
            let page = pages.clone().send().await.unwrap();
            for version in page.versions() {
                counters.versions += 1;
                counters.objects += u64::from(version.is_latest() == Some(true));
                counters.bytes += u64::try_from(version.size().unwrap()).unwrap();
            }
            counters.delete_markers += page.delete_markers().len() as u64;
            if page.is_truncated() != Some(true) {
                return counters;
            }
            pages = pages.set_key_marker(page.next_key_marker).set_version_id_marker(page.next_version_id_marker);
        }
    }
}
