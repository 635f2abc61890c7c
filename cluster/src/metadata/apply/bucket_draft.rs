//! Bucket draft: one bucket while one command changes it.
//! Owns: exact counters of the bucket and of its owner, and the quota, settled once when the command is decided.

use crate::error::{Error, ErrorKind, Result};
use crate::id::{BucketId, OwnerKey};
use crate::metadata::apply::{Decision, Draft};
use crate::metadata::key::{BucketSpace, OwnerSpace};
use crate::metadata::outcome::Refusal;
use crate::metadata::record::{BucketRecord, Counters, OwnerRecord, Versioning};

pub(super) struct BucketDraft<'d, 'a> {
    pub(super) draft: &'d mut Draft<'a>,
    pub(super) space: BucketSpace,
    pub(super) record: BucketRecord,
    pub(super) change: CountersChange,
}

/// What a command adds to the counters.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CountersChange {
    pub(super) objects: i64,
    pub(super) versions: i64,
    pub(super) delete_markers: i64,
    pub(super) uploads: i64,
    pub(super) bytes: i64,
}

impl<'d, 'a> BucketDraft<'d, 'a> {
    pub(super) fn open(draft: &'d mut Draft<'a>, owner: OwnerKey, bucket: BucketId) -> Decision<Self> {
        let space = BucketSpace::new(owner, bucket);
        let record = draft.get(&space.bucket())?.ok_or(Refusal::NoSuchBucket)?;
        Ok(Self { draft, space, record, change: CountersChange::default() })
    }

    /// For changes of objects: in a tree only the changes of a tree may write.
    pub(super) fn open_objects(draft: &'d mut Draft<'a>, owner: OwnerKey, bucket: BucketId) -> Decision<Self> {
        let bucket = Self::open(draft, owner, bucket)?;
        if bucket.record.versioning == Versioning::Revisions {
            return Err(Refusal::WrongBucketKind.into());
        }
        Ok(bucket)
    }

    /// Settles the counters. Refused if more bytes would be counted than before, and more than the quota.
    pub(super) fn close(self, quota_bytes: Option<u64>) -> Decision<()> {
        let change = self.change;
        let owner_key = OwnerSpace(self.space.owner).owner();
        let mut owner: OwnerRecord = self.draft.get(&owner_key)?.unwrap_or_default();
        owner.totals = change.added_to(owner.totals)?;
        let is_over_quota = quota_bytes.is_some_and(|quota_bytes| owner.totals.bytes > quota_bytes);
        if is_over_quota && change.bytes > 0 {
            return Err(Refusal::QuotaExceeded.into());
        }
        let counters: Counters = self.draft.get(&self.space.counters())?.unwrap_or_default();
        let counters = change.added_to(counters)?;
        self.draft.put(self.space.counters(), &counters);
        self.draft.put(owner_key, &owner);
        Ok(())
    }
}

impl CountersChange {
    fn added_to(&self, counters: Counters) -> Result<Counters> {
        let add = |count: u64, change: i64, what: &str| {
            count
                .checked_add_signed(change)
                .ok_or_else(|| Error::new(ErrorKind::Corrupt, format!("counter of {what}: {count} {change:+}")))
        };
        Ok(Counters {
            objects: add(counters.objects, self.objects, "objects")?,
            versions: add(counters.versions, self.versions, "versions")?,
            delete_markers: add(counters.delete_markers, self.delete_markers, "delete markers")?,
            uploads: add(counters.uploads, self.uploads, "uploads")?,
            bytes: add(counters.bytes, self.bytes, "bytes")?,
        })
    }
}

/// A size as a change of a counter. Sizes are far below 2^63: an object is at most 5 TiB.
pub(super) fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
