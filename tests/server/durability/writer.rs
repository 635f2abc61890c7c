//! Writer: one client with keys of its own, one request at a time, that knows what its keys may hold.
//! Owns: what is acknowledged and what is unknown. At most one request of a writer has an unknown outcome: its last one.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::outcome::{Harm, Outcome};
use super::race::Races;
use super::value::{Piece, Value};

/// Keys of this bucket are overwritten and deleted.
pub const PLAIN: &str = "plain";
/// Keys of this one keep their versions.
pub const VERSIONED: &str = "versioned";

const OBJECTS: u32 = 8;
const VERSIONED_OBJECTS: u32 = 3;
const VERSIONS_MAX: usize = 6;
const PART_BYTES_MIN: usize = 5 << 20;

/// A key without versions.
#[derive(Default, Debug)]
pub struct Object {
    pub stored: Option<Value>,
    /// What the request with the unknown outcome would leave.
    pub maybe: Option<Option<Value>>,
}

/// A key's versions, newest first; `None` is a delete marker.
#[derive(Default, Debug)]
pub struct Versions {
    pub stored: Vec<(String, Option<Value>)>,
    pub maybe: Option<MaybeVersion>,
}

#[derive(Debug)]
pub enum MaybeVersion {
    Added(Option<Value>),
    Removed(String),
}

#[derive(Debug)]
pub struct Upload {
    pub key: String,
    pub id: String,
    pub parts: BTreeMap<i32, Piece>,
    pub maybe: Option<MaybeUpload>,
}

#[derive(Debug)]
pub enum MaybeUpload {
    Part(i32, Piece),
    Completed,
    Aborted,
}

pub struct Writer {
    pub name: String,
    pub client: Client,
    pub harm: Harm,
    pub races: Races,
    pub objects: BTreeMap<String, Object>,
    pub versions: BTreeMap<String, Versions>,
    pub upload: Option<Upload>,
    /// An upload of this key was begun, but its id never came.
    pub upload_begun: Option<String>,
    pub acknowledged: u64,
    random: StdRng,
}

/// `Break`: the node answers no more.
type Step = ControlFlow<()>;

impl Writer {
    pub fn new(name: String, client: Client, races: Races, seed: u64) -> Self {
        Self {
            name,
            client,
            harm: Harm::default(),
            races,
            objects: BTreeMap::new(),
            versions: BTreeMap::new(),
            upload: None,
            upload_begun: None,
            acknowledged: 0,
            random: StdRng::seed_from_u64(seed),
        }
    }

    /// Until the node is gone.
    pub async fn run(mut self, round: u32) -> Self {
        while self.step(round).await.is_continue() {}
        self
    }

    async fn step(&mut self, round: u32) -> Step {
        match self.random.random_range(0..100) {
            0..32 => self.put().await,
            32..40 => self.delete().await,
            40..47 => self.copy().await,
            47..52 => self.put_only_if_new().await,
            52..60 => self.read().await,
            60..70 => self.put_version().await,
            70..74 => self.delete_with_marker().await,
            74..80 => self.delete_version().await,
            80..88 => self.create_in_a_race(round).await,
            _ => self.multipart().await,
        }
    }

    async fn put(&mut self) -> Step {
        let (key, piece) = (self.any_key(), self.piece());
        let request = self.client.put_object().bucket(PLAIN).key(&key).body(piece.content().into()).send();
        let outcome = self.harm.settle("put", request).await;
        self.note(&key, outcome, Some(piece.into()))
    }

    async fn delete(&mut self) -> Step {
        let key = self.any_key();
        let request = self.client.delete_object().bucket(PLAIN).key(&key).send();
        let outcome = self.harm.settle("delete", request).await;
        self.note(&key, outcome, None)
    }

    /// Two keys then share their bytes.
    async fn copy(&mut self) -> Step {
        let (from, to) = (self.any_key(), self.any_key());
        let Some(value) = self.objects.get(&from).and_then(|object| object.stored.clone()) else {
            return Step::Continue(());
        };
        if from == to {
            return Step::Continue(());
        }
        let source = format!("{PLAIN}/{from}");
        let request = self.client.copy_object().bucket(PLAIN).key(&to).copy_source(source).send();
        let outcome = self.harm.settle("copy", request).await;
        self.note(&to, outcome, Some(value))
    }

    async fn put_only_if_new(&mut self) -> Step {
        let (key, piece) = (self.any_key(), self.piece());
        let request = self.client.put_object().bucket(PLAIN).key(&key).if_none_match("*");
        let outcome = self.harm.settle("put if new", request.body(piece.content().into()).send()).await;
        let exists = self.objects.get(&key).is_some_and(|object| object.stored.is_some());
        match outcome {
            Outcome::Refused(412) => {
                assert!(exists, "{key}: refused as existing, but it was deleted");
                Step::Continue(())
            }
            Outcome::Unknown if exists => Step::Break(()),
            outcome => {
                assert!(!(exists && matches!(outcome, Outcome::Done(_))), "{key}: created twice");
                self.note(&key, outcome, Some(piece.into()))
            }
        }
    }

