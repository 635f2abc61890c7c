//! Verify: after a restart, what is stored against what the writers know. What is found settles what was unknown: from then
//! on it must stay.

use std::collections::BTreeMap;

use aws_sdk_s3::Client;
use aws_sdk_s3::types::MultipartUpload;
use serde_json::json;

use super::race::Races;
use super::value::{Piece, Value};
use super::writer::{MaybeUpload, MaybeVersion, Object, PLAIN, Upload, VERSIONED, Versions, Writer};
use crate::node::Node;

/// Whole set against whole set: objects, versions, uploads, and the counters that the node keeps of them.
pub async fn verify(node: &Node, client: &Client, writers: &mut [Writer], races: &Races) {
    for writer in &mut *writers {
        writer.verify().await;
    }
    for key in races.keys() {
        races.verify(&key, get(client, PLAIN, &key, None).await.as_deref());
    }
    let mut expected: BTreeMap<String, i64> = BTreeMap::new();
    expected.extend(races.objects().into_iter().map(|(key, bytes)| (key, bytes as i64)));
    for (key, object) in writers.iter().flat_map(|writer| &writer.objects) {
        expected.extend(object.stored.iter().map(|value| (key.clone(), value.bytes() as i64)));
    }
    assert_eq!(listed_objects(client).await, expected, "the listing");
    let uploads: Vec<_> = writers.iter().filter_map(|writer| writer.upload.as_ref()).collect();
    let part_bytes: i64 = uploads.iter().flat_map(|upload| upload.parts.values()).map(|piece| piece.bytes as i64).sum();
    let versions: Vec<_> =
        writers.iter().flat_map(|writer| writer.versions.values()).flat_map(|versions| &versions.stored).collect();
    let values: Vec<_> = versions.iter().filter_map(|(_, value)| value.as_ref()).collect();
    let latest =
        writers.iter().flat_map(|writer| writer.versions.values()).filter_map(|versions| versions.stored.first());
    let counters = |bucket: &str| {
        let all = node.admin_json(&["bucket", "list"]);
        let found = all["buckets"].as_array().unwrap().iter().find(|found| found["name"] == bucket).unwrap().clone();
        ["objects", "versions", "delete_markers", "uploads", "bytes"].map(|count| found[count].clone())
    };
    let objects = expected.len();
    let bytes = expected.values().sum::<i64>() + part_bytes;
    assert_eq!(json!(counters(PLAIN)), json!([objects, objects, 0, uploads.len(), bytes]), "counters");
    let recount = json!([
        latest.filter(|(_, value)| value.is_some()).count(),
        values.len(),
        versions.len() - values.len(),
        0,
        values.iter().map(|value| value.bytes()).sum::<usize>()
    ]);
    assert_eq!(json!(counters(VERSIONED)), recount, "counters of versions");
}

impl Writer {
    async fn verify(&mut self) {
        let mut completed = false;
        for (key, object) in &mut self.objects {
            let was_unknown = object.maybe.is_some();
            let took_it = object.verify(key, get(&self.client, PLAIN, key, None).await.as_deref());
            completed |= was_unknown && took_it;
        }
        for (key, versions) in &mut self.versions {
            versions.verify(&self.client, key).await;
        }
        let request = self.client.list_multipart_uploads().bucket(PLAIN).prefix(format!("{}/", self.name)).send();
        let mut listed = request.await.unwrap().uploads.unwrap_or_default();
        if let Some(key) = self.upload_begun.take() {
            assert!(self.upload.is_none() && listed.len() <= 1);
            self.upload = listed.first().map(|found| {
                let id = found.upload_id.clone().unwrap();
                Upload { key, id, parts: BTreeMap::new(), maybe: None }
            });
        }
        self.upload = match self.upload.take() {
            Some(upload) => upload.verify(&self.client, &listed, completed).await,
            None => None,
        };
        listed.retain(|found| self.upload.as_ref().is_none_or(|upload| found.upload_id.as_ref() != Some(&upload.id)));
        assert!(listed.is_empty(), "{}: uploads that nobody has: {listed:?}", self.name);
    }
}

impl Object {
    /// Whether the unknown request happened.
    fn verify(&mut self, key: &str, found: Option<&[u8]>) -> bool {
        let is = |value: &Option<Value>| match (value, found) {
            (Some(value), Some(found)) => value.is(found),
            (None, None) => true,
            _ => false,
        };
        if is(&self.stored) && !self.maybe.as_ref().is_some_and(is) {
            self.maybe = None;
            return false;
        }
        match self.maybe.take() {
            Some(maybe) if is(&maybe) => {
                self.stored = maybe;
                true
            }
            maybe => {
                let found = found.map(<[u8]>::len);
                panic!("{key}: found {found:?} bytes; acknowledged {:?}, unknown {maybe:?}", self.stored)
            }
        }
    }
}

