//! Bytes of records, commands and outcomes: as version 1 wrote them, and whatever else may come in.

use bytes::Bytes;
use expect_test::expect_file;
use proptest::prelude::*;

use crate::id::{
    BlobId, BucketId, EntryId, GroupId, HostId, NodeId, OwnerKey, RequestId, TokenId, UploadId, UserId, VersionId,
};
use crate::metadata::command::{
    Change, Command, CompleteUpload, CopyObject, DeleteObject, GroupChange, NewContent, NewNode, NewPart,
    NodeAddresses, NodeUpdate, OwnerChange, PartReference, PutObject, Split, SystemChange, VersionSelector,
    WriteCondition,
};
use crate::metadata::outcome::{ObjectDeleted, ObjectWritten, Outcome, Refusal};
use crate::metadata::record::{
    AccessKeyRecord, AuthorityRecord, BucketNameRecord, BucketRecord, Checksum, ChecksumAlgorithm, ChecksumType,
    ClusterRecord, CompletedUploadRecord, Content, Counters, DecisionsRecord, ETag, GroupRecord, JoinTokenRecord,
    ManifestRecord, NodeRecord, NodeState, ObjectHeaders, ObjectRecord, OwnerRecord, PartRecord, RangeRecord,
    ReferenceRecord, RequestRecord, SplitRecord, UploadRecord, UserRecord, VersionKind, VersionRecord, Versioning,
};

mod account;
mod sample;
mod tree;

use sample::{Sample, hex_of, samples_of};

const OWNER: OwnerKey = OwnerKey(0x0102_0304_0506_0708);
const UPLOAD: UploadId = UploadId([0x55; 16]);
const REQUEST: RequestId = RequestId([0x66; 16]);

fn version_id() -> VersionId {
    VersionId::new(0x0199_0000_0000_0001, 7)
}

fn blob() -> BlobId {
    BlobId::new(OWNER, 1_790_000_000_000, 9)
}

fn etag() -> ETag {
    ETag { md5: [0xAA; 16], parts: Some(3) }
}

fn checksum() -> Checksum {
    Checksum {
        algorithm: ChecksumAlgorithm::Crc64Nvme,
        kind: ChecksumType::FullObject,
        value: vec![1, 2, 3, 4, 5, 6, 7, 8],
    }
}

fn pairs() -> Vec<(String, String)> {
    vec![("name".to_owned(), "välue".to_owned()), (String::new(), String::new())]
}

fn headers() -> ObjectHeaders {
    ObjectHeaders {
        content_type: Some("text/plain".to_owned()),
        content_encoding: Some("gzip".to_owned()),
        content_language: None,
        content_disposition: Some(String::new()),
        cache_control: None,
        expires: Some("never".to_owned()),
        website_redirect_location: None,
        user_metadata: pairs(),
    }
}

fn inline() -> NewContent {
    NewContent::inline(blob(), Bytes::from_static(b"body"))
}

/// A small object, as tests elsewhere need one.
pub(super) fn put_object(bucket: BucketId, key: &str) -> PutObject {
    PutObject {
        bucket,
        key: key.to_owned(),
        condition: WriteCondition::None,
        content: NewContent::empty(),
        etag: ETag { md5: [0; 16], parts: None },
        checksum: None,
        headers: ObjectHeaders::default(),
        tags: Vec::new(),
        random: 1,
        quota_bytes: None,
    }
}

fn object(content: Content) -> VersionRecord {
    let object = ObjectRecord {
        bytes: 300,
        etag: etag(),
        content,
        checksum: Some(checksum()),
        headers: headers(),
        tags: pairs(),
    };
    VersionRecord {
        version: version_id(),
        is_null: true,
        modified_ms: 1_790_000_000_000,
        kind: VersionKind::Object(object),
    }
}