    async fn read(&mut self) -> Step {
        let key = self.any_key();
        let outcome = self.harm.settle("get", self.client.get_object().bucket(PLAIN).key(&key).send()).await;
        let stored = self.objects.get(&key).and_then(|object| object.stored.as_ref());
        match outcome {
            Outcome::Done(reply) => {
                let body = match reply.body.collect().await {
                    Ok(body) => body,
                    Err(error) => {
                        assert!(self.harm.has_begun(), "{key}: a healthy node broke a body off: {error:?}");
                        return Step::Break(());
                    }
                };
                let right = stored.is_some_and(|value| value.is(&body.into_bytes()));
                assert!(right, "{key}: read other bytes than {stored:?}");
                Step::Continue(())
            }
            Outcome::Refused(404) => {
                assert!(stored.is_none(), "{key}: an acknowledged object is not there");
                Step::Continue(())
            }
            Outcome::Refused(_) | Outcome::Unknown => Step::Break(()),
        }
    }

    async fn put_version(&mut self) -> Step {
        let (key, piece) = (self.any_versioned_key(), self.small_piece());
        if self.versions.get(&key).is_some_and(|versions| versions.stored.len() >= VERSIONS_MAX) {
            return self.delete_version_of(key).await;
        }
        let request = self.client.put_object().bucket(VERSIONED).key(&key).body(piece.content().into()).send();
        let outcome = self.harm.settle("put a version", request).await;
        let outcome = outcome.map(|reply| reply.version_id.unwrap());
        self.note_version(key, outcome, Some(piece.into()))
    }

    async fn delete_with_marker(&mut self) -> Step {
        let key = self.any_versioned_key();
        if self.versions.get(&key).is_some_and(|versions| versions.stored.len() >= VERSIONS_MAX) {
            return self.delete_version_of(key).await;
        }
        let request = self.client.delete_object().bucket(VERSIONED).key(&key).send();
        let outcome = self.harm.settle("delete with a marker", request).await;
        self.note_version(key, outcome.map(|reply| reply.version_id.unwrap()), None)
    }

    async fn delete_version(&mut self) -> Step {
        let key = self.any_versioned_key();
        self.delete_version_of(key).await
    }

    async fn delete_version_of(&mut self, key: String) -> Step {
        let versions = self.versions.entry(key.clone()).or_default();
        if versions.stored.is_empty() {
            return Step::Continue(());
        }
        let place = self.random.random_range(0..versions.stored.len());
        let id = versions.stored[place].0.clone();
        let request = self.client.delete_object().bucket(VERSIONED).key(&key).version_id(&id).send();
        match self.harm.settle("delete a version", request).await {
            Outcome::Done(_) => {
                versions.stored.remove(place);
                self.acknowledged += 1;
                Step::Continue(())
            }
            Outcome::Refused(_) => Step::Break(()),
            Outcome::Unknown => {
                versions.maybe = Some(MaybeVersion::Removed(id));
                Step::Break(())
            }
        }
    }

    async fn create_in_a_race(&mut self, round: u32) -> Step {
        let key = format!("race/{round:04}-{}", self.random.random_range(0..4));
        let piece = self.small_piece();
        let request = self.client.put_object().bucket(PLAIN).key(&key).if_none_match("*");
        match self.harm.settle("create", request.body(piece.content().into()).send()).await {
            Outcome::Done(_) => self.races.won(&key, piece.into()),
            Outcome::Refused(412) => self.races.note(&key, |race| race.lost = true),
            Outcome::Refused(_) => return Step::Break(()),
            Outcome::Unknown => {
                self.races.note(&key, |race| race.maybe.push(piece.into()));
                return Step::Break(());
            }
        }
        self.acknowledged += 1;
        Step::Continue(())
    }

    /// The next step of this writer's upload: begin, a part (also again), complete or abort.
    async fn multipart(&mut self) -> Step {
        let Some(parts) = self.upload.as_ref().map(|upload| upload.parts.len()) else {
            return self.begin_upload().await;
        };
        match self.random.random_range(0..100) {
            0..8 => self.abort_upload().await,
            8..50 if parts > 0 => self.complete_upload().await,
            _ => self.upload_part().await,
        }
    }

    async fn begin_upload(&mut self) -> Step {
        let key = self.any_key();
        let request = self.client.create_multipart_upload().bucket(PLAIN).key(&key).send();
        match self.harm.settle("begin an upload", request).await {
            Outcome::Done(reply) => {
                let id = reply.upload_id.unwrap();
                self.upload = Some(Upload { key, id, parts: BTreeMap::new(), maybe: None });
                self.acknowledged += 1;
                Step::Continue(())
            }
            Outcome::Refused(_) => Step::Break(()),
            Outcome::Unknown => {
                self.upload_begun = Some(key);
                Step::Break(())
            }
        }
    }

