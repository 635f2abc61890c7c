//! Samples of trees: every record, change and variant.

use bytes::Bytes;

use super::{REQUEST, Sample, UPLOAD, blob, checksum, etag, headers, inline, pairs};
use crate::id::{BucketId, EntryId, LinkId, UserId};
use crate::metadata::command::tree::{
    AppendSession, At, AutoRename, Brake, CompleteFile, CreateSession, FinishSession, LinkUpdate, NewFile, PutFile,
    Rewind, RewindCursor, RewindStage, TreeChange, WriteMode,
};
use crate::metadata::command::{NewPart, OwnerChange, PartReference, WriteCondition};
use crate::metadata::outcome::{EntryChanged, Outcome, RewindCounts, Rewound};
use crate::metadata::record::tree::{
    Author, BrakeRecord, ChangeRecord, DeviceDeletes, EntryKind, EntryName, EntryRecord, FileRecord, FinishedSession,
    FolderRecord, FormerPlace, LinkRecord, LinkRole, MomentRecord, NameRecord, PlaceRecord, RevisionReason,
    RevisionRecord, SessionKind, SessionPartRecord, SessionRecord, StoodRecord, Totals, TrashRecord, TreeRecord,
    VacatedRecord,
};
use crate::metadata::record::{ChecksumType, Content};

fn name(name: &str) -> EntryName {
    EntryName { name: name.to_owned(), key: name.to_lowercase() }
}

fn author() -> Author {
    Author { user: UserId(300), device: "läptop".to_owned() }
}

fn totals() -> Totals {
    Totals { files: 1, folders: 300, bytes: u64::MAX, revisions: 2, revision_bytes: 70_000 }
}

fn revision() -> RevisionRecord {
    RevisionRecord {
        rev: 300,
        bytes: 4,
        content: Content::Inline { blob: blob() },
        etag: etag(),
        checksum: Some(checksum()),
        content_hash: Some([0xCC; 32]),
        headers: headers(),
        tags: pairs(),
        modified_ms: 1_790_000_000_000,
        client_modified_ms: Some(1_700_000_000_000),
        author: author(),
        reason: RevisionReason::Upload,
        keep: true,
        label: "final".to_owned(),
    }
}

fn file() -> EntryRecord {
    let kind = EntryKind::File(FileRecord { head: revision(), revisions: 3, revision_bytes: 300 });
    EntryRecord { id: EntryId(7), created_ms: 1_790_000_000_000, changed_seq: 300, kind }
}

fn folder() -> EntryRecord {
    let kind = EntryKind::Folder(FolderRecord { subtree_seq: 301, arrived_whole: true, totals: totals() });
    EntryRecord { id: EntryId(300), created_ms: 1_790_000_000_000, changed_seq: 300, kind }
}

fn session(kind: SessionKind, finished: Option<FinishedSession>) -> SessionRecord {
    SessionRecord {
        session: UPLOAD,
        kind,
        created_ms: 1_790_000_000_000,
        expires_ms: 1_790_600_000_000,
        bytes: Some(70_000),
        received: 300,
        reserved: 69_700,
        parts: 300,
        closed: finished.is_some(),
        details: Bytes::from_static(b"details"),
        state: Bytes::from_static(b"state"),
        finished,
    }
}

fn link(role: LinkRole) -> LinkRecord {
    LinkRecord {
        link: LinkId([0x99; 16]),
        secret_hash: [0xAB; 32],
        entry: EntryId(7),
        role,
        created_ms: 1_790_000_000_000,
        created_by: author(),
        expires_ms: Some(1_790_600_000_000),
        password: Some("$argon2id$".to_owned()),
        downloads_max: Some(300),
        downloads: 3,
    }
}

fn stood(place: FormerPlace) -> StoodRecord {
    StoodRecord { until_ms: 1_790_000_000_000, place }
}

fn device_deletes(held_ms: Option<u64>) -> DeviceDeletes {
    DeviceDeletes {
        device: "läptop".to_owned(),
        since_ms: 1_790_000_000_000,
        since_seq: 300,
        deletes: 301,
        entries: 302,
        largest: 3,
        of_entries: 400,
        held_ms,
        allowed_until_ms: 1_790_000_000_001,
    }
}

