//! Scenarios that the random changes seldom meet: quota, sessions out of step, modes, ids.

use super::*;
use crate::id::LinkId;
use crate::metadata::command::PartReference;
use crate::metadata::command::tree::{CompleteFile, LinkUpdate};
use crate::metadata::outcome::EntryChanged;
use crate::metadata::record::tree::{LinkRecord, LinkRole};

fn entry(outcome: Outcome) -> EntryChanged {
    match outcome {
        Outcome::EntryChanged(changed) => changed,
        other => panic!("no entry: {other:?}"),
    }
}

fn create(session: u8, kind: SessionKind, bytes: Option<u64>) -> TreeChange {
    let session = UploadId([session; 16]);
    TreeChange::CreateSession(CreateSession { session, kind, bytes, details: Bytes::new(), expires_ms: 9_000 })
}

fn append(bed: &mut Bed, session: u8, offset: u64, bytes: u64, close: bool) -> Outcome {
    let content = bed.content(bytes);
    let part = NewPart { number: 0, content: content.clone(), md5: [0; 16], checksum: None };
    let session = UploadId([session; 16]);
    let change = AppendSession { session, offset, part, state: Bytes::new(), expires_ms: 9_000, close };
    let outcome = bed.change(TreeChange::AppendSession(change));
    if refusal(&outcome).is_none() {
        bed.stored(&content);
    }
    outcome
}

fn finish(session: u8, at: &str, bytes: u64) -> TreeChange {
    let session = UploadId([session; 16]);
    TreeChange::FinishSession(FinishSession {
        session,
        path: path(at),
        mode: WriteMode::Add,
        rename: None,
        bytes,
        file: file(7),
    })
}

#[test]
fn ids_survive_moves_and_revisions_name_their_seq() {
    let mut bed = Bed::new();
    let first = entry(bed.put("a/x.txt", WriteMode::Add, false, 1));
    let second = entry(bed.put("a/X.TXT", WriteMode::Overwrite, false, 2));
    assert_eq!(first.entry.id, second.entry.id);
    assert_eq!(second.path, "/a/x.txt", "the first spelling stays");
    let moved = bed.change(TreeChange::Move { from: At::Entry(first.entry.id), to: path("b/y"), rename: None });
    let moved = entry(moved);
    assert_eq!((moved.entry.id, moved.path.as_str()), (first.entry.id, "/b/y"));
    let head = &moved.entry.file().unwrap().head;
    assert_eq!(head.rev, second.entry.changed_seq, "a move makes no revision");
    let old = query::revisions(&bed.group.records, space(), first.entry.id, None, 10).unwrap();
    assert_eq!(old.iter().map(|revision| revision.rev).collect::<Vec<_>>(), [first.entry.changed_seq]);
    bed.check();
}

#[test]
fn a_stale_update_is_refused_or_stands_beside() {
    let mut bed = Bed::new();
    let first = entry(bed.put("n.txt", WriteMode::Add, false, 1));
    let rev = first.entry.file().unwrap().head.rev;
    let second = entry(bed.put("n.txt", WriteMode::Update { rev }, false, 2));
    let head = second.entry.file().unwrap().head.rev;
    let stale = bed.put("n.txt", WriteMode::Update { rev }, false, 3);
    assert_eq!(refusal(&stale), Some(&Refusal::StaleRevision { head }));
    assert!(
        entry(bed.put("n.txt", WriteMode::Update { rev }, false, 2)).unchanged,
        "the same contents are no conflict"
    );

    let label = name("conflicted copy laptop 2026-11-22");
    let rename = AutoRename { stem: name("n"), label, extension: name(".txt") };
    for expected in ["/n (conflicted copy laptop 2026-11-22).txt", "/n (conflicted copy laptop 2026-11-22 2).txt"] {
        let content = bed.content(40);
        let mode = WriteMode::Update { rev };
        let put = PutFile { path: path("n.txt"), mode, rename: Some(rename.clone()), content, file: file(9) };
        assert_eq!(entry(bed.change(TreeChange::PutFile(put))).path, expected);
    }
    bed.check();
}