    /// Only the last part, number 3, may be small.
    async fn upload_part(&mut self) -> Step {
        let number = self.random.random_range(1..=3);
        let bytes = if number == 3 { self.bytes() } else { PART_BYTES_MIN + self.random.random_range(0..1000) };
        let piece = Piece { seed: self.random.random(), bytes };
        let Some(upload) = &mut self.upload else { return Step::Continue(()) };
        let request = self.client.upload_part().bucket(PLAIN).key(&upload.key).upload_id(&upload.id);
        let request = request.part_number(number).body(piece.content().into()).send();
        match self.harm.settle("upload a part", request).await {
            Outcome::Done(reply) => {
                assert_eq!(reply.e_tag.as_deref(), Some(piece.etag().as_str()));
                upload.parts.insert(number, piece);
                self.acknowledged += 1;
                Step::Continue(())
            }
            Outcome::Refused(_) => Step::Break(()),
            Outcome::Unknown => {
                upload.maybe = Some(MaybeUpload::Part(number, piece));
                Step::Break(())
            }
        }
    }

    async fn complete_upload(&mut self) -> Step {
        let Some(mut upload) = self.upload.take() else { return Step::Continue(()) };
        let part =
            |(number, piece): (&i32, &Piece)| CompletedPart::builder().part_number(*number).e_tag(piece.etag()).build();
        let parts = upload.parts.iter().map(part).collect();
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let request = self.client.complete_multipart_upload().bucket(PLAIN).key(&upload.key).upload_id(&upload.id);
        let outcome = self.harm.settle("complete an upload", request.multipart_upload(parts).send()).await;
        let value = Value(upload.parts.values().copied().collect());
        let key = upload.key.clone();
        if !matches!(outcome, Outcome::Done(_)) {
            upload.maybe = matches!(outcome, Outcome::Unknown).then_some(MaybeUpload::Completed);
            self.upload = Some(upload);
        }
        self.note(&key, outcome, Some(value))
    }

    async fn abort_upload(&mut self) -> Step {
        let Some(mut upload) = self.upload.take() else { return Step::Continue(()) };
        let request = self.client.abort_multipart_upload().bucket(PLAIN).key(&upload.key).upload_id(&upload.id).send();
        let outcome = self.harm.settle("abort an upload", request).await;
        if let Outcome::Done(_) = outcome {
            self.acknowledged += 1;
            return Step::Continue(());
        }
        upload.maybe = matches!(outcome, Outcome::Unknown).then_some(MaybeUpload::Aborted);
        self.upload = Some(upload);
        Step::Break(())
    }

    fn note<T>(&mut self, key: &str, outcome: Outcome<T>, value: Option<Value>) -> Step {
        let object = self.objects.entry(key.to_owned()).or_default();
        match outcome {
            Outcome::Done(_) => {
                object.stored = value;
                self.acknowledged += 1;
                Step::Continue(())
            }
            Outcome::Refused(_) => Step::Break(()),
            Outcome::Unknown => {
                object.maybe = Some(value);
                Step::Break(())
            }
        }
    }

    fn note_version(&mut self, key: String, outcome: Outcome<String>, value: Option<Value>) -> Step {
        let versions = self.versions.entry(key).or_default();
        match outcome {
            Outcome::Done(id) => {
                versions.stored.insert(0, (id, value));
                self.acknowledged += 1;
                Step::Continue(())
            }
            Outcome::Refused(_) => Step::Break(()),
            Outcome::Unknown => {
                versions.maybe = Some(MaybeVersion::Added(value));
                Step::Break(())
            }
        }
    }

    fn any_key(&mut self) -> String {
        format!("{}/{}", self.name, self.random.random_range(0..OBJECTS))
    }

    fn any_versioned_key(&mut self) -> String {
        format!("{}/{}", self.name, self.random.random_range(0..VERSIONED_OBJECTS))
    }

    fn piece(&mut self) -> Piece {
        let bytes = self.bytes();
        Piece { seed: self.random.random(), bytes }
    }

    fn small_piece(&mut self) -> Piece {
        let bytes = self.bytes() % (100 << 10);
        Piece { seed: self.random.random(), bytes }
    }

    /// Inline, one chunk, several chunks, and the edges between.
    fn bytes(&mut self) -> usize {
        let range = match self.random.random_range(0..20) {
            0 => 1..=1,
            1 => (32 << 10)..=(32 << 10) + 1,
            2 => (4 << 20) - 1..=(4 << 20) + 1,
            3..11 => 1..=32 << 10,
            11..17 => 32 << 10..=1 << 20,
            17..19 => 1 << 20..=5 << 20,
            _ => 5 << 20..=9 << 20,
        };
        self.random.random_range(range)
    }
}

impl<T> Outcome<T> {
    fn map<U>(self, of: impl FnOnce(T) -> U) -> Outcome<U> {
        match self {
            Self::Done(done) => Outcome::Done(of(done)),
            Self::Refused(status) => Outcome::Refused(status),
            Self::Unknown => Outcome::Unknown,
        }
    }
}
