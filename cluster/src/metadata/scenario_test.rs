//! Scenarios: small scripts, one change or query a line, and what comes of each.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use bytes::Bytes;
use expect_test::Expect;

use super::test_group::{TestGroup, owner};
use crate::id::{BlobId, BucketId, NodeId, UploadId, VersionId};
use crate::metadata::checksum::ChecksumHasher;
use crate::metadata::command::{
    CompleteUpload, CopyObject, DeleteObject, NewContent, NewPart, OwnerChange, PartReference, PutObject,
    VersionSelector, WriteCondition,
};
use crate::metadata::outcome::{ObjectDeleted, ObjectWritten, Outcome};
use crate::metadata::query::{self, After, ListObjects, ListUploads, ListVersions, UploadsAfter, VersionsAfter};
use crate::metadata::record::{
    Checksum, ChecksumAlgorithm, ChecksumType, ETag, ObjectHeaders, VersionKind, VersionRecord, Versioning,
};

mod buckets;
mod conditions;
mod copies;
mod listings;
mod uploads;
mod versioning;

/// Runs a script and compares it, each line followed by its result. After each line the state is checked as a whole.
///
/// `put b/k 10 etag=a` stores 10 bytes; up to 32 KiB are inline. `K` and `M` are binary units. An ETag is one letter.
/// Versions are called v1, v2, … in the order in which they were made.
fn check(script: &str, expected: Expect) {
    let mut scenario = Scenario::new();
    let mut out = String::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let result = scenario.run(line);
        scenario.group.check(&scenario.blobs);
        writeln!(out, "{line}").unwrap();
        for line in result.lines() {
            writeln!(out, "    {line}").unwrap();
        }
    }
    expected.assert_eq(&out);
}

struct Scenario {
    group: TestGroup,
    buckets: BTreeMap<String, BucketId>,
    versions: Vec<VersionId>,
    blobs: BTreeSet<BlobId>,
    blob_of_line: Option<BlobId>,
    bodies: u64,
}

/// One line: the verb, its plain words, and the `name=value` ones.
struct Line<'l> {
    words: Vec<&'l str>,
    named: BTreeMap<&'l str, &'l str>,
}

impl<'l> Line<'l> {
    fn parse(line: &'l str) -> Self {
        let (named, words): (Vec<_>, Vec<_>) = line.split_whitespace().partition(|word| word.contains('='));
        let named = named.into_iter().map(|word| word.split_once('=').unwrap()).collect();
        Self { words, named }
    }

    fn word(&self, index: usize) -> &'l str {
        self.words[index]
    }

    fn named(&self, name: &str) -> Option<String> {
        self.named.get(name).map(|value| (*value).to_owned())
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.named.get(name).map(|value| size(value))
    }

    fn limit(&self) -> usize {
        self.number("limit").map_or(1000, |limit| limit as usize)
    }

    /// `source-` as prefix gives the condition on the source of a rename.
    fn condition(&self, prefix: &str) -> WriteCondition {
        let if_match = self.named(&format!("{prefix}if-match"));
        match (if_match.as_deref(), self.named(&format!("{prefix}if-none-match"))) {
            (Some("*"), _) => WriteCondition::MustExist,
            (Some(accepted), _) => WriteCondition::MustMatch(accepted.split(',').map(etag).collect()),
            (None, Some(_)) => WriteCondition::MustNotExist,
            (None, None) => WriteCondition::None,
        }
    }
}

impl Scenario {
    fn new() -> Self {
        let (group, versions) = (TestGroup::new(), Vec::new());
        Self { group, buckets: BTreeMap::new(), versions, blobs: BTreeSet::new(), blob_of_line: None, bodies: 0 }
    }