/// Every kind of record, and every variant of what stands in them.
fn records() -> Vec<Sample> {
    let marker = VersionRecord { kind: VersionKind::DeleteMarker, is_null: false, ..object(Content::Empty) };
    let chunked = Content::Blob { blob: blob(), chunk_bytes: 4 << 20 };
    let parts = Content::Parts { bucket: BucketId(3), upload: UPLOAD };
    let bucket = |versioning| BucketRecord {
        id: BucketId(3),
        name: "bucket".to_owned(),
        created_ms: 1_790_000_000_000,
        location: "eu-west-1".to_owned(),
        versioning,
        tags: pairs(),
        cors: Bytes::from_static(b"<CORSConfiguration/>"),
    };
    let counters = Counters { objects: 1, versions: 2, delete_markers: 300, uploads: 0, bytes: u64::MAX };
    let part = PartRecord {
        number: 10_000,
        bytes: 5 << 20,
        md5: [0xBB; 16],
        modified_ms: 1_790_000_000_000,
        content: chunked.clone(),
        checksum: Some(Checksum {
            algorithm: ChecksumAlgorithm::Sha256,
            kind: ChecksumType::Composite,
            value: vec![7; 32],
        }),
    };
    let upload = UploadRecord {
        upload: UPLOAD,
        key: "a/ключ".to_owned(),
        initiated_ms: 1_790_000_000_000,
        headers: headers(),
        tags: pairs(),
        checksum: Some((ChecksumAlgorithm::Sha1, ChecksumType::Composite)),
    };
    let completed = CompletedUploadRecord {
        key: "k".to_owned(),
        completed_ms: 1_790_000_000_000,
        version: version_id(),
        is_null: false,
        versioned: true,
        etag: etag(),
        bytes: 300,
        checksum: None,
    };
    let user = UserRecord {
        id: UserId(2),
        name: "ann".to_owned(),
        created_ms: 1_790_000_000_000,
        enabled: true,
        admin: false,
        quota_bytes: Some(1 << 40),
    };
    let name = BucketNameRecord {
        owner: UserId(2),
        reservation: REQUEST,
        pending: true,
        reserved_ms: 1_790_000_000_000,
        location: String::new(),
    };
    let join_token = JoinTokenRecord {
        token: TokenId([0x88; 16]),
        created_ms: 1_790_000_000_000,
        expires_ms: 1_790_003_600_000,
        zone: Some("räck 3".to_owned()),
        used_by: Some(NodeId(300)),
    };
    let bound = |algorithm| UploadRecord { checksum: Some((algorithm, ChecksumType::Composite)), ..upload.clone() };
    let bound =
        ChecksumAlgorithm::ALL.map(|algorithm| Sample::of(&format!("upload: {algorithm:?}"), &bound(algorithm)));
    let samples = vec![
        Sample::of("version: empty", &object(Content::Empty)),
        Sample::of("version: inline", &object(Content::Inline { blob: blob() })),
        Sample::of("version: blob", &object(chunked)),
        Sample::of("version: parts", &object(parts)),
        Sample::of("version: delete marker", &marker),
        Sample::of("version id", &version_id()),
        Sample::of("reference", &ReferenceRecord { count: 200 }),
        Sample::of("owner", &OwnerRecord { last_bucket: 3, totals: counters }),
        Sample::of("bucket: never", &bucket(Versioning::Never)),
        Sample::of("bucket: enabled", &bucket(Versioning::Enabled)),
        Sample::of("bucket: suspended", &bucket(Versioning::Suspended)),
        Sample::of("bucket: revisions", &bucket(Versioning::Revisions)),
        Sample::of("bucket id", &BucketId(3)),
        Sample::of("counters", &counters),
        Sample::of("upload", &upload),
        Sample::of("part", &part),
        Sample::of("manifest", &ManifestRecord { parts: vec![(1, 5 << 20), (10_000, 1)] }),
        Sample::of("completed upload", &completed),
        Sample::of("cluster", &ClusterRecord { name: "c".to_owned(), created_ms: 1, last_user: 2 }),
        Sample::of("user", &user),
        Sample::of("user id", &UserId(2)),
        Sample::of("access key", &access_key()),
        Sample::of("bucket name", &name),
        Sample::of("decisions", &DecisionsRecord { clock: 1 << 60, requests: 5000, forgotten_ms: 1_790_000_000_000 }),
        Sample::of("request", &RequestRecord { request: REQUEST, time_ms: 1_790_000_000_000, outcome: Outcome::Done }),
        Sample::of("node: active", &node(NodeState::Active)),
        Sample::of("node: draining", &node(NodeState::Draining)),
        Sample::of("node: removed", &node(NodeState::Removed)),
        Sample::of("node id", &NodeId(300)),
        Sample::of("join token", &join_token),
        Sample::of("authority", &authority()),
        Sample::of("group nodes", &group_nodes()),
        Sample::of("range", &range()),
        Sample::of("split: under way", &split(None)),
        Sample::of("split: done", &split(Some(300))),
    ];
    samples.into_iter().chain(bound).collect()
}

