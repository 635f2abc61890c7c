//! Client: puts, gets, deletes and lists through any node that runs, and remembers what it was told.
//! Owns: which outcome goes into the history as done, refused or unknown. What was refused for now did not happen, and is not in it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt;
use md5::{Digest, Md5};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::checker::{Action, Condition, History, Keeps, Listing, Operation, Reply, Value};
use super::invariants::durable_bytes;
use super::node::{CHUNK_BYTES, INLINE_BYTES_MAX, Up};
use super::world::{Owner, World, lock};
use crate::cluster::Cluster;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{NodeId, UploadId};
use crate::metadata::client::Route;
use crate::metadata::command::{
    Change, CompleteUpload, DeleteObject, NewPart, OwnerChange, PartReference, PutObject, VersionSelector,
    WriteCondition,
};
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::query::{self, ListObjects};
use crate::metadata::record::{Content, ETag, ObjectHeaders, ObjectRecord, VersionKind};
use crate::metadata::view::MetadataView;

/// Few, so that the clients meet.
const KEYS: u64 = 2;
/// For so long a client stays with a node, whatever it answers: one that led and does not know better might answer wrongly.
const STAY_MS: std::ops::Range<u64> = 500..6000;

/// An ETag: MD5, and the number of parts.
type Tag = ([u8; 16], Option<u32>);

/// What all clients saw.
pub struct Records {
    history: Mutex<History>,
    moments: AtomicU64,
    values: AtomicU64,
    /// Which value has which tag: what a listing tells of an object.
    tags: Mutex<BTreeMap<Tag, Value>>,
}

impl Records {
    pub fn new() -> Arc<Self> {
        let history = Mutex::new(History::new(Keeps::Latest));
        let (moments, values) = (AtomicU64::new(0), AtomicU64::new(0));
        Arc::new(Self { history, moments, values, tags: Mutex::default() })
    }

    pub fn history(&self) -> History {
        lock(&self.history).clone()
    }

    fn moment(&self) -> u64 {
        self.moments.fetch_add(1, Ordering::Relaxed)
    }

    fn new_value(&self, in_parts: bool) -> Value {
        let value = self.values.fetch_add(1, Ordering::Relaxed) + 1;
        let tag = tag(value, in_parts);
        lock(&self.tags).insert((tag.md5, tag.parts), value);
        value
    }

    fn value_of(&self, tag: &ETag) -> Value {
        *lock(&self.tags).get(&(tag.md5, tag.parts)).unwrap_or_else(|| panic!("nobody wrote {tag:?}"))
    }
}

pub struct Client {
    pub number: u32,
    world: World,
    records: Arc<Records>,
    dice: StdRng,
    /// Where it asks, and until when.
    seat: (NodeId, Instant),
}

/// Whether it may have happened.
enum Failed {
    No,
    Perhaps,
}

impl Client {
    pub fn new(seed: u64, number: u32, world: World, records: Arc<Records>) -> Self {
        let dice = StdRng::seed_from_u64(seed ^ ((u64::from(number) + 1) << 32));
        Self { number, world, records, dice, seat: (NodeId::FOUNDER, Instant::now()) }
    }

