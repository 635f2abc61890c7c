//! Apply: decides a command. Pure: the same state and command give the same writes and outcome on every node.
//! Owns: every rule that two requests could race for: conditions, versions, quota, counters, reference counts.
//! Does not own: who may do it (services), when the writes are stored (`raft::state_machine`).
//! Invariant: a refused command changes no record. Time and random numbers come from the command alone.

use bytes::Bytes;

use crate::error::{Error, Result};
use crate::id::{BlobId, GroupId, OwnerKey};
use crate::metadata::VoterSets;
use crate::metadata::command::{Change, Command, OwnerChange, SystemChange};
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::record::Versioning;
use crate::metadata::view::MetadataView;

mod applier;
mod authority;
mod bucket;
mod bucket_draft;
mod bucket_name;
mod complete_upload;
pub mod condition;
mod copy_object;
mod delete_objects;
mod draft;
mod grant;
mod group_nodes;
mod group_split;
mod identity;
mod join_token;
mod node;
mod object_tags;
mod partition_map;
mod password;
mod put_object;
mod references;
mod request_ring;
mod split_steps;
mod tree;
mod upload;
mod versions;
mod whole_checksum;

pub use applier::{Applied, Applier};
use draft::Draft;

/// What follows from a command, to be stored in one batch with the applied position of its log entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    Put {
        key: Vec<u8>,
        value: Bytes,
    },
    Delete {
        key: Vec<u8>,
    },
    PutInline {
        blob: BlobId,
        payload: Bytes,
    },
    DeleteInline {
        blob: BlobId,
    },
    /// The blob has got its first name: every replica must have its chunks.
    NameBlob {
        blob: BlobId,
        bytes: u64,
        chunk_bytes: u32,
    },
    /// Nothing names the blob any more: its chunks are freed after the grace period.
    FreeBlob {
        blob: BlobId,
    },
    /// Its other records are among these writes; what it begins with in its log only `raft` can say.
    FoundGroup {
        group: GroupId,
    },
}

/// A command that was decided: what to write, the outcome, and the clock after it.
pub(super) struct Decided {
    pub(super) writes: Vec<Write>,
    pub(super) outcome: Outcome,
    pub(super) clock: u64,
}

/// Decides one command. `clock` is the last one that this group gave to a version.
pub(super) fn apply(view: &dyn MetadataView, clock: u64, voters: &VoterSets, command: &Command) -> Result<Decided> {
    let mut draft = Draft::new(view, clock, voters, command);
    let decision = match &command.change {
        Change::System(change) => system_change(&mut draft, change),
        Change::Owner { owner, change } => owner_change(&mut draft, *owner, change),
        // Decided by the applier, which knows the group's own records.
        Change::Group { .. } => Err(Refusal::NoSuchGroup.into()),
    };
    match decision {
        Ok(outcome) => {
            let (writes, clock) = draft.finish();
            Ok(Decided { writes, outcome, clock })
        }
        Err(Stop::Refused(refusal)) => Ok(Decided { writes: Vec::new(), outcome: Outcome::Refused(refusal), clock }),
        Err(Stop::Failed(error)) => Err(error),
    }
}

