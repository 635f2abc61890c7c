//! Steps in their order, and what counts as seen.

use super::{is_as_seen, new_revision, set_aside};
use crate::cli::drive::sync::disk::Disk;
use crate::cli::drive::sync::state::{Change, Pair, State};
use crate::cli::drive::sync::tree::{LocalFile, Remote, RemoteFile, RemoteItem, Stamp, Synced, SyncedItem, Tree};

fn folder(id: &str) -> Remote {
    Remote { path: String::new(), id: id.into(), item: RemoteItem::Folder }
}

fn file(id: &str, rev: &str) -> Remote {
    let file = RemoteFile { rev: rev.into(), bytes: 0, hash: None, client_modified_ms: None };
    Remote { item: RemoteItem::File(file), ..folder(id) }
}

fn tree(rows: &[(&str, Remote)]) -> Tree<Remote> {
    rows.iter().map(|(key, remote)| ((*key).to_owned(), remote.clone())).collect()
}

#[test]
fn a_folder_goes_only_with_what_was_seen_in_it() {
    let seen = tree(&[("a/b", folder("1")), ("a/c", file("2", "7"))]);
    assert!(is_as_seen(&seen, &seen));
    assert!(is_as_seen(&tree(&[("a/b", folder("1"))]), &seen), "what is gone meanwhile does not matter");
    assert!(!is_as_seen(&tree(&[("a/b", folder("1")), ("a/c", file("2", "8"))]), &seen));
    assert!(!is_as_seen(&tree(&[("a/b", folder("1")), ("a/d", file("3", "8"))]), &seen));
    assert!(!is_as_seen(&tree(&[("a/b", folder("4"))]), &seen));
    assert!(!is_as_seen(&tree(&[("a/b", file("1", "7"))]), &seen));
}

#[test]
fn what_is_set_aside_is_forgotten_first() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Disk::open(dir.path(), "laptop").unwrap();
    let pair = Pair { endpoint: "https://drive".into(), user: "ana".into(), folder: "id:1".into() };
    let state = State::open(&disk.hidden("state.redb"), &pair).unwrap();
    let synced = Synced {
        local_path: "a".into(),
        remote_path: "a".into(),
        identity: None,
        id: "id:2".into(),
        item: SyncedItem::Folder,
    };
    state.commit(&[Change::Put("a".into(), Box::new(synced))]).unwrap();
    // It cannot be renamed: as if the process ended before.
    assert!(set_aside(&disk, &state, "a", &[Change::Remove("a".into())]).is_err());
    assert_eq!(state.synced().unwrap().len(), 0);
    drop(state);
    let other = Pair { folder: "id:9".into(), ..pair };
    let refused = State::open(&disk.hidden("state.redb"), &other).err().unwrap();
    assert!(refused.to_string().contains("is synced with another folder"), "{refused}");
}

#[test]
fn an_upload_says_what_it_replaces_and_what_it_must_be() {
    let stamp = Stamp { modified_ns: 1_500_000_000, ..Stamp::default() };
    let file = LocalFile { stamp, hash: "ab".into(), hashed_ns: 0 };
    let said = |over| new_revision("/a", &file, over).unwrap().to_string();
    expect_test::expect![[r#"
        {"client_modified":"1970-01-01T00:00:01.5Z","content_hash":"ab","mode":"add","path":"/a","rev":null}
        {"client_modified":"1970-01-01T00:00:01.5Z","content_hash":"ab","mode":"update","path":"/a","rev":"7"}"#]]
    .assert_eq(&format!("{}\n{}", said(None), said(Some("7"))));
}
