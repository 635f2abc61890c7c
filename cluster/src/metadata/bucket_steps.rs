//! Bucket steps: a bucket is created and deleted over two groups, the system group (its name) and the owner's (its records).
//! Owns: the order of the steps, and bringing to an end what a crash left half done.
//! Does not own: the decision at each step (`apply`).
//!
//! ```text
//! create   1. system: reserve the name (pending)   2. owner: create the bucket   3. system: confirm the name
//! delete   1. owner: delete the bucket, if empty   2. system: release the name
//! ```
//!
//! Invariant: a name that is not pending has a bucket, or its bucket was just deleted; a bucket counts as there only under a
//! name that is not pending. So nobody sees half a bucket, and what is left over can always be told from the two records:
//! a pending name goes forward to step 3, a confirmed name without a bucket goes forward to its release.
//!
//! Step 2 of a creation carries the reservation as its request id. A roll-forward that comes late, when the bucket was
//! confirmed and deleted again, is therefore the same request: it is answered from the first time, and creates nothing.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::error::{Error, ErrorKind, Result};
use crate::id::{RequestId, UserId};
use crate::metadata::client::{MetadataClient, Route};
use crate::metadata::command::{Change, Command, OwnerChange, SystemChange};
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::query;
use crate::metadata::record::BucketNameRecord;

/// Names read at once by the janitor.
const PAGE_NAMES: usize = 500;
/// A reservation younger than this may still be at work; rolling it forward would only repeat its steps.
const PENDING_AGE_MIN_MS: u64 = 60_000;
/// Leftovers need a crash or a lost group in the middle of a creation or deletion.
const JANITOR_INTERVAL: Duration = Duration::from_secs(10 * 60);

/// What the name of a drive's bucket ends in, and no other: it says which kind of bucket a reservation is for.
pub const DRIVE_SUFFIX: &str = "--drive";

impl MetadataClient {
    /// `BucketCreated`, or why not; the bucket of a drive by its name. Runs on when the caller is dropped.
    pub async fn create_bucket(&self, owner: UserId, name: String, location: String) -> Result<Outcome> {
        let client = self.clone();
        in_own_task(async move { client.create_bucket_steps(owner, name, location).await }).await
    }

    /// `Done`, or why not. Runs on when the caller is dropped.
    pub async fn delete_bucket(&self, owner: UserId, name: String) -> Result<Outcome> {
        let client = self.clone();
        in_own_task(async move { client.delete_bucket_steps(owner, name).await }).await
    }

    async fn create_bucket_steps(&self, owner: UserId, name: String, location: String) -> Result<Outcome> {
        let reserve = SystemChange::ReserveBucketName { name: name.clone(), owner, location };
        match self.commit(Change::System(reserve)).await? {
            Outcome::BucketReserved { .. } => {}
            refused => return Ok(refused),
        }
        // The record has the time that step 2 must carry on every attempt, whoever makes it.
        let Some(record) = self.name_record(&name).await? else {
            return Err(Error::new(ErrorKind::Unavailable, format!("the reservation of {name} was released")));
        };
        self.finish_creation(&name, &record, false).await
    }

    /// Steps 2 and 3. `again`: step 2 may have been done before.
    async fn finish_creation(&self, name: &str, record: &BucketNameRecord, again: bool) -> Result<Outcome> {
        let (owner, reservation) = (record.owner, record.reservation);
        let change = match name.ends_with(DRIVE_SUFFIX) {
            true => OwnerChange::CreateTree { name: name.to_owned() },
            false => OwnerChange::CreateBucket { name: name.to_owned(), location: record.location.clone() },
        };
        let command = Command {
            request: reservation,
            retry: again,
            time_ms: record.reserved_ms,
            change: Change::Owner { owner: owner.owner_key(), change },
        };
        let created = self.commit_command(command).await?;
        let created = match created {
            Outcome::BucketCreated { .. } => created,
            // Too long ago for the group to remember. The name was never confirmed, so a bucket under it is of this reservation.
            Outcome::Refused(Refusal::RequestTooOld) => match self.bucket_id(owner, name).await? {
                Some(bucket) => Outcome::BucketCreated { bucket },
                None => return self.release(name, reservation).await,
            },
            refused => {
                self.release(name, reservation).await?;
                return Ok(refused);
            }
        };
        let confirm = SystemChange::ConfirmBucketName { name: name.to_owned(), reservation };
        match self.commit(Change::System(confirm)).await? {
            Outcome::Done => Ok(created),
            _ => Err(Error::new(ErrorKind::Unavailable, format!("the reservation of {name} was released"))),
        }
    }

