//! Membership: how a node becomes a member of a cluster, and what it keeps on record about itself.
//! Owns: join tokens, the call by which an invited node joins, what the founder puts on record, where a node says it is.
//! Does not own: the records and their rules (`metadata`), certificates (`peer::authority`), files on the drive (the node).

mod announce;
mod announcement;
mod decided;
mod founder;
mod identity;
mod invitation;
mod join_message;
mod join_service;
mod join_token;
mod recorded;
mod refusal;
mod report;
mod text;

#[cfg(test)]
mod membership_test;

use std::sync::Arc;

use onggi_storage_engine::env::Environment;

pub(crate) use announce::{AnnouncementService, announce};
pub use announcement::Announcement;
pub use identity::NodeIdentity;
pub use invitation::Invitation;
pub use join_message::{JoinRequest, JoinResponse};
pub use join_service::JoinService;
pub use join_token::JoinToken;
pub use recorded::Recorded;
pub use refusal::reason;
pub use text::{HOST_PORT_BYTES_MAX, ZONE_CHARS_MAX, check_host_port, check_zone};

use crate::error::{Error, ErrorKind, Result};
use crate::id::ClusterId;
use crate::metadata::client::{MetadataClient, Route};
use crate::metadata::query;
use crate::metadata::secret_box::{MasterKey, SecretBox};
use crate::peer::authority::Authority;

/// What a member does about membership. Cheap to clone.
#[derive(Clone)]
pub struct Membership {
    inner: Arc<Inner>,
}

struct Inner {
    cluster: ClusterId,
    master_key: MasterKey,
    secret_box: SecretBox,
    metadata: MetadataClient,
    environment: Environment,
}

impl Membership {
    pub fn new(cluster: ClusterId, master_key: MasterKey, metadata: MetadataClient, environment: Environment) -> Self {
        let secret_box = SecretBox::new(&master_key.0);
        Self { inner: Arc::new(Inner { cluster, master_key, secret_box, metadata, environment }) }
    }

    /// Opens the cluster's authority: any member can, since all have the master key.
    async fn authority(&self) -> Result<Authority> {
        let record = self.inner.metadata.read(Route::System, query::authority).await?;
        let record = record.ok_or_else(|| {
            Error::new(ErrorKind::Unavailable, "the founder has not put the cluster's authority on record yet")
        })?;
        Authority::open(self.inner.cluster, &record, &self.inner.secret_box)
    }

    fn now_ms(&self) -> u64 {
        self.inner.environment.clock.unix_ms()
    }
}