fn node(state: NodeState) -> NodeRecord {
    NodeRecord {
        node: NodeId(300),
        host: HostId(299),
        drive: [0x77; 16],
        peer_address: "node3.example:9002".to_owned(),
        web_address: "node3.example:9001".to_owned(),
        s3_address: "[fd00::3]:9000".to_owned(),
        zone: "räck 3".to_owned(),
        weight: 100,
        state,
        joined_ms: 1_790_000_000_000,
        release: "0.1.0".to_owned(),
    }
}

fn new_node() -> NewNode {
    NewNode {
        drive: [0x77; 16],
        addresses: NodeAddresses { peer: "p:1".to_owned(), web: "w:2".to_owned(), s3: "s:3".to_owned() },
        zone: String::new(),
        weight: 300,
        release: "0.1.0".to_owned(),
    }
}

fn authority() -> AuthorityRecord {
    AuthorityRecord { certificate: Bytes::from_static(b"certificate"), sealed_key: Bytes::from_static(b"sealed key") }
}

fn group_nodes() -> GroupRecord {
    let (voters, target) = (vec![NodeId(1), NodeId(2), NodeId(300)], vec![NodeId(2), NodeId(300), NodeId(301)]);
    GroupRecord { group: GroupId(16), voters, target, step: 300 }
}

fn range() -> RangeRecord {
    RangeRecord { first: OWNER, last: OwnerKey(u64::MAX) }
}

fn split(floor: Option<u64>) -> SplitRecord {
    let (child, parent, boundary) = (GroupId(300), GroupId(16), OwnerKey(1 << 63));
    SplitRecord { child, parent, range: range(), boundary, begun_ms: 1_790_000_000_000, floor }
}

fn access_key() -> AccessKeyRecord {
    AccessKeyRecord {
        access_key: "AKEY".to_owned(),
        user: UserId(2),
        created_ms: 1_790_000_000_000,
        enabled: true,
        description: "for tests".to_owned(),
        sealed_secret: Bytes::from_static(b"sealed"),
    }
}