    fn run(&mut self, text: &str) -> String {
        let line = Line::parse(text);
        let change = match line.word(0) {
            "create" => OwnerChange::CreateBucket { name: line.word(1).to_owned(), location: String::new() },
            "drop" => OwnerChange::DeleteBucket { bucket: self.bucket(line.word(1)) },
            "versioning" => OwnerChange::SetVersioning {
                bucket: self.bucket(line.word(1)),
                versioning: match line.word(2) {
                    "enabled" => Versioning::Enabled,
                    _ => Versioning::Suspended,
                },
            },
            "put" => self.put(&line),
            "copy" => self.copy(&line),
            "rename" => OwnerChange::RenameObject {
                bucket: self.bucket(line.word(1)),
                source: line.word(2).to_owned(),
                target: line.word(3).to_owned(),
                source_condition: line.condition("source-"),
                target_condition: line.condition(""),
                random: 0,
            },
            "delete" => self.delete(&line),
            "tag" => {
                let (bucket, key) = self.place(line.word(1));
                let tags = vec![("tag".to_owned(), line.word(2).to_owned())];
                OwnerChange::SetObjectTags { bucket, key, version: self.selector(&line), tags }
            }
            "upload" => {
                let (bucket, key) = self.place(line.word(1));
                OwnerChange::CreateUpload {
                    bucket,
                    upload: upload(line.word(2)),
                    key,
                    headers: ObjectHeaders::default(),
                    tags: Vec::new(),
                    checksum: line.words.get(3).map(|name| (algorithm(name), kind(line.words.get(4)))),
                }
            }
            "part" => {
                let (bucket, key) = self.place(line.word(1));
                let bytes = size(line.word(4));
                let content = self.content(bytes, &line);
                let md5 = etag(&line.named("etag").unwrap()).md5;
                let number = line.word(3).parse().unwrap();
                let checksum = line.words.get(5).map(|name| checksum_of_part(algorithm(name), md5[0], bytes));
                let part = NewPart { number, content, md5, checksum };
                let quota_bytes = line.number("quota");
                OwnerChange::PutPart { bucket, key, upload: upload(line.word(2)), part, quota_bytes }
            }
            "complete" => self.complete(&line),
            "abort" => {
                let (bucket, key) = self.place(line.word(1));
                OwnerChange::AbortUpload { bucket, key, upload: upload(line.word(2)) }
            }
            _ => return self.ask(&line),
        };
        let outcome = self.group.commit(change);
        if let (Outcome::BucketCreated { bucket }, "create") = (&outcome, line.word(0)) {
            self.buckets.insert(line.word(1).to_owned(), *bucket);
        }
        self.forget_unused_blobs(&outcome);
        self.show(&outcome)
    }

    fn ask(&mut self, line: &Line<'_>) -> String {
        let (view, bucket) = (&self.group.records, || self.bucket(line.word(1)));
        let (prefix, delimiter) = (line.named("prefix").unwrap_or_default(), line.named("delimiter"));
        let (limit, mut out) = (line.limit(), String::new());
        match line.word(0) {
            "list" => {
                let marker = line.named("marker").map(After::Marker);
                let after = line.named("start-after").map(After::Key).or(marker);
                let list = ListObjects { prefix, delimiter, after, limit };
                let page = query::list_objects(view, owner(), bucket(), &list).unwrap();
                for (key, record) in page.objects {
                    writeln!(out, "{key} {}", self.show_version(&record)).unwrap();
                }
                page.common_prefixes.iter().for_each(|common| writeln!(out, "{common}…").unwrap());
                page.next.iter().for_each(|next| writeln!(out, "next marker={next}").unwrap());
            }
            "versions" => {
                let version = line.named("version").map(|name| self.version(&name));
                let after = line.named("marker").map(|key| VersionsAfter { key, version });
                let list = ListVersions { prefix, delimiter, after, limit };
                let page = query::list_versions(view, owner(), bucket(), &list).unwrap();
                for listed in page.versions {
                    let latest = if listed.is_latest { " latest" } else { "" };
                    writeln!(out, "{} {}{latest}", listed.key, self.show_version(&listed.record)).unwrap();
                }
                page.common_prefixes.iter().for_each(|common| writeln!(out, "{common}…").unwrap());
                if let Some(next) = page.next {
                    let version = next.version.map(|version| format!(" version={}", self.name(version)));
                    writeln!(out, "next marker={}{}", next.key, version.unwrap_or_default()).unwrap();
                }
            }
            "uploads" => {
                let after = line.named("marker").map(|key| {
                    let upload = line.named("upload").map(|name| upload(&name));
                    UploadsAfter { key, upload }
                });
                let list = ListUploads { prefix, delimiter, after, limit };
                let page = query::list_uploads(view, owner(), bucket(), &list).unwrap();
                page.uploads.iter().for_each(|found| writeln!(out, "{} u{}", found.key, found.upload.0[15]).unwrap());
                page.common_prefixes.iter().for_each(|common| writeln!(out, "{common}…").unwrap());
                if let Some(next) = page.next {
                    let upload = next.upload.map(|upload| format!(" upload=u{}", upload.0[15]));
                    writeln!(out, "next marker={}{}", next.key, upload.unwrap_or_default()).unwrap();
                }
            }
            "get" => {
                let (bucket, key) = self.place(line.word(1));
                let found = query::version(view, owner(), bucket, &key, self.selector(line)).unwrap();
                out = match found {
                    Some((record, true)) => format!("{} latest", self.show_version(&record)),
                    Some((record, false)) => self.show_version(&record),
                    None => "nothing".to_owned(),
                };
            }
            "counters" => out = format!("{:?}", query::counters(view, owner(), bucket()).unwrap()),
            "stored" => {
                let (inline, blobs) = (self.group.inline.len(), self.blobs.len() - self.group.freed.len());
                out = format!("{inline} inline, {blobs} blobs, {} freed", self.group.freed.len());
            }
            other => panic!("no such verb: {other}"),
        }
        if out.is_empty() { "nothing".to_owned() } else { out }
    }