    /// Until `stop`; what it has begun it ends.
    pub async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            tokio::time::sleep(Duration::from_millis(self.dice.random_range(20..400))).await;
            let Some((node, up)) = self.sit_down() else { continue };
            let owners = self.world.owners();
            let owner = owners[self.dice.random_range(0..owners.len())];
            let key = format!("{}", self.dice.random_range(0..KEYS));
            let called = self.records.moment();
            let done = match self.dice.random_range(0..100) {
                0..40 => self.put(&up, owner, &key).await,
                40..48 => self.put_in_parts(&up, owner, &key).await,
                48..60 => self.delete(&up, owner, &key).await,
                60..92 => self.get(&up, owner, &key).await,
                _ => {
                    self.list(&up, owner, called).await;
                    continue;
                }
            };
            if let Some((action, reply)) = done {
                self.world.note(|| {
                    format!("client {} via node {}: {} {action:?} → {reply:?}", self.number, node.0, name(owner, &key))
                });
                self.record(owner, &key, called, action, reply);
            }
        }
    }

    /// At the node where it sits, or at another one once that is down or its time is over.
    fn sit_down(&mut self) -> Option<(NodeId, Up)> {
        let up = self.world.up();
        let (node, until) = self.seat;
        if let Some(seat) = up.iter().find(|(up, _)| *up == node && Instant::now() < until) {
            return Some(seat.clone());
        }
        if up.is_empty() {
            return None;
        }
        let seat = up[self.dice.random_range(0..up.len())].clone();
        self.seat = (seat.0, Instant::now() + Duration::from_millis(self.dice.random_range(STAY_MS)));
        Some(seat)
    }

    fn record(&self, owner: Owner, key: &str, called: u64, action: Action, reply: Reply) {
        let operation = Operation { client: self.number, called, replied: self.records.moment(), action, reply };
        lock(&self.records.history).operations.push((name(owner, key), operation));
    }

    fn any_condition(&mut self) -> (Condition, WriteCondition) {
        match self.dice.random_range(0..10) {
            0 | 1 => (Condition::Absent, WriteCondition::MustNotExist),
            2 | 3 => {
                let written = self.records.values.load(Ordering::Relaxed);
                // One of the last that anybody wrote.
                let value = written.saturating_sub(self.dice.random_range(0..6)).max(1);
                let etags = vec![tag(value, false), tag(value, true)];
                (Condition::Is(value), WriteCondition::MustMatch(etags))
            }
            _ => (Condition::None, WriteCondition::None),
        }
    }

    async fn put(&mut self, up: &Up, owner: Owner, key: &str) -> Option<(Action, Reply)> {
        let value = self.records.new_value(false);
        let (condition, write_condition) = self.any_condition();
        let action = Action::Put { value, condition };
        let stored = while_up(up, async {
            let mut writer = up.cluster.data().blob_writer(owner.owner);
            writer.push(body(value)).await?;
            writer.finish().await
        });
        // Nothing names the bytes yet.
        let content = stored.await.ok()?;
        let put = PutObject {
            bucket: owner.bucket,
            key: key.to_owned(),
            condition: write_condition,
            content,
            etag: tag(value, false),
            checksum: None,
            headers: ObjectHeaders::default(),
            tags: Vec::new(),
            random: self.dice.random(),
            quota_bytes: None,
        };
        let written = written(action, commit(up, owner, OwnerChange::PutObject(put)).await);
        if matches!(written, Some((_, Reply::Done))) {
            self.check_durable(owner, value);
        }
        written
    }

    async fn put_in_parts(&mut self, up: &Up, owner: Owner, key: &str) -> Option<(Action, Reply)> {
        let value = self.records.new_value(true);
        let (condition, write_condition) = self.any_condition();
        let upload = UploadId(self.dice.random());
        let create = OwnerChange::CreateUpload {
            bucket: owner.bucket,
            upload,
            key: key.to_owned(),
            headers: ObjectHeaders::default(),
            tags: Vec::new(),
            checksum: None,
        };
        commit(up, owner, create).await.ok()?;
        let stored = while_up(up, async {
            let mut writer = up.cluster.data().blob_writer(owner.owner);
            writer.push(body(value)).await?;
            writer.finish().await
        });
        let (content, md5) = (stored.await.ok()?, tag(value, false).md5);
        let part = NewPart { number: 1, content, md5, checksum: None };
        let put = OwnerChange::PutPart { bucket: owner.bucket, key: key.to_owned(), upload, part, quota_bytes: None };
        if commit(up, owner, put).await.ok()? != Outcome::Done {
            return None;
        }
        self.check_durable(owner, value);
        let complete = CompleteUpload {
            bucket: owner.bucket,
            key: key.to_owned(),
            upload,
            condition: write_condition,
            parts: vec![PartReference { number: 1, md5, checksum: None }],
            checksum: None,
            checksum_type: None,
            expected_bytes: None,
            random: self.dice.random(),
        };
        written(Action::Put { value, condition }, commit(up, owner, OwnerChange::CompleteUpload(complete)).await)
    }

    /// A body of which it was just acknowledged that it is named would survive a loss of power on a majority.
    fn check_durable(&self, owner: Owner, value: Value) {
        if body(value).len() > INLINE_BYTES_MAX as usize {
            durable_bytes::check(&self.world, owner, &[mark(value, Place::Begin), mark(value, Place::End)]);
        }
    }

    async fn delete(&mut self, up: &Up, owner: Owner, key: &str) -> Option<(Action, Reply)> {
        let delete = DeleteObject {
            key: key.to_owned(),
            version: VersionSelector::Latest,
            condition: WriteCondition::None,
            random: self.dice.random(),
        };
        let change = OwnerChange::DeleteObjects { bucket: owner.bucket, deletes: vec![delete] };
        let action = Action::Delete { marker: self.records.new_value(false) };
        match commit(up, owner, change).await {
            Ok(Outcome::ObjectsDeleted(deleted)) if deleted.iter().all(std::result::Result::is_ok) => {
                Some((action, Reply::Done))
            }
            Ok(other) => panic!("delete: {other:?}"),
            Err(Failed::Perhaps) => Some((action, Reply::Unknown)),
            Err(Failed::No) => None,
        }
    }

    async fn get(&mut self, up: &Up, owner: Owner, key: &str) -> Option<(Action, Reply)> {
        match while_up(up, get(&up.cluster, &self.records, owner, key)).await {
            Ok(seen) => Some((Action::Read, seen.map_or(Reply::Absent, Reply::Holds))),
            Err(error) => {
                assert_ne!(error.kind(), ErrorKind::Corrupt, "{error}");
                None
            }
        }
    }

    async fn list(&mut self, up: &Up, owner: Owner, called: u64) {
        let Owner { owner: key, bucket, .. } = owner;
        let list = ListObjects { limit: 1000, ..ListObjects::default() };
        let find = move |view: &dyn MetadataView| query::list_objects(view, key, bucket, &list);
        let Ok(page) = while_up(up, up.cluster.metadata().read(Route::Owner(key), find)).await else { return };
        let found = page.objects.into_iter().filter_map(|(key, version)| match version.kind {
            VersionKind::Object(object) => Some((name(owner, &key), self.records.value_of(&object.etag))),
            VersionKind::DeleteMarker => None,
        });
        let found = found.collect();
        let (client, replied, prefix) = (self.number, self.records.moment(), name(owner, ""));
        let listing = Listing { client, called, replied, prefix, after: None, until: None, found };
        lock(&self.records.history).listings.push(listing);
    }

    /// Reads every key through this node, at last.
    pub async fn read_all(&mut self, up: &Up) {
        for owner in self.world.owners() {
            for key in 0..KEYS {
                let (called, key) = (self.records.moment(), key.to_string());
                let seen = self.get(up, owner, &key).await;
                let (action, reply) = seen.unwrap_or_else(|| panic!("all is well, but {key} cannot be read"));
                self.record(owner, &key, called, action, reply);
            }
        }
    }
}

