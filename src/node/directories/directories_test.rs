//! What the directories of a process are: new, known, lost, mixed up.

use onggi_cluster::membership::NodeIdentity;
use onggi_cluster::peer::authority::{Authority, PeerCredentials, PeerKey};
use tempfile::TempDir;

use super::*;
use crate::node::identity::NewIdentity;

const NOW_MS: u64 = 1_790_000_000_000;

struct Bed {
    directory: TempDir,
    authority: Authority,
}

impl Bed {
    fn new() -> Self {
        Self { directory: TempDir::new().unwrap(), authority: Authority::create([0xC1; 16], NOW_MS).unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn paths(&self, names: &[&str]) -> Vec<PathBuf> {
        names.iter().map(|name| self.path(name)).collect()
    }

    /// A directory of a node, and what it says of its host.
    fn member(&self, name: &str, node: u64, cluster: u8, host: Option<(u64, &[(u64, &str)])>) {
        let key = PeerKey::generate().unwrap();
        let certificate = self.authority.issue_node(NodeId(node), &key.public_key().unwrap(), NOW_MS).unwrap();
        let credentials = PeerCredentials { certificate, key, authority: self.authority.certificate().clone() };
        let files = PeerFiles::new(&self.path(name));
        files.load_or_create_key().unwrap();
        let drive = [node as u8; 16];
        let identity = NodeIdentity { node: NodeId(node), cluster: [cluster; 16], drive, credentials };
        files.keep(&NewIdentity { identity: &identity, issued_ms: NOW_MS }).unwrap();
        if let Some((host, drives)) = host {
            let known =
                |(node, name): &(u64, &str)| KnownDrive::new(NodeId(*node), [*node as u8; 16], &self.path(name));
            HostFile::new(HostId(host), drives.iter().map(known).collect()).keep(&self.path(name)).unwrap();
        }
    }

    fn sort(&self, names: &[&str]) -> Result<(Vec<PathBuf>, Vec<PathBuf>), String> {
        self.sort_replacing(names, &[])
    }

    fn sort_replacing(&self, names: &[&str], replaced: &[&str]) -> Result<(Vec<PathBuf>, Vec<PathBuf>), String> {
        let found = sort_out(&self.paths(names), &self.paths(replaced)).map_err(|error| format!("{error:#}"))?;
        Ok((found.members, found.new))
    }

    fn refused(&self, names: &[&str], why: &str) {
        let error = self.sort(names).unwrap_err();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn new_ones_are_added_to_those_that_are_members() {
    let bed = Bed::new();
    assert_eq!(bed.sort(&["a", "b"]), Ok((vec![], bed.paths(&["a", "b"]))), "the first one founds");
    bed.member("a", 1, 1, None);
    assert_eq!(bed.sort(&["a", "b"]), Ok((bed.paths(&["a"]), bed.paths(&["b"]))));
    bed.member("b", 2, 1, Some((1, &[(1, "a"), (2, "b")])));
    assert_eq!(bed.sort(&["a", "b", "c"]), Ok((bed.paths(&["a", "b"]), bed.paths(&["c"]))));
    let found = sort_out(&bed.paths(&["a", "b"]), &[]).unwrap();
    assert_eq!((found.host, found.drives.len()), (Some(HostId(1)), 2));
}

#[test]
fn a_disk_that_is_not_mounted_is_not_taken_for_a_new_one() {
    let bed = Bed::new();
    let drives: &[(u64, &str)] = &[(1, "a"), (2, "b")];
    bed.member("a", 1, 1, Some((1, drives)));
    bed.refused(&["a", "b"], "was the drive of node 2 and is empty: is its disk mounted?");
    std::fs::create_dir(bed.path("b")).unwrap();
    bed.refused(&["a", "b"], "is its disk mounted?");
    assert_eq!(bed.sort_replacing(&["a", "b"], &["b"]), Ok((bed.paths(&["a"]), bed.paths(&["b"]))));
    // Also the first one, by what the others know.
    std::fs::remove_dir_all(bed.path("a")).unwrap();
    bed.member("b", 2, 1, Some((1, drives)));
    bed.refused(&["a", "b"], "was the drive of node 1");
    // A join that was begun there, after the replacement was allowed, goes on only if it is allowed again.
    PeerFiles::new(&bed.path("a")).begin_join(&[1; 16]).unwrap();
    bed.refused(&["a", "b"], "was the drive of node 1");
    assert_eq!(bed.sort_replacing(&["a", "b"], &["a"]), Ok((bed.paths(&["b"]), bed.paths(&["a"]))));
}

#[test]
fn drives_of_others_and_copies_are_refused() {
    let bed = Bed::new();
    bed.member("a", 1, 1, None);
    bed.member("copy", 1, 1, None);
    bed.refused(&["a", "copy"], "are both the drive of node 1: one is a copy");
    bed.member("foreign", 2, 9, None);
    bed.refused(&["a", "foreign"], "belongs to another cluster");
    bed.member("other", 4, 1, Some((3, &[(3, "x"), (4, "other")])));
    bed.refused(&["a", "other"], "of host 3 and");
    std::fs::create_dir_all(bed.path("store/rocks")).unwrap();
    bed.refused(&["a", "store"], "a store of its own");
    assert!(bed.sort(&["store"]).is_ok(), "alone, it is the first drive of a host");
    PeerFiles::new(&bed.path("begun")).begin_join(&[9; 16]).unwrap();
    bed.refused(&["a", "begun"], "a join to another cluster was begun");
    assert!(bed.sort(&["begun"]).is_ok());
}

#[test]
fn one_directory_given_twice_or_in_another_is_refused() {
    let bed = Bed::new();
    std::fs::create_dir_all(bed.path("a/in")).unwrap();
    bed.refused(&["a", "a"], "are the same, or one is in the other");
    bed.refused(&["a/in", "a"], "are the same, or one is in the other");
    std::os::unix::fs::symlink(bed.path("a"), bed.path("link")).unwrap();
    bed.refused(&["link", "a"], "are the same, or one is in the other");
}

#[test]
fn a_directory_that_cannot_be_read_stops_no_other() {
    let bed = Bed::new();
    bed.member("a", 1, 1, None);
    std::fs::create_dir_all(bed.path("b/peer")).unwrap();
    crate::private_file::replace(&bed.path("b/peer/node.json"), "{").unwrap();
    let found = sort_out(&bed.paths(&["a", "b"]), &[]).unwrap();
    assert_eq!((found.members, found.new), (bed.paths(&["a"]), vec![]));
    assert!(found.failed[0].1.contains("is damaged"), "{:?}", found.failed);
    bed.refused(&["b"], "is damaged");
}