    fn put(&mut self, line: &Line<'_>) -> OwnerChange {
        let (bucket, key) = self.place(line.word(1));
        OwnerChange::PutObject(PutObject {
            bucket,
            key,
            condition: line.condition(""),
            content: self.content(size(line.word(2)), line),
            etag: etag(&line.named("etag").unwrap_or("x".to_owned())),
            checksum: None,
            headers: ObjectHeaders::default(),
            tags: Vec::new(),
            random: 0,
            quota_bytes: line.number("quota"),
        })
    }

    fn copy(&mut self, line: &Line<'_>) -> OwnerChange {
        let (source_bucket, source_key) = self.place(line.word(1));
        let (bucket, key) = self.place(line.word(2));
        let view = &self.group.records;
        let found = query::version(view, owner(), source_bucket, &source_key, self.selector(line)).unwrap();
        OwnerChange::CopyObject(CopyObject {
            source_bucket,
            source_key,
            source_version: found.map_or(VersionId([0; 16]), |(record, _)| record.version),
            bucket,
            key,
            condition: line.condition(""),
            headers: None,
            tags: None,
            checksum: None,
            random: 0,
            quota_bytes: line.number("quota"),
        })
    }

    /// Several keys of a bucket are separated by commas.
    fn delete(&mut self, line: &Line<'_>) -> OwnerChange {
        let (bucket, keys) = self.place(line.word(1));
        let (version, condition) = (self.selector(line), line.condition(""));
        let delete = |key: &str| DeleteObject { key: key.to_owned(), version, condition: condition.clone(), random: 0 };
        OwnerChange::DeleteObjects { bucket, deletes: keys.split(',').map(delete).collect() }
    }

    fn complete(&mut self, line: &Line<'_>) -> OwnerChange {
        let (bucket, key) = self.place(line.word(1));
        let parts = line.words[3..].iter().map(|part| {
            let (number, letter) = part.split_once(':').unwrap();
            PartReference { number: number.parse().unwrap(), md5: etag(letter).md5, checksum: None }
        });
        OwnerChange::CompleteUpload(CompleteUpload {
            bucket,
            key,
            upload: upload(line.word(2)),
            condition: line.condition(""),
            parts: parts.collect(),
            checksum: line.named("crc32").map(|hex| Checksum {
                algorithm: ChecksumAlgorithm::Crc32,
                kind: kind(line.named("type").as_deref().as_ref()),
                value: u32::from_str_radix(&hex, 16).unwrap().to_be_bytes().to_vec(),
            }),
            checksum_type: line.named("type").map(|name| kind(Some(&name.as_str()))),
            expected_bytes: line.number("size"),
            random: 0,
        })
    }

    fn content(&mut self, bytes: u64, line: &Line<'_>) -> NewContent {
        self.bodies += 1;
        let blob = BlobId::new(owner(), 0, self.bodies);
        match bytes {
            0 => NewContent::empty(),
            1..=0x8000 => NewContent::inline(blob, Bytes::from(vec![0; bytes as usize])),
            _ => {
                self.blobs.insert(blob);
                self.blob_of_line = Some(blob);
                let synced_on = NodeId(line.number("on").unwrap_or(1));
                NewContent::blob(blob, bytes, 4 << 20, vec![synced_on])
            }
        }
    }

    /// A refused write leaves its blob without a name, for the sweep.
    fn forget_unused_blobs(&mut self, outcome: &Outcome) {
        if let (Some(blob), Outcome::Refused(_)) = (self.blob_of_line.take(), outcome) {
            self.blobs.remove(&blob);
        }
    }

    fn bucket(&self, name: &str) -> BucketId {
        self.buckets.get(name).copied().unwrap_or(BucketId(999))
    }

    fn place(&self, text: &str) -> (BucketId, String) {
        let (bucket, key) = text.split_once('/').unwrap();
        (self.bucket(bucket), key.to_owned())
    }

    fn selector(&self, line: &Line<'_>) -> VersionSelector {
        match line.named("version").as_deref() {
            None => VersionSelector::Latest,
            Some("null") => VersionSelector::Null,
            Some(name) => VersionSelector::Id(self.version(name)),
        }
    }

    fn version(&self, name: &str) -> VersionId {
        let number: usize = name.strip_prefix('v').unwrap().parse().unwrap();
        self.versions.get(number - 1).copied().unwrap_or(VersionId([0; 16]))
    }