    async fn delete_bucket_steps(&self, owner: UserId, name: String) -> Result<Outcome> {
        let record = self.name_record(&name).await?;
        let Some(record) = record.filter(|record| record.owner == owner && !record.pending) else {
            return Ok(Outcome::Refused(Refusal::NoSuchBucket));
        };
        let Some(bucket) = self.bucket_id(owner, &name).await? else {
            // A deletion before this one got no further than step 1.
            self.release(&name, record.reservation).await?;
            return Ok(Outcome::Refused(Refusal::NoSuchBucket));
        };
        let change = Change::Owner { owner: owner.owner_key(), change: OwnerChange::DeleteBucket { bucket } };
        match self.commit(change).await? {
            Outcome::Done => {}
            refused => return Ok(refused),
        }
        self.release(&name, record.reservation).await?;
        Ok(Outcome::Done)
    }

    /// A reservation that does not stand any more is released already.
    async fn release(&self, name: &str, reservation: RequestId) -> Result<Outcome> {
        let release = SystemChange::ReleaseBucketName { name: name.to_owned(), reservation };
        self.commit(Change::System(release)).await
    }

    async fn name_record(&self, name: &str) -> Result<Option<BucketNameRecord>> {
        let name = name.to_owned();
        self.read(Route::System, move |view| query::bucket_name(view, &name)).await
    }

    async fn bucket_id(&self, owner: UserId, name: &str) -> Result<Option<crate::id::BucketId>> {
        let (owner, name) = (owner.owner_key(), name.to_owned());
        let bucket = self.read(Route::Owner(owner), move |view| query::bucket(view, owner, &name)).await?;
        Ok(bucket.map(|bucket| bucket.id))
    }
}

/// Ends creations and deletions that were cut short: at the start, and now and then until `stop`.
pub(crate) async fn run_janitor(client: MetadataClient, stop: CancellationToken) {
    // Right after a start, nothing can still be at work.
    let mut pending_age_min_ms = 0;
    loop {
        if let Err(error) = client.finish_leftovers(pending_age_min_ms, &stop).await {
            tracing::warn!(%error, "could not finish all buckets that were left half done");
        }
        pending_age_min_ms = PENDING_AGE_MIN_MS;
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = tokio::time::sleep(JANITOR_INTERVAL) => {}
        }
    }
}

impl MetadataClient {
    /// One pass over all names.
    pub(crate) async fn finish_leftovers(&self, pending_age_min_ms: u64, stop: &CancellationToken) -> Result<()> {
        let mut after: Option<String> = None;
        while !stop.is_cancelled() {
            let from = after.take();
            let page =
                self.read(Route::System, move |view| query::bucket_names(view, from.as_deref(), PAGE_NAMES)).await?;
            for (name, record) in &page {
                self.finish_leftover(name, record, pending_age_min_ms).await?;
            }
            match page.into_iter().last() {
                Some((last, _)) => after = Some(last),
                None => return Ok(()),
            }
        }
        Ok(())
    }

    async fn finish_leftover(&self, name: &str, record: &BucketNameRecord, pending_age_min_ms: u64) -> Result<()> {
        if record.pending {
            let age_ms = self.now_ms().saturating_sub(record.reserved_ms);
            if age_ms >= pending_age_min_ms {
                let outcome = self.finish_creation(name, record, true).await?;
                tracing::info!(bucket = name, ?outcome, "finished the creation of a bucket");
            }
            return Ok(());
        }
        if self.bucket_id(record.owner, name).await?.is_none() {
            self.release(name, record.reservation).await?;
            tracing::info!(bucket = name, "finished the deletion of a bucket");
        }
        Ok(())
    }
}

async fn in_own_task(steps: impl Future<Output = Result<Outcome>> + Send + 'static) -> Result<Outcome> {
    let done = tokio::spawn(steps).await;
    done.map_err(|panic| Error::caused_by(ErrorKind::OutcomeUnknown, "create or delete a bucket", panic))?
}

#[cfg(test)]
mod bucket_steps_test;