fn outcomes() -> Vec<Outcome> {
    let written = ObjectWritten {
        version: version_id(),
        is_null: false,
        versioned: true,
        etag: etag(),
        modified_ms: 1_790_000_000_000,
        checksum: Some(checksum()),
        bytes: 300,
    };
    let deleted = ObjectDeleted { version: Some(version_id()), is_null: true, delete_marker: true };
    let refusals = [
        Refusal::AlreadyInitialized,
        Refusal::NoSuchUser,
        Refusal::RootUser,
        Refusal::UserExists,
        Refusal::UserOwnsBuckets,
        Refusal::NoSuchAccessKey,
        Refusal::AccessKeyExists,
        Refusal::BucketNameTaken,
        Refusal::BucketOwnedByYou,
        Refusal::StaleReservation,
        Refusal::NoSuchBucket,
        Refusal::BucketNotEmpty,
        Refusal::NoSuchKey,
        Refusal::NoSuchVersion,
        Refusal::DeleteMarker,
        Refusal::CopySourceGone,
        Refusal::NoSuchUpload,
        Refusal::InvalidPart { number: 7 },
        Refusal::InvalidPartOrder,
        Refusal::PartTooSmall { number: 7, bytes: 300 },
        Refusal::ObjectTooLarge,
        Refusal::SizeMismatch,
        Refusal::ChecksumMismatch,
        Refusal::ChecksumAlgorithmMismatch,
        Refusal::PreconditionFailed,
        Refusal::QuotaExceeded,
        Refusal::TooFewCopies,
        Refusal::DeviceHeld,
        Refusal::NoSuchDevice,
        Refusal::TooFarBack { earliest_ms: 1_790_000_000_000 },
        Refusal::StalePartitionMap,
        Refusal::RequestTooOld,
        Refusal::FounderKnown,
        Refusal::AuthorityExists,
        Refusal::TokenExists,
        Refusal::NoSuchToken,
        Refusal::TokenExpired,
        Refusal::TokenUsed { by: NodeId(300) },
        Refusal::DriveKnown { node: NodeId(300) },
        Refusal::NoSuchNode,
        Refusal::NodeRemoved,
        Refusal::NodeHoldsGroups { groups: 300 },
        Refusal::TooFewNodes { needed: 3 },
        Refusal::StaleGroup,
        Refusal::InvalidGroup,
        Refusal::OwnerElsewhere,
        Refusal::NoSuchGroup,
        Refusal::SplitUnderWay { child: GroupId(300) },
        Refusal::InvalidBoundary,
        Refusal::StaleSplit,
        Refusal::WrongBucketKind,
        Refusal::NoSuchEntry,
        Refusal::EntryExists { entry: EntryId(300), is_folder: true },
        Refusal::NotAFolder,
        Refusal::NotAFile,
        Refusal::StaleRevision { head: 300 },
        Refusal::NoSuchRevision,
        Refusal::IntoItself,
        Refusal::TooManyEntries { limit: 10_000 },
        Refusal::PathTooDeep,
        Refusal::ParentGone,
        Refusal::NoSuchTrashItem,
        Refusal::NoSuchSession,
        Refusal::IncorrectOffset { expected: 300 },
        Refusal::SessionClosed,
        Refusal::SessionNotClosed,
        Refusal::SessionIncomplete { missing_at: 4 << 20 },
        Refusal::TooManyParts,
        Refusal::NoSuchLink,
        Refusal::LinkExpired,
    ];
    let mut outcomes = vec![
        Outcome::Done,
        Outcome::UserCreated { user: UserId(2) },
        Outcome::BucketReserved { reservation: REQUEST },
        Outcome::BucketCreated { bucket: BucketId(3) },
        Outcome::ObjectWritten(written),
        Outcome::ObjectsDeleted(vec![Ok(deleted), Err(Refusal::PreconditionFailed)]),
        Outcome::TagsSet { version: version_id(), is_null: false },
        Outcome::UploadCreated { upload: UPLOAD },
        Outcome::NodeAdmitted { node: NodeId(300) },
        Outcome::SplitBegun { child: GroupId(300) },
    ];
    outcomes.extend(refusals.map(Outcome::Refused));
    outcomes.extend(tree::outcomes());
    outcomes
}

fn commands() -> Vec<Command> {
    let changes = system_changes().into_iter().map(Change::System);
    let changes = changes.chain(owner_changes().into_iter().map(|change| Change::Owner { owner: OWNER, change }));
    let of_group = Split { child: GroupId(300), range: range(), boundary: OwnerKey(1 << 63) };
    let changes = changes.chain([Change::Group { group: GroupId(16), change: GroupChange::Split(of_group) }]);
    changes.map(|change| Command { request: REQUEST, retry: false, time_ms: 1_790_000_000_000, change }).collect()
}

