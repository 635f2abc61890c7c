//! Operations: each as one entry of the history, or none if it surely did not happen. What they give is whether there was an answer.

use std::collections::BTreeMap;

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

use super::Worker;
use super::outcome::{Outcome, settle};
use crate::checker::{Action, Condition, Keeps, Listed, Listing, Reply, Value};
use crate::recorder::Called;

/// Small pages, so that a listing is several requests.
const PAGE_KEYS: i32 = 4;
const PAGES_MAX: usize = 100_000;
/// Of an object's metadata: a head has no body to tell the value.
const VALUE_HEADER: &str = "value";

impl Worker {
    pub(super) async fn put(&mut self, client: &Client, key: &str) -> bool {
        self.put_if(client, key, Condition::None).await
    }

    pub(super) async fn create(&mut self, client: &Client, key: &str) -> bool {
        self.put_if(client, key, Condition::Absent).await
    }

    /// Over what a head just saw there.
    pub(super) async fn replace(&mut self, client: &Client, key: &str) -> bool {
        match self.head(client, key).await {
            (Some(seen), _) => self.put_if(client, key, Condition::Is(seen)).await,
            (None, is_answered) => is_answered,
        }
    }

    async fn put_if(&mut self, client: &Client, key: &str, condition: Condition) -> bool {
        let bytes = self.bytes();
        let (value, body) = self.ground.recorder.new_body(bytes);
        let request = client.put_object().bucket(&self.ground.bucket).key(key).body(ByteStream::from(body));
        let request = request.metadata(VALUE_HEADER, value.to_string());
        let request = match condition {
            Condition::None => request,
            Condition::Absent => request.if_none_match("*"),
            Condition::Is(seen) => request.if_match(self.ground.recorder.etag_of(seen)),
        };
        let called = self.ground.recorder.call(self.number, key, Action::Put { value, condition });
        let outcome = settle("put", request.send()).await;
        if let Outcome::Done(reply) = &outcome {
            self.learn(key, value, reply.version_id());
        }
        self.note(called, outcome, |_| Reply::Done)
    }

    /// One part; its completion is the write.
    pub(super) async fn upload(&mut self, client: &Client, key: &str) -> bool {
        let bytes = self.bytes();
        let (value, body) = self.ground.recorder.new_part(bytes);
        let bucket = self.ground.bucket.clone();
        let begin = client.create_multipart_upload().bucket(&bucket).key(key).metadata(VALUE_HEADER, value.to_string());
        let begun = settle("begin an upload", begin.send()).await;
        let Outcome::Done(begun) = begun else { return !matches!(begun, Outcome::Unknown) };
        let id = begun.upload_id().unwrap();
        let part = client.upload_part().bucket(&bucket).key(key).upload_id(id).part_number(1);
        let part = match settle("upload a part", part.body(ByteStream::from(body)).send()).await {
            Outcome::Done(part) => part,
            Outcome::DidNotHappen => return true,
            Outcome::Unknown => return false,
            lost => panic!("{key}: an upload that was begun vanished: {lost:?}"),
        };
        let part = CompletedPart::builder().part_number(1).set_e_tag(part.e_tag).build();
        let parts = CompletedMultipartUpload::builder().parts(part).build();
        let complete = client.complete_multipart_upload().bucket(&bucket).key(key).upload_id(id);
        let called = self.ground.recorder.call(self.number, key, Action::Put { value, condition: Condition::None });
        let outcome = settle("complete an upload", complete.multipart_upload(parts).send()).await;
        match &outcome {
            Outcome::Done(reply) => self.learn(key, value, reply.version_id()),
            Outcome::Absent | Outcome::Refused => panic!("{key}: an upload with its part vanished: {outcome:?}"),
            Outcome::DidNotHappen | Outcome::Unknown => {}
        }
        self.note(called, outcome, |_| Reply::Done)
    }

    pub(super) async fn read(&mut self, client: &Client, key: &str) -> bool {
        let called = self.ground.recorder.call(self.number, key, Action::Read);
        let request = client.get_object().bucket(&self.ground.bucket).key(key);
        let outcome = self.get(key, request).await;
        self.note(called, outcome, |value| Reply::Holds(*value))
    }

    pub(super) async fn read_version(&mut self, client: &Client) -> bool {
        let Some((key, value, id)) = self.any_version() else { return true };
        let called = self.ground.recorder.call(self.number, &key, Action::ReadVersion { of: value });
        let request = client.get_object().bucket(&self.ground.bucket).key(&key).version_id(&id);
        let outcome = self.get(&key, request).await;
        self.note(called, outcome, |value| Reply::Holds(*value))
    }

    /// The value that the body stands for.
    async fn get(&self, key: &str, request: GetObjectFluentBuilder) -> Outcome<Value> {
        let read = async {
            let reply = match request.send().await {
                Ok(reply) => reply,
                Err(error) => return Err(error),
            };
            let id = reply.version_id().map(str::to_owned);
            // A body that breaks off says nothing.
            Ok(reply.body.collect().await.ok().map(|body| (body.to_vec(), id)))
        };
        settle("get", read).await.map(|read| {
            let Some((body, id)) = read else { return Outcome::Unknown };
            let value = self.ground.recorder.value_of_body(key, &body);
            if let Some(id) = id.filter(|_| self.ground.keeps == Keeps::Versions) {
                self.ground.recorder.learn_version(&id, value);
            }
            Outcome::Done(value)
        })
    }