fn cursor(stage: RewindStage) -> RewindCursor {
    RewindCursor { stage, at: 300, until: 70_000 }
}

fn rewind(cursor: Option<RewindCursor>) -> TreeChange {
    TreeChange::Rewind(Rewind { folder: EntryId(300), to_ms: 1_790_000_000_000, cursor, limit: 300 })
}

pub(super) fn records() -> Vec<Sample> {
    let tree = TreeRecord {
        created_ms: 1_790_000_000_000,
        last_entry: 300,
        seq: 70_000,
        feed_floor: 3,
        reserved_bytes: 300,
        trash: totals(),
    };
    let trash = TrashRecord {
        seq: 300,
        trashed_ms: 1_790_000_000_000,
        by: author(),
        parent: EntryId::ROOT,
        name: name("Ä.txt"),
        path: "/Ä.txt".to_owned(),
        entry: file(),
        purging: true,
    };
    let vacated = VacatedRecord {
        seq: 300,
        time_ms: 1_790_000_000_000,
        entry: EntryId(7),
        name: "Ä.txt".to_owned(),
        was_folder: false,
    };
    let other = RevisionRecord {
        content: Content::Empty,
        content_hash: None,
        client_modified_ms: None,
        reason: RevisionReason::Restore,
        keep: false,
        label: String::new(),
        ..revision()
    };
    let finished = FinishedSession { path: "/a".to_owned(), entry: file() };
    vec![
        Sample::of("tree", &tree),
        Sample::of("entry: file", &file()),
        Sample::of("entry: folder", &folder()),
        Sample::of("entry name", &NameRecord { name: "Ä".to_owned(), is_folder: true }),
        Sample::of("place: live", &PlaceRecord::Live { parent: EntryId(300), name: name("Ä") }),
        Sample::of("place: trashed", &PlaceRecord::Trashed { seq: 300 }),
        Sample::of("revision", &other),
        Sample::of("revision: copy", &RevisionRecord { reason: RevisionReason::Copy, ..revision() }),
        Sample::of("change: entry", &ChangeRecord::Entry(EntryId(300))),
        Sample::of("change: vacated", &ChangeRecord::Vacated { parent: EntryId(300), key: "ä".to_owned() }),
        Sample::of("vacated", &vacated),
        Sample::of("trash", &trash),
        Sample::of("session: sequential", &session(SessionKind::Sequential, None)),
        Sample::of("session: concurrent", &session(SessionKind::Concurrent, Some(finished))),
        Sample::of("session part", &SessionPartRecord { state: Bytes::from_static(b"digests") }),
        Sample::of("link: view", &link(LinkRole::View)),
        Sample::of("link: edit", &LinkRecord { password: None, expires_ms: None, ..link(LinkRole::Edit) }),
        Sample::of("stood: folder", &stood(FormerPlace::Folder { parent: EntryId(300), name: name("Ä") })),
        Sample::of("stood: trash", &stood(FormerPlace::Trash)),
        Sample::of(
            "brake",
            &BrakeRecord { devices: vec![device_deletes(Some(1_790_000_060_000)), device_deletes(None)] },
        ),
        Sample::of("moment", &MomentRecord { seq: 70_000, last_entry: 300 }),
        Sample::of("link: drop", &LinkRecord { downloads_max: None, ..link(LinkRole::Drop) }),
    ]
}

pub(super) fn outcomes() -> Vec<Outcome> {
    let changed = EntryChanged { path: "/A/b".to_owned(), entry: file(), unchanged: true, trashed: Some(300) };
    let counts = RewindCounts { restored: 300, moved: 2, removed: 3, reset: 4, lost: 5 };
    vec![
        Outcome::EntryChanged(changed),
        Outcome::Purged { more: true },
        Outcome::SessionAppended { received: 70_000 },
        Outcome::DeviceHeld,
        Outcome::Rewound(Rewound { counts, next: None }),
        Outcome::Rewound(Rewound { counts, next: Some(cursor(RewindStage::Places)) }),
    ]
}