fn system_changes() -> Vec<SystemChange> {
    let name = || "bucket".to_owned();
    let token = TokenId([0x88; 16]);
    let update = NodeUpdate {
        zone: Some("räck 3".to_owned()),
        weight: None,
        state: Some(NodeState::Draining),
        addresses: Some(new_node().addresses),
        release: Some("0.2.0".to_owned()),
    };
    vec![
        SystemChange::InitializeCluster { cluster_name: "c".to_owned(), root_key: access_key() },
        SystemChange::CreateUser { name: "ann".to_owned(), admin: true, quota_bytes: Some(300) },
        SystemChange::UpdateUser { user: UserId(2), enabled: Some(false), quota_bytes: Some(None) },
        SystemChange::DeleteUser { user: UserId(2) },
        SystemChange::CreateAccessKey { key: access_key() },
        SystemChange::UpdateAccessKey { access_key: "AKEY".to_owned(), enabled: true },
        SystemChange::DeleteAccessKey { access_key: "AKEY".to_owned() },
        SystemChange::ReserveBucketName { name: name(), owner: UserId(2), location: "eu".to_owned() },
        SystemChange::ConfirmBucketName { name: name(), reservation: REQUEST },
        SystemChange::ReleaseBucketName { name: name(), reservation: REQUEST },
        SystemChange::SetPartitionMap { map: crate::placement::PartitionMap::even(2) },
        SystemChange::RegisterFounder { founder: new_node() },
        SystemChange::SetAuthority { authority: authority() },
        SystemChange::CreateJoinToken { token, expires_ms: 1_790_003_600_000, zone: Some("räck 3".to_owned()) },
        SystemChange::RevokeJoinToken { token },
        SystemChange::AdmitNode { token, node: new_node() },
        SystemChange::UpdateNode { node: NodeId(300), update: update.clone() },
        SystemChange::AdmitDrive { beside: NodeId(300), node: new_node() },
        SystemChange::UpdateHost { host: HostId(300), update },
        SystemChange::SetGroup { record: group_nodes(), expected_step: 299 },
        SystemChange::BeginSplit { parent: GroupId(16), boundary: OwnerKey(1 << 63), epoch: 300 },
        SystemChange::FinishSplit { child: GroupId(300), voters: vec![NodeId(1), NodeId(300)], floor: 300 },
    ]
}