impl Versions {
    async fn verify(&mut self, client: &Client, key: &str) {
        let reply = client.list_object_versions().bucket(VERSIONED).prefix(key).send().await.unwrap();
        let versions = reply.versions().iter().map(|found| (found.version_id(), found.last_modified(), false));
        let markers = reply.delete_markers().iter().map(|found| (found.version_id(), found.last_modified(), true));
        let found: BTreeMap<String, bool> =
            versions.chain(markers).map(|(id, _, marker)| (id.unwrap().to_owned(), marker)).collect();
        match self.maybe.take() {
            Some(MaybeVersion::Removed(id)) if !found.contains_key(&id) => {
                self.stored.retain(|(known, _)| *known != id)
            }
            Some(MaybeVersion::Added(value)) => {
                let new = found.keys().find(|id| self.stored.iter().all(|(known, _)| known != *id));
                self.stored.splice(0..0, new.map(|id| (id.clone(), value)));
            }
            _ => {}
        }
        let known: BTreeMap<String, bool> =
            self.stored.iter().map(|(id, value)| (id.clone(), value.is_none())).collect();
        assert_eq!(found, known, "{key}: versions, and whether they are delete markers");
        for (id, value) in &self.stored {
            let Some(value) = value else { continue };
            let stored = get(client, VERSIONED, key, Some(id)).await;
            assert!(stored.is_some_and(|stored| value.is(&stored)), "{key} {id}: not {value:?}");
        }
        let latest = self.stored.first().and_then(|(_, value)| value.as_ref());
        let stored = get(client, VERSIONED, key, None).await;
        let right = match (&stored, latest) {
            (Some(stored), Some(latest)) => latest.is(stored),
            (stored, latest) => stored.is_none() && latest.is_none(),
        };
        assert!(right, "{key}: the latest version is not {latest:?}");
    }
}

impl Upload {
    /// `None`: it is over. `completed`: its object is there.
    async fn verify(mut self, client: &Client, listed: &[MultipartUpload], completed: bool) -> Option<Self> {
        let maybe = self.maybe.take();
        let is_listed = listed.iter().any(|found| found.upload_id.as_ref() == Some(&self.id));
        if let Some(MaybeUpload::Completed) = maybe {
            assert_eq!(is_listed, !completed, "{}: an upload is in progress or an object, not both", self.key);
        }
        if !is_listed {
            let may_be_over = matches!(maybe, Some(MaybeUpload::Completed | MaybeUpload::Aborted));
            assert!(may_be_over, "{}: the upload is gone", self.key);
            return None;
        }
        let reply = client.list_parts().bucket(PLAIN).key(&self.key).upload_id(&self.id).send().await.unwrap();
        let part = |part: &aws_sdk_s3::types::Part| {
            (part.part_number.unwrap(), (part.size.unwrap(), part.e_tag.clone().unwrap()))
        };
        let found: BTreeMap<_, _> = reply.parts().iter().map(part).collect();
        let of = |piece: &Piece| (piece.bytes as i64, piece.etag());
        if let Some(MaybeUpload::Part(number, piece)) = maybe
            && found.get(&number) == Some(&of(&piece))
        {
            self.parts.insert(number, piece);
        }
        let known: BTreeMap<_, _> = self.parts.iter().map(|(number, piece)| (*number, of(piece))).collect();
        assert_eq!(found, known, "{}: parts of the upload in progress", self.key);
        Some(self)
    }
}

async fn get(client: &Client, bucket: &str, key: &str, version: Option<&str>) -> Option<Vec<u8>> {
    let request = client.get_object().bucket(bucket).key(key).set_version_id(version.map(str::to_owned));
    match request.send().await {
        Ok(reply) => Some(reply.body.collect().await.unwrap().to_vec()),
        Err(error) => {
            let status = error.raw_response().map(|reply| reply.status().as_u16());
            assert_eq!(status, Some(404), "{bucket}/{key} {version:?}: {error:?}");
            None
        }
    }
}

async fn listed_objects(client: &Client) -> BTreeMap<String, i64> {
    let mut pages = client.list_objects_v2().bucket(PLAIN).max_keys(20).into_paginator().send();
    let mut objects = BTreeMap::new();
    while let Some(page) = pages.next().await {
        for object in page.unwrap().contents() {
            let twice = objects.insert(object.key.clone().unwrap(), object.size.unwrap());
            assert!(twice.is_none(), "listed twice: {object:?}");
        }
    }
    objects
}