/// What the key holds; the bytes are those of that value.
async fn get(cluster: &Cluster, records: &Records, owner: Owner, key: &str) -> Result<Option<Value>> {
    let Owner { owner, bucket, .. } = owner;
    let key = key.to_owned();
    let find = move |view: &dyn MetadataView| {
        let Some((version, _)) = query::version(view, owner, bucket, &key, VersionSelector::Latest)? else {
            return Ok(None);
        };
        let VersionKind::Object(object) = version.kind else { return Ok(None) };
        // An object in parts has one.
        let content = match &object.content {
            Content::Parts { bucket, upload } => match query::parts(view, owner, *bucket, *upload, 0, 1)?.pop() {
                Some(part) => part.content,
                None => return Err(Error::new(ErrorKind::Corrupt, "an object without its part")),
            },
            content => content.clone(),
        };
        Ok(Some((object, content)))
    };
    let found: Option<(ObjectRecord, Content)> = cluster.metadata().read(Route::Owner(owner), find).await?;
    let Some((object, content)) = found else { return Ok(None) };
    let value = records.value_of(&object.etag);
    let pieces: Vec<Bytes> = cluster.data().read(&content, object.bytes, 0..object.bytes).try_collect().await?;
    assert!(pieces.concat() == body(value), "other bytes than those of value {value}");
    Ok(Some(value))
}

