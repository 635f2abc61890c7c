//! Services: the rules that a user would recognise, the same for every front end.
//! Owns: authorisation, and the order of steps of every operation.
//! Does not own: protocols (the APIs), what a change does to the records (cluster).

pub mod account_service;
pub mod authorization;
pub mod bucket_service;
pub mod cluster_service;
pub mod drive;
pub mod error;
pub mod identity_service;
pub mod listing_service;
pub mod multipart_service;
pub mod object_service;
pub mod share_service;

mod body;
mod body_hash;
mod body_intake;
mod bucket_view;
mod drive_bucket;
mod drive_key;
mod found_object;
mod fresh;
mod metadata_access;
mod moment_cache;
mod name;
mod object_reader;
mod principal;
mod quota;
mod secret;
mod write_condition;

pub use body::{Body, BodyClaims, BodyPiece, ChecksumClaim};
pub use error::{BoxError, Error, ErrorKind, Result};
pub use found_object::{FoundObject, ObjectBytes, RESOLVE_ATTEMPTS_MAX};
pub use fresh::KeyPair;
pub use name::{BucketName, ObjectKey, ObjectTarget};
pub use principal::Principal;
pub use secret::Secret;

use onggi_cluster::membership::Membership;
use onggi_cluster::{DataClient, MetadataClient};

use account_service::AccountService;
use bucket_service::BucketService;
use cluster_service::ClusterService;
use drive::DriveService;
use identity_service::IdentityService;
use listing_service::ListingService;
use metadata_access::MetadataAccess;
use multipart_service::MultipartService;
use object_service::ObjectService;
use share_service::{ShareKey, ShareService};

/// Cheap to clone.
#[derive(Clone)]
pub struct Services {
    pub objects: ObjectService,
    pub multipart: MultipartService,
    pub buckets: BucketService,
    pub listing: ListingService,
    pub identity: IdentityService,
    pub accounts: AccountService,
    pub cluster: ClusterService,
    pub drive: DriveService,
    pub shares: ShareService,
}

impl Services {
    /// `master_key`: of the cluster; what opens the secrets of access keys and signs addresses comes of it.
    pub fn new(metadata: MetadataClient, data: DataClient, master_key: &[u8; 32], membership: Membership) -> Self {
        let metadata = MetadataAccess::new(metadata);
        let objects = ObjectService::new(metadata.clone(), data.clone());
        let drive = DriveService::new(metadata.clone(), data.clone());
        let accounts = AccountService::new(metadata.clone());
        Self {
            shares: ShareService::new(drive.clone(), accounts.clone(), ShareKey::derive(master_key)),
            drive,
            multipart: MultipartService::new(metadata.clone(), data, objects.clone()),
            objects,
            buckets: BucketService::new(metadata.clone()),
            listing: ListingService::new(metadata.clone()),
            accounts,
            identity: IdentityService::new(metadata.clone(), master_key),
            cluster: ClusterService::new(metadata, membership),
        }
    }
}