#[test]
fn a_session_goes_on_where_it_stands_and_answers_its_end_again() {
    let mut bed = Bed::new();
    bed.change(create(1, SessionKind::Sequential, Some(500)));
    assert_eq!(append(&mut bed, 1, 0, 200, false), Outcome::SessionAppended { received: 200 });
    assert_eq!(refusal(&append(&mut bed, 1, 0, 200, false)), Some(&Refusal::IncorrectOffset { expected: 200 }));
    assert_eq!(refusal(&append(&mut bed, 1, 300, 200, false)), Some(&Refusal::IncorrectOffset { expected: 200 }));
    let early = bed.change(finish(1, "f", 200));
    assert_eq!(refusal(&early), Some(&Refusal::SizeMismatch));
    assert_eq!(append(&mut bed, 1, 200, 300, true), Outcome::SessionAppended { received: 500 });
    assert_eq!(refusal(&append(&mut bed, 1, 500, 1, false)), Some(&Refusal::SessionClosed));
    let done = entry(bed.change(finish(1, "f", 500)));
    bed.put("f", WriteMode::Overwrite, false, 3);
    let again = entry(bed.change(finish(1, "f", 500)));
    assert_eq!((again.path, again.entry), (done.path, done.entry), "the answer of the session, whatever came after");
    bed.check();
    bed.change(TreeChange::AbortSession { session: UploadId([1; 16]) });
    assert!(bed.find("f").is_some(), "forgetting a finished session leaves the file");
    bed.check();
}

#[test]
fn pieces_of_a_concurrent_session_come_in_any_order() {
    let mut bed = Bed::new();
    let step = 4 << 20;
    bed.change(create(2, SessionKind::Concurrent, None));
    append(&mut bed, 2, 2 * step, 10, false);
    append(&mut bed, 2, 0, step, false);
    assert!(matches!(refusal(&append(&mut bed, 2, 5, 10, false)), Some(Refusal::IncorrectOffset { .. })));
    assert_eq!(refusal(&bed.change(finish(2, "f", 2 * step + 10))), Some(&Refusal::SessionNotClosed));
    append(&mut bed, 2, 0, 0, true);
    let gap = bed.change(finish(2, "f", step + 10));
    assert_eq!(refusal(&gap), Some(&Refusal::SessionIncomplete { missing_at: step }));
    bed.check();

    bed.change(create(3, SessionKind::Concurrent, None));
    append(&mut bed, 3, step, 10, false);
    append(&mut bed, 3, 0, step, true);
    assert_eq!(entry(bed.change(finish(3, "f", step + 10))).path, "/f");
    bed.check();
}

#[test]
fn what_sessions_declare_is_reserved() {
    let mut bed = Bed::new();
    let quota = Some(1_000);
    let reserved = bed.change_within(quota, create(1, SessionKind::Sequential, Some(900)));
    assert_eq!(refusal(&reserved), None);
    let second = bed.change_within(quota, create(2, SessionKind::Sequential, Some(200)));
    assert_eq!(refusal(&second), Some(&Refusal::QuotaExceeded));
    let content = bed.content(200);
    let put = PutFile { path: path("p"), mode: WriteMode::Add, rename: None, content, file: file(1) };
    let put = bed.change_within(quota, TreeChange::PutFile(put));
    assert_eq!(refusal(&put), Some(&Refusal::QuotaExceeded));
    append(&mut bed, 1, 0, 500, false);
    bed.check();
    bed.change(TreeChange::AbortSession { session: UploadId([1; 16]) });
    bed.check();
    let freed = bed.change_within(quota, create(3, SessionKind::Sequential, Some(1_000)));
    assert_eq!(refusal(&freed), None);
}

#[test]
fn objects_cannot_be_written_around_the_tree() {
    let mut bed = Bed::new();
    let put = super::super::format_test::put_object(TREE, "key");
    let outcome = bed.group.commit(OwnerChange::PutObject(put));
    assert_eq!(refusal(&outcome), Some(&Refusal::WrongBucketKind));
    let versioning = crate::metadata::record::Versioning::Suspended;
    let outcome = bed.group.commit(OwnerChange::SetVersioning { bucket: TREE, versioning });
    assert_eq!(refusal(&outcome), Some(&Refusal::WrongBucketKind));
}

#[test]
fn paths_have_a_depth() {
    let mut bed = Bed::new();
    let deep = vec!["d"; query::DEPTH_MAX].join("/");
    assert_eq!(refusal(&bed.change(TreeChange::CreateFolder { path: path(&deep), rename: None })), None);
    let deeper = format!("{deep}/d");
    let outcome = bed.change(TreeChange::CreateFolder { path: path(&deeper), rename: None });
    assert_eq!(refusal(&outcome), Some(&Refusal::PathTooDeep));
}