    /// What it saw, and whether there was an answer.
    pub(super) async fn head(&mut self, client: &Client, key: &str) -> (Option<Value>, bool) {
        let called = self.ground.recorder.call(self.number, key, Action::Read);
        let reply = settle("head", client.head_object().bucket(&self.ground.bucket).key(key).send()).await;
        let mut seen = None;
        let outcome = reply.map(|reply| {
            let value = reply.metadata().and_then(|pairs| pairs.get(VALUE_HEADER)).unwrap().parse().unwrap();
            let of_etag = self.ground.recorder.value_of_etag(key, reply.e_tag());
            assert_eq!(value, of_etag, "{key}: metadata of one write and ETag of another");
            self.learn(key, value, reply.version_id());
            seen = Some(value);
            Outcome::Done(value)
        });
        (seen, self.note(called, outcome, |value| Reply::Holds(*value)))
    }

    pub(super) async fn delete(&mut self, client: &Client, key: &str) -> bool {
        let marker = self.ground.recorder.new_value();
        let called = self.ground.recorder.call(self.number, key, Action::Delete { marker });
        let outcome = settle("delete", client.delete_object().bucket(&self.ground.bucket).key(key).send()).await;
        if let Outcome::Done(reply) = &outcome
            && let Some(id) = reply.version_id()
        {
            self.ground.recorder.learn_version(id, marker);
        }
        self.note(called, outcome, |_| Reply::Done)
    }

    pub(super) async fn delete_version(&mut self, client: &Client) -> bool {
        let Some((key, value, id)) = self.any_version() else { return true };
        let called = self.ground.recorder.call(self.number, &key, Action::DeleteVersion { of: value });
        let request = client.delete_object().bucket(&self.ground.bucket).key(&key).version_id(id);
        let outcome = settle("delete a version", request.send()).await;
        self.note(called, outcome, |_| Reply::Done)
    }

    /// All versions of a key. Markers and versions come apart; ids of later writes are greater.
    pub(super) async fn list_versions(&mut self, client: &Client, key: &str) -> bool {
        let called = self.ground.recorder.call(self.number, key, Action::ReadVersions);
        let request = client.list_object_versions().bucket(&self.ground.bucket).prefix(key);
        let outcome = settle("list versions", request.send()).await.map(|page| {
            assert!(page.is_truncated() != Some(true), "{key}: more versions than a page holds");
            let mut listed: BTreeMap<String, Listed> = BTreeMap::new();
            for version in page.versions() {
                let (id, value) =
                    (version.version_id().unwrap(), self.ground.recorder.value_of_etag(key, version.e_tag()));
                self.ground.recorder.learn_version(id, value);
                listed.insert(id.to_owned(), Listed::Value(value));
            }
            for marker in page.delete_markers() {
                let id = marker.version_id().unwrap();
                listed.insert(id.to_owned(), Listed::Marker(self.ground.recorder.value_of_version(id)));
            }
            Outcome::Done(listed.into_values().rev().collect::<Vec<_>>())
        });
        self.note(called, outcome, |versions| Reply::Versions(versions.clone()))
    }

    /// Page after page; each is a reading of its own of the keys that it covers.
    pub(super) async fn list(&mut self, client: &Client, prefix: &str) -> bool {
        let mut after: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let called = self.ground.recorder.now();
            let request = client.list_objects_v2().bucket(&self.ground.bucket).prefix(prefix).max_keys(PAGE_KEYS);
            let page = match settle("list", request.set_start_after(after.clone()).send()).await {
                Outcome::Done(page) => page,
                Outcome::DidNotHappen => return true,
                Outcome::Unknown => return false,
                lost => panic!("{}: a bucket vanished: {lost:?}", self.ground.bucket),
            };
            let replied = self.ground.recorder.now();
            let mut found = BTreeMap::new();
            for object in page.contents() {
                let key = object.key().unwrap();
                found.insert(key.to_owned(), self.ground.recorder.value_of_etag(key, object.e_tag()));
            }
            let more = page.is_truncated() == Some(true);
            let until = found.keys().next_back().filter(|_| more).cloned();
            assert!(!more || until.is_some(), "a page without a key says that there is more");
            let (client, prefix, after) =
                (self.number, prefix.to_owned(), std::mem::replace(&mut after, until.clone()));
            self.ground.recorder.list(Listing { client, called, replied, prefix, after, until, found });
            if !more {
                return true;
            }
        }
        panic!("a listing does not end");
    }

    fn note<T>(&self, called: Called, outcome: Outcome<T>, done: impl Fn(&T) -> Reply) -> bool {
        let reply = match &outcome {
            Outcome::Done(value) => done(value),
            Outcome::Refused => Reply::Refused,
            Outcome::Absent => Reply::Absent,
            Outcome::Unknown => Reply::Unknown,
            Outcome::DidNotHappen => return true,
        };
        let is_answered = reply != Reply::Unknown;
        self.ground.recorder.reply(called, reply);
        is_answered
    }
}
