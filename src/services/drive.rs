//! Drive service: a user's tree of files and folders, one method an operation, the same for every door.
//! Owns: finding (or making) the user's tree, and the order of steps of every operation.
//! Does not own: what a change does to the tree (cluster's `apply`), protocols (the doors of the drive API).
//! Invariant: nobody reaches another one's tree: the tree is found by who asks, never by what is asked for.

pub mod actor;
pub mod checked_pieces;
pub mod concatenation;
pub mod content_hash;
pub mod entries;
pub mod feed;
pub mod late_hash;
pub mod links;
pub mod mass_delete;
pub mod name;
pub mod new_file;
pub mod parts_upload;
pub mod revisions;
pub mod rewind;
pub mod session;
pub mod session_details;
pub mod stored_file;
pub mod upload;

mod hub;

use onggi_cluster::DataClient;
use onggi_cluster::id::{BucketId, OwnerKey};
use onggi_cluster::metadata::DRIVE_SUFFIX;
use onggi_cluster::metadata::command::OwnerChange;
use onggi_cluster::metadata::command::tree::TreeChange;
use onggi_cluster::metadata::key::{BucketSpace, TreeSpace};
use onggi_cluster::metadata::outcome::{EntryChanged, Outcome, Refusal};
use onggi_cluster::metadata::query;
use onggi_cluster::metadata::view::MetadataView;

use super::error::{Error, Result};
use super::metadata_access::MetadataAccess;
use super::name::BucketName;
use super::object_reader::ContentReader;
use super::principal::Principal;
use actor::Actor;
use hub::Hub;
use late_hash::LateHashes;

/// Cheap to clone.
#[derive(Clone)]
pub struct DriveService {
    metadata: MetadataAccess,
    data: DataClient,
    content: ContentReader,
    hub: Hub,
    late_hashes: LateHashes,
}

impl DriveService {
    pub(super) fn new(metadata: MetadataAccess, data: DataClient) -> Self {
        let content = ContentReader::new(metadata.clone(), data.clone());
        Self { metadata, data, content, hub: Hub::default(), late_hashes: LateHashes::default() }
    }

    /// One state of the actor's tree. It is made at its first use.
    async fn read<T, Q>(&self, actor: &Actor, query: Q) -> Result<T>
    where
        T: Send + 'static,
        Q: Fn(&dyn MetadataView, TreeSpace) -> onggi_cluster::Result<T> + Clone + Send + 'static,
    {
        if let Some(found) = self.read_standing(actor, query.clone()).await? {
            return Ok(found);
        }
        self.make_tree(actor).await?;
        self.read_standing(actor, query).await?.ok_or(Error::Vanished)
    }

    async fn read_standing<T, Q>(&self, actor: &Actor, query: Q) -> Result<Option<T>>
    where
        T: Send + 'static,
        Q: Fn(&dyn MetadataView, TreeSpace) -> onggi_cluster::Result<T> + Send + 'static,
    {
        let (owner, names) = (actor.principal.owner_key(), bucket_names(&actor.principal));
        self.metadata
            .read_owner(owner, move |view| {
                for name in &names {
                    if let Some(bucket) = query::bucket(view, owner, name)? {
                        return query(view, space(owner, bucket.id)).map(Some);
                    }
                }
                Ok(None)
            })
            .await
    }

    async fn make_tree(&self, actor: &Actor) -> Result<()> {
        let user = actor.principal.user;
        for name in bucket_names(&actor.principal) {
            match self.metadata.create_tree(user, name).await {
                // By a user of this name who was here before.
                Err(Error::Refused(Refusal::BucketNameTaken)) => {}
                // By another request at the same time.
                Err(Error::Refused(Refusal::BucketOwnedByYou)) => return Ok(()),
                made => return made,
            }
        }
        Err(Error::Refused(Refusal::BucketNameTaken))
    }

    async fn change(&self, actor: &Actor, change: TreeChange) -> Result<Outcome> {
        let bucket = self.read(actor, |_, tree| Ok(tree.0.bucket)).await?;
        let change =
            OwnerChange::Tree { bucket, author: actor.author(), quota_bytes: actor.principal.quota_bytes, change };
        let outcome = self.metadata.commit(actor.principal.owner_key(), change).await?;
        self.hub.changed(actor.principal.owner_key());
        Ok(outcome)
    }

    async fn change_entry(&self, actor: &Actor, change: TreeChange) -> Result<EntryChanged> {
        match self.change(actor, change).await? {
            Outcome::EntryChanged(changed) => Ok(changed),
            outcome => Err(Error::unexpected(outcome)),
        }
    }
}

fn space(owner: OwnerKey, bucket: BucketId) -> TreeSpace {
    TreeSpace(BucketSpace::new(owner, bucket))
}

/// By the user's name, if that can stand in the name of a bucket; else by the number, which nobody else ever had.
pub fn bucket_names(principal: &Principal) -> Vec<String> {
    let by_name = format!("{}{DRIVE_SUFFIX}", principal.name);
    let by_number = format!("u{}{DRIVE_SUFFIX}", principal.user.0);
    BucketName::parse(&by_name).ok().map(|name| name.to_string()).into_iter().chain([by_number]).collect()
}