pub(super) fn changes() -> Vec<OwnerChange> {
    let path = || vec![name("A"), name("b.txt")];
    let rename = || Some(AutoRename { stem: name("b"), label: name("Conflict"), extension: name(".txt") });
    let at = || At::Path(path());
    let file = NewFile {
        etag: etag(),
        checksum: Some(checksum()),
        content_hash: Some([0xCC; 32]),
        headers: headers(),
        tags: pairs(),
        client_modified_ms: Some(300),
    };
    let put = |mode| PutFile { path: path(), mode, rename: rename(), content: inline(), file: file.clone() };
    let changes = vec![
        TreeChange::PutFile(put(WriteMode::Add)),
        TreeChange::PutFile(put(WriteMode::Overwrite)),
        TreeChange::PutFile(put(WriteMode::Update { rev: 300 })),
        TreeChange::PutFile(put(WriteMode::Replace(WriteCondition::MustNotExist))),
        TreeChange::CreateFolder { path: path(), rename: None },
        TreeChange::Move { from: At::Entry(EntryId(300)), to: path(), rename: rename() },
        TreeChange::Copy { from: at(), rev: Some(300), to: path(), rename: None },
        TreeChange::Trash { at: at(), expected_rev: Some(300) },
        TreeChange::Untrash { trashed: 300, to: Some(path()), rename: None },
        TreeChange::Purge { trashed: 300, limit: 1_000 },
        TreeChange::Restore { entry: EntryId(7), rev: 300 },
        TreeChange::MarkRevision { entry: EntryId(7), rev: 300, keep: Some(true), label: Some("final".to_owned()) },
        TreeChange::RemoveRevision { entry: EntryId(7), rev: 300 },
        TreeChange::CreateSession(CreateSession {
            session: UPLOAD,
            kind: SessionKind::Concurrent,
            bytes: Some(70_000),
            details: Bytes::from_static(b"details"),
            expires_ms: 1_790_600_000_000,
        }),
        TreeChange::AppendSession(AppendSession {
            session: UPLOAD,
            offset: 300,
            part: NewPart { number: 0, content: inline(), md5: [0xBB; 16], checksum: None },
            state: Bytes::from_static(b"state"),
            expires_ms: 1_790_600_000_000,
            close: true,
        }),
        TreeChange::FinishSession(FinishSession {
            session: UPLOAD,
            path: path(),
            mode: WriteMode::Add,
            rename: None,
            bytes: 70_000,
            file: file.clone(),
        }),
        TreeChange::AbortSession { session: UPLOAD },
        TreeChange::CompleteUpload(CompleteFile {
            path: path(),
            key: "A/b.txt".to_owned(),
            upload: UPLOAD,
            mode: WriteMode::Replace(WriteCondition::MustExist),
            rename: None,
            parts: vec![PartReference { number: 1, md5: [0xBB; 16], checksum: None }],
            checksum: Some(checksum()),
            checksum_type: Some(ChecksumType::FullObject),
            expected_bytes: Some(300),
            client_modified_ms: None,
        }),
        TreeChange::CreateLink { link: link(LinkRole::View) },
        TreeChange::UpdateLink {
            link: LinkId([0x99; 16]),
            update: LinkUpdate { expires_ms: Some(None), password: None, downloads_max: Some(Some(3)) },
        },
        TreeChange::RemoveLink { link: LinkId([0x99; 16]) },
        TreeChange::CountDownload { link: LinkId([0x99; 16]) },
        TreeChange::TrimFeed { before_ms: 1_790_000_000_000, limit: 1_000 },
        TreeChange::Delete { at: at(), expected_rev: Some(300), brake: Brake { entries: 1_000, percent: 50 } },
        TreeChange::ReleaseDevice { device: "läptop".to_owned(), allowed_until_ms: 1_790_000_000_000 },
        rewind(None),
        rewind(Some(cursor(RewindStage::Trash))),
        rewind(Some(cursor(RewindStage::Places))),
        rewind(Some(cursor(RewindStage::Arrivals))),
        rewind(Some(cursor(RewindStage::Contents))),
    ];
    let of_tree = |change| OwnerChange::Tree { bucket: BucketId(3), author: author(), quota_bytes: Some(300), change };
    let create = OwnerChange::CreateTree { name: format!("{REQUEST}--drive") };
    std::iter::once(create).chain(changes.into_iter().map(of_tree)).collect()
}