/// `Unavailable` if the node goes down first.
async fn while_up<T>(up: &Up, work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        biased;
        () = up.end.cancelled() => Err(Error::new(ErrorKind::Unavailable, "the node went down")),
        done = work => done,
    }
}

async fn commit(up: &Up, owner: Owner, change: OwnerChange) -> std::result::Result<Outcome, Failed> {
    let metadata = up.cluster.metadata();
    let committed = metadata.commit(Change::Owner { owner: owner.owner, change });
    tokio::select! {
        biased;
        () = up.end.cancelled() => Err(Failed::Perhaps),
        outcome = committed => match outcome {
            // The group got other voters while the bytes were on their way: they have to be sent again.
            Ok(Outcome::Refused(Refusal::TooFewCopies)) => Err(Failed::No),
            Ok(outcome) => Ok(outcome),
            Err(error) => Err(match error.kind() {
                ErrorKind::OutcomeUnknown => Failed::Perhaps,
                // Internal: the node is being stopped.
                ErrorKind::Unavailable
                | ErrorKind::NotLeader
                | ErrorKind::Overloaded
                | ErrorKind::Full
                | ErrorKind::Internal => Failed::No,
                kind => panic!("{kind:?}: {error}"),
            }),
        },
    }
}

fn written(action: Action, outcome: std::result::Result<Outcome, Failed>) -> Option<(Action, Reply)> {
    let reply = match outcome {
        Ok(Outcome::ObjectWritten(_)) => Reply::Done,
        Ok(Outcome::Refused(Refusal::PreconditionFailed)) => Reply::Refused,
        Ok(Outcome::Refused(Refusal::NoSuchKey)) => Reply::Absent,
        Ok(other) => panic!("{action:?}: {other:?}"),
        Err(Failed::Perhaps) => Reply::Unknown,
        Err(Failed::No) => return None,
    };
    Some((action, reply))
}

fn name(owner: Owner, key: &str) -> String {
    format!("{}/{key}", owner.number)
}

/// Every value has bytes of its own: some travel in the command, most in one chunk, some in two.
fn body(value: Value) -> Bytes {
    let bytes = match value % 8 {
        0..3 => INLINE_BYTES_MAX as usize,
        3..7 => 500,
        _ => CHUNK_BYTES as usize + 500,
    };
    let mut body: Vec<u8> = value.to_be_bytes().into_iter().cycle().take(bytes).collect();
    let (begin, end) = (mark(value, Place::Begin), mark(value, Place::End));
    body[..begin.len()].copy_from_slice(&begin);
    body[bytes - end.len()..].copy_from_slice(&end);
    body.into()
}

#[derive(Clone, Copy)]
enum Place {
    Begin,
    End,
}

/// Bytes that no other body has, nor this one at another place.
fn mark(value: Value, place: Place) -> [u8; 16] {
    Md5::new().chain_update([place as u8]).chain_update(value.to_be_bytes()).finalize().into()
}

/// Not the MD5 of the bytes, which nobody checks here: one from which the value is seen.
fn tag(value: Value, in_parts: bool) -> ETag {
    let mut md5 = [0; 16];
    md5[..8].copy_from_slice(&value.to_be_bytes());
    if in_parts { ETag { md5: Md5::digest(md5).into(), parts: Some(1) } } else { ETag { md5, parts: None } }
}
