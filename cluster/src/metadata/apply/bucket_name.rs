//! Bucket names: who owns one, decided by the system group (docs/metadata.md, "A bucket in two steps").

use super::{Decision, Draft};
use crate::id::{RequestId, UserId};
use crate::metadata::key::SystemSpace;
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::record::BucketNameRecord;

/// The owner's own pending reservation is given again, so that an interrupted creation can go on.
pub(super) fn reserve(draft: &mut Draft<'_>, name: &str, owner: UserId, location: &str) -> Decision<Outcome> {
    if !draft.exists(&SystemSpace.user(owner))? {
        return Err(Refusal::NoSuchUser.into());
    }
    match draft.get::<BucketNameRecord>(&SystemSpace.bucket_name(name))? {
        Some(standing) if standing.owner != owner => return Err(Refusal::BucketNameTaken.into()),
        Some(standing) if standing.pending => {
            return Ok(Outcome::BucketReserved { reservation: standing.reservation });
        }
        Some(_) => return Err(Refusal::BucketOwnedByYou.into()),
        None => {}
    }
    let record = BucketNameRecord {
        owner,
        reservation: draft.request,
        pending: true,
        reserved_ms: draft.time_ms,
        location: location.to_owned(),
    };
    draft.put(SystemSpace.bucket_name(name), &record);
    draft.put_mark(SystemSpace.user_bucket(owner, name));
    Ok(Outcome::BucketReserved { reservation: record.reservation })
}

pub(super) fn confirm(draft: &mut Draft<'_>, name: &str, reservation: RequestId) -> Decision<Outcome> {
    let standing = standing(draft, name, reservation)?;
    draft.put(SystemSpace.bucket_name(name), &BucketNameRecord { pending: false, ..standing });
    Ok(Outcome::Done)
}

pub(super) fn release(draft: &mut Draft<'_>, name: &str, reservation: RequestId) -> Decision<Outcome> {
    let standing = standing(draft, name, reservation)?;
    draft.delete(SystemSpace.bucket_name(name));
    draft.delete(SystemSpace.user_bucket(standing.owner, name));
    Ok(Outcome::Done)
}

/// The name as it stands, if it stands under this very reservation.
fn standing(draft: &Draft<'_>, name: &str, reservation: RequestId) -> Decision<BucketNameRecord> {
    match draft.get::<BucketNameRecord>(&SystemSpace.bucket_name(name))? {
        Some(standing) if standing.reservation == reservation => Ok(standing),
        _ => Err(Refusal::StaleReservation.into()),
    }
}