#[test]
fn the_feed_forgets_places_that_were_left_long_ago() {
    let mut bed = Bed::new();
    for at in ["a", "b", "c"] {
        bed.put(at, WriteMode::Add, false, 1);
        bed.change(TreeChange::Trash { at: At::Path(path(at)), expected_rev: None });
    }
    let before_ms = bed.group.time_ms;
    let removed = |bed: &Bed| {
        let after = query::ChangesAfter::default();
        let page = query::changes(&bed.group.records, space(), EntryId::ROOT, true, &after, 10).unwrap();
        page.events.len()
    };
    assert_eq!(removed(&bed), 3);
    let trim = |bed: &mut Bed, limit| bed.change(TreeChange::TrimFeed { before_ms, limit });
    assert_eq!(trim(&mut bed, 1), Outcome::Purged { more: true });
    assert_eq!(removed(&bed), 2);
    bed.check();
    assert_eq!(trim(&mut bed, 100), Outcome::Purged { more: false });
    assert_eq!(removed(&bed), 1, "the last one is not older than the time given");
    let tree = query::tree(&bed.group.records, owner(), TREE).unwrap().unwrap();
    assert_eq!(tree.feed_floor, 4, "older cursors must start over");
    bed.check();
}

fn link(downloads_max: Option<u64>, expires_ms: Option<u64>, entry: EntryId) -> LinkRecord {
    LinkRecord {
        link: LinkId([5; 16]),
        secret_hash: [6; 32],
        entry,
        role: LinkRole::View,
        created_ms: 0,
        created_by: Author { user: UserId(9), device: String::new() },
        expires_ms,
        password: None,
        downloads_max,
        downloads: 7,
    }
}

#[test]
fn a_link_counts_its_downloads_and_ends() {
    let mut bed = Bed::new();
    let entry = entry(bed.put("a", WriteMode::Add, false, 1)).entry.id;
    let nowhere = bed.change(TreeChange::CreateLink { link: link(None, None, EntryId(99)) });
    assert_eq!(refusal(&nowhere), Some(&Refusal::NoSuchEntry));
    assert_eq!(bed.change(TreeChange::CreateLink { link: link(Some(1), None, entry) }), Outcome::Done);
    let stored = query::link(&bed.group.records, space(), LinkId([5; 16])).unwrap().unwrap();
    assert_eq!(
        (stored.downloads, stored.created_by.user),
        (0, UserId::ROOT),
        "what only `apply` knows is not the caller's to say"
    );

    let count = || TreeChange::CountDownload { link: LinkId([5; 16]) };
    assert_eq!(bed.change(count()), Outcome::Done);
    assert_eq!(refusal(&bed.change(count())), Some(&Refusal::LinkExpired), "the last one was given out");
    let more = LinkUpdate { downloads_max: Some(None), expires_ms: Some(Some(bed.group.time_ms + 3)), password: None };
    assert_eq!(bed.change(TreeChange::UpdateLink { link: LinkId([5; 16]), update: more }), Outcome::Done);
    assert_eq!(bed.change(count()), Outcome::Done);
    assert_eq!(refusal(&bed.change(count())), Some(&Refusal::LinkExpired), "its time is over");
    assert_eq!(bed.change(TreeChange::RemoveLink { link: LinkId([5; 16]) }), Outcome::Done);
    assert_eq!(refusal(&bed.change(count())), Some(&Refusal::NoSuchLink));
}

#[test]
fn an_upload_of_s3_becomes_a_revision_and_is_answered_again() {
    let mut bed = Bed::new();
    bed.put("d/f", WriteMode::Add, false, 1);
    let (upload, key) = (UploadId([8; 16]), "d/f".to_owned());
    let create = OwnerChange::CreateUpload {
        bucket: TREE,
        upload,
        key: key.clone(),
        headers: ObjectHeaders::default(),
        tags: Vec::new(),
        checksum: None,
    };
    bed.group.commit(create);
    let content = bed.content(300);
    bed.stored(&content);
    let part = NewPart { number: 1, content, md5: [3; 16], checksum: None };
    bed.group.commit(OwnerChange::PutPart { bucket: TREE, key: key.clone(), upload, part, quota_bytes: None });
    let complete = |condition| {
        TreeChange::CompleteUpload(CompleteFile {
            path: path("d/f"),
            key: key.clone(),
            upload,
            mode: WriteMode::Replace(condition),
            rename: None,
            parts: vec![PartReference { number: 1, md5: [3; 16], checksum: None }],
            checksum: None,
            checksum_type: None,
            expected_bytes: Some(300),
            client_modified_ms: None,
        })
    };
    let refused = bed.change(complete(WriteCondition::MustNotExist));
    assert_eq!(refusal(&refused), Some(&Refusal::PreconditionFailed));
    bed.check();
    let Outcome::ObjectWritten(written) = bed.change(complete(WriteCondition::None)) else { panic!("not written") };
    let found = bed.find("d/f").unwrap();
    let file = found.record.file().unwrap();
    assert_eq!((written.bytes, file.head.bytes, file.revisions), (300, 300, 1));
    assert_eq!(written.version.revision(), (file.head.rev, found.record.id));
    bed.check();
    assert_eq!(bed.change(complete(WriteCondition::None)), Outcome::ObjectWritten(written), "a replay");
    bed.check();
}