    fn name(&self, version: VersionId) -> String {
        let place = self.versions.iter().position(|known| *known == version);
        place.map_or("v?".to_owned(), |place| format!("v{}", place + 1))
    }

    fn learn(&mut self, version: VersionId) {
        if !self.versions.contains(&version) {
            self.versions.push(version);
        }
    }

    fn show(&mut self, outcome: &Outcome) -> String {
        match outcome {
            Outcome::ObjectWritten(ObjectWritten { version, is_null, versioned, etag, bytes, checksum, .. }) => {
                self.learn(*version);
                let wire = match (versioned, is_null) {
                    (false, _) => "",
                    (true, true) => " null",
                    (true, false) => " versioned",
                };
                let checksum = checksum.as_ref().map(show_checksum).unwrap_or_default();
                format!("{}{wire} etag={} {bytes} bytes{checksum}", self.name(*version), show_etag(etag))
            }
            Outcome::ObjectsDeleted(deleted) => {
                let shown: Vec<String> = deleted.iter().map(|deleted| self.show_deleted(deleted)).collect();
                shown.join("\n")
            }
            Outcome::TagsSet { version, .. } => format!("tagged {}", self.name(*version)),
            Outcome::UploadCreated { upload } => format!("u{}", upload.0[15]),
            Outcome::Refused(refusal) => format!("refused: {refusal:?}"),
            other => format!("{other:?}"),
        }
    }

    fn show_deleted<E: std::fmt::Debug>(&mut self, deleted: &Result<ObjectDeleted, E>) -> String {
        match deleted {
            Ok(ObjectDeleted { version: None, .. }) => "done".to_owned(),
            Ok(ObjectDeleted { version: Some(version), is_null, delete_marker }) => {
                self.learn(*version);
                let null = if *is_null { " null" } else { "" };
                let marker = if *delete_marker { " delete marker" } else { "" };
                format!("{}{null}{marker}", self.name(*version))
            }
            Err(refusal) => format!("refused: {refusal:?}"),
        }
    }

    fn show_version(&self, record: &VersionRecord) -> String {
        let null = if record.is_null { " null" } else { "" };
        match &record.kind {
            VersionKind::DeleteMarker => format!("{}{null} delete marker", self.name(record.version)),
            VersionKind::Object(object) => {
                let tags: Vec<&str> = object.tags.iter().map(|(_, value)| value.as_str()).collect();
                let tags = if tags.is_empty() { String::new() } else { format!(" tags={}", tags.join(",")) };
                format!("{}{null} etag={} {}{tags}", self.name(record.version), show_etag(&object.etag), object.bytes)
            }
        }
    }
}

fn size(text: &str) -> u64 {
    match text.strip_suffix('M') {
        Some(mebibytes) => mebibytes.parse::<u64>().unwrap() << 20,
        None => match text.strip_suffix('K') {
            Some(kibibytes) => kibibytes.parse::<u64>().unwrap() << 10,
            None => text.parse().unwrap(),
        },
    }
}

fn etag(letter: &str) -> ETag {
    ETag { md5: [letter.as_bytes()[0]; 16], parts: None }
}

fn show_etag(etag: &ETag) -> String {
    match etag.parts {
        None => char::from(etag.md5[0]).to_string(),
        Some(parts) => format!("{:02x}{:02x}…-{parts}", etag.md5[0], etag.md5[1]),
    }
}

fn upload(name: &str) -> UploadId {
    let mut id = [0; 16];
    id[15] = name.strip_prefix('u').unwrap().parse().unwrap();
    UploadId(id)
}

fn algorithm(name: &str) -> ChecksumAlgorithm {
    match name {
        "crc32" => ChecksumAlgorithm::Crc32,
        "sha256" => ChecksumAlgorithm::Sha256,
        "xxhash128" => ChecksumAlgorithm::XxHash128,
        other => panic!("no such algorithm: {other}"),
    }
}

fn kind(name: Option<&&str>) -> ChecksumType {
    match name {
        Some(&"composite") => ChecksumType::Composite,
        _ => ChecksumType::FullObject,
    }
}

/// A part of an ETag's letter consists of that letter.
fn checksum_of_part(algorithm: ChecksumAlgorithm, letter: u8, bytes: u64) -> Checksum {
    let body = vec![letter; bytes as usize];
    let mut hasher = ChecksumHasher::new(algorithm);
    hasher.update(&body);
    hasher.finish()
}

fn show_checksum(checksum: &Checksum) -> String {
    let start: String = checksum.value.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!(" {:?} {:?} {start}", checksum.kind, checksum.algorithm)
}