fn owner_changes() -> Vec<OwnerChange> {
    let (bucket, key) = (BucketId(3), || "a/ключ".to_owned());
    let delete = |version, condition| DeleteObject { key: key(), version, condition, random: u64::MAX };
    let put = PutObject {
        condition: WriteCondition::MustMatch(vec![etag()]),
        content: inline(),
        etag: etag(),
        checksum: Some(checksum()),
        headers: headers(),
        tags: pairs(),
        random: u64::MAX,
        quota_bytes: Some(300),
        ..put_object(bucket, "a/ключ")
    };
    let stored = |content| OwnerChange::PutObject(PutObject { content, ..put_object(bucket, "b") });
    let synced = NewContent::blob(blob(), 300, 100, vec![NodeId(1), NodeId(300)]);
    let copy = CopyObject {
        source_bucket: BucketId(4),
        source_key: key(),
        source_version: version_id(),
        bucket,
        key: key(),
        condition: WriteCondition::MustNotExist,
        headers: Some(headers()),
        tags: None,
        checksum: Some(checksum()),
        random: 1,
        quota_bytes: None,
    };
    let complete = CompleteUpload {
        bucket,
        key: key(),
        upload: UPLOAD,
        condition: WriteCondition::MustExist,
        parts: vec![PartReference { number: 1, md5: [0xBB; 16], checksum: Some(checksum()) }],
        checksum: Some(checksum()),
        checksum_type: Some(ChecksumType::Composite),
        expected_bytes: Some(300),
        random: 1,
    };
    vec![
        OwnerChange::CreateBucket { name: "bucket".to_owned(), location: "eu".to_owned() },
        OwnerChange::DeleteBucket { bucket },
        OwnerChange::SetVersioning { bucket, versioning: Versioning::Suspended },
        OwnerChange::SetBucketTags { bucket, tags: pairs() },
        OwnerChange::SetBucketCors { bucket, cors: Bytes::from_static(b"<CORSConfiguration/>") },
        OwnerChange::PutObject(put),
        OwnerChange::CopyObject(copy),
        OwnerChange::RenameObject {
            bucket,
            source: key(),
            target: "b".to_owned(),
            source_condition: WriteCondition::MustExist,
            target_condition: WriteCondition::None,
            random: 1,
        },
        OwnerChange::DeleteObjects {
            bucket,
            deletes: vec![
                delete(VersionSelector::Latest, WriteCondition::None),
                delete(VersionSelector::Null, WriteCondition::MustExist),
                delete(VersionSelector::Id(version_id()), WriteCondition::None),
            ],
        },
        OwnerChange::SetObjectTags { bucket, key: key(), version: VersionSelector::Null, tags: pairs() },
        OwnerChange::CreateUpload {
            bucket,
            upload: UPLOAD,
            key: key(),
            headers: headers(),
            tags: pairs(),
            checksum: Some((ChecksumAlgorithm::Crc32c, ChecksumType::FullObject)),
        },
        OwnerChange::PutPart {
            bucket,
            key: key(),
            upload: UPLOAD,
            part: NewPart {
                number: 10_000,
                content: inline(),
                md5: [0xBB; 16],
                checksum: Some(Checksum {
                    algorithm: ChecksumAlgorithm::Crc32,
                    kind: ChecksumType::FullObject,
                    value: vec![1, 2, 3, 4],
                }),
            },
            quota_bytes: Some(300),
        },
        OwnerChange::CompleteUpload(complete),
        OwnerChange::AbortUpload { bucket, key: key(), upload: UPLOAD },
        stored(NewContent { synced_on: None, ..synced.clone() }),
        stored(synced),
    ]
    .into_iter()
    .chain(tree::changes())
    .collect()
}

fn samples() -> Vec<Sample> {
    let mut records = records();
    records.extend(tree::records());
    samples_of(records, outcomes(), commands())
}

#[test]
fn bytes_of_version_1_stay_as_they_are() {
    expect_file!["../../tests/fixtures/v1/metadata.txt"].assert_eq(&hex_of(samples()));
    expect_file!["../../tests/fixtures/v1/accounts.txt"].assert_eq(&hex_of(account::samples()));
}

fn every_sample() -> Vec<Sample> {
    let mut samples = samples();
    samples.extend(account::samples());
    samples
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    /// Bytes either are corrupt or mean one value, which is written as the same bytes. Nothing panics.
    #[test]
    fn changed_bytes_are_corrupt_or_canonical(
        pick in any::<prop::sample::Index>(), cut in any::<prop::sample::Index>(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        tail in prop::collection::vec(any::<u8>(), 0..8), is_cut in any::<bool>(),
    ) {
        let samples = every_sample();
        let sample = pick.get(&samples);
        let mut bytes = sample.bytes.to_vec();
        for (place, byte) in flips {
            *place.get_mut(&mut bytes) = byte;
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len() + 1));
            bytes.extend(tail);
        }
        if let Some(rewritten) = (sample.rewrite)(&bytes) {
            prop_assert_eq!(rewritten, bytes, "{}", &sample.name);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for sample in every_sample() {
            let mut versioned = vec![1];
            versioned.extend_from_slice(&bytes);
            let _ = (sample.rewrite)(&bytes);
            let _ = (sample.rewrite)(&versioned);
        }
    }
}