fn system_change(draft: &mut Draft<'_>, change: &SystemChange) -> Decision<Outcome> {
    match change {
        SystemChange::InitializeCluster { cluster_name, root_key } => {
            identity::initialize_cluster(draft, cluster_name, root_key)
        }
        SystemChange::CreateUser { name, admin, quota_bytes } => {
            identity::create_user(draft, name, *admin, *quota_bytes)
        }
        SystemChange::UpdateUser { user, enabled, quota_bytes } => {
            identity::update_user(draft, *user, *enabled, *quota_bytes)
        }
        SystemChange::DeleteUser { user } => identity::delete_user(draft, *user),
        SystemChange::CreateAccessKey { key } => identity::create_access_key(draft, key),
        SystemChange::UpdateAccessKey { access_key, enabled } => {
            identity::update_access_key(draft, access_key, *enabled)
        }
        SystemChange::DeleteAccessKey { access_key } => identity::delete_access_key(draft, access_key),
        SystemChange::ReserveBucketName { name, owner, location } => {
            bucket_name::reserve(draft, name, *owner, location)
        }
        SystemChange::ConfirmBucketName { name, reservation } => bucket_name::confirm(draft, name, *reservation),
        SystemChange::ReleaseBucketName { name, reservation } => bucket_name::release(draft, name, *reservation),
        SystemChange::SetPartitionMap { map } => partition_map::set(draft, map),
        SystemChange::RegisterFounder { founder } => node::register_founder(draft, founder),
        SystemChange::SetAuthority { authority } => authority::set(draft, authority),
        SystemChange::CreateJoinToken { token, expires_ms, zone } => {
            join_token::create(draft, *token, *expires_ms, zone.as_ref())
        }
        SystemChange::RevokeJoinToken { token } => join_token::revoke(draft, *token),
        SystemChange::AdmitNode { token, node } => node::admit(draft, *token, node),
        SystemChange::UpdateNode { node, update } => node::update(draft, *node, update),
        SystemChange::AdmitDrive { beside, node } => node::admit_drive(draft, *beside, node),
        SystemChange::UpdateHost { host, update } => node::update_host(draft, *host, update),
        SystemChange::SetGroup { record, expected_step } => group_nodes::set(draft, record, *expected_step),
        SystemChange::BeginSplit { parent, boundary, epoch } => split_steps::begin(draft, *parent, *boundary, *epoch),
        SystemChange::FinishSplit { child, voters, floor } => split_steps::finish(draft, *child, voters, *floor),
        SystemChange::SetPassword(change) => password::set(draft, change),
    }
}

fn owner_change(draft: &mut Draft<'_>, owner: OwnerKey, change: &OwnerChange) -> Decision<Outcome> {
    match change {
        OwnerChange::CreateBucket { name, location } => bucket::create(draft, owner, name, location, Versioning::Never),
        OwnerChange::DeleteBucket { bucket } => bucket::delete(draft, owner, *bucket),
        OwnerChange::SetVersioning { bucket, versioning } => bucket::set_versioning(draft, owner, *bucket, *versioning),
        OwnerChange::SetBucketTags { bucket, tags } => bucket::set_tags(draft, owner, *bucket, tags),
        OwnerChange::SetBucketCors { bucket, cors } => bucket::set_cors(draft, owner, *bucket, cors),
        OwnerChange::PutObject(put) => put_object::put_object(draft, owner, put),
        OwnerChange::CopyObject(copy) => copy_object::copy_object(draft, owner, copy),
        OwnerChange::RenameObject { bucket, source, target, source_condition, target_condition, random } => {
            let rename = copy_object::Rename { source, target, source_condition, target_condition, random: *random };
            copy_object::rename_object(draft, owner, *bucket, &rename)
        }
        OwnerChange::DeleteObjects { bucket, deletes } => {
            delete_objects::delete_objects(draft, owner, *bucket, deletes)
        }
        OwnerChange::SetObjectTags { bucket, key, version, tags } => {
            object_tags::set_object_tags(draft, owner, *bucket, key, *version, tags)
        }
        OwnerChange::CreateUpload { bucket, upload, key, headers, tags, checksum } => {
            let new = upload::NewUpload { upload: *upload, key, headers, tags, checksum: *checksum };
            upload::create_upload(draft, owner, *bucket, &new)
        }
        OwnerChange::PutPart { bucket, key, upload, part, quota_bytes } => {
            upload::put_part(draft, owner, *bucket, upload::At { key, upload: *upload }, part, *quota_bytes)
        }
        OwnerChange::CompleteUpload(complete) => complete_upload::complete_upload(draft, owner, complete),
        OwnerChange::AbortUpload { bucket, key, upload } => {
            upload::abort_upload(draft, owner, *bucket, upload::At { key, upload: *upload })
        }
        OwnerChange::CreateTree { name } => tree::create(draft, owner, name),
        OwnerChange::Tree { bucket, author, quota_bytes, change } => {
            let change = tree::Change { bucket: *bucket, author, quota_bytes: *quota_bytes, change };
            tree::change(draft, owner, &change)
        }
        OwnerChange::CreateGrant { grant } => grant::create(draft, owner, grant),
        OwnerChange::RenewGrant(change) => grant::renew(draft, owner, change),
        OwnerChange::TouchGrant(change) => grant::touch(draft, owner, change),
        OwnerChange::RevokeGrant { grant } => grant::revoke(draft, owner, *grant),
    }
}

/// Why a decision ends early: it is refused, or the state cannot be read.
enum Stop {
    Refused(Refusal),
    Failed(Error),
}

type Decision<T> = std::result::Result<T, Stop>;

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}
