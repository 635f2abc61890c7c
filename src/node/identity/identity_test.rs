//! What a data directory is, after a clean start, a crash, a lost file and a mistake.

use std::os::unix::fs::PermissionsExt;

use onggi_cluster::id::{ClusterId, DriveId, HostId};
use onggi_cluster::metadata::record::{NodeRecord, NodeState};

use super::*;

const CLUSTER: ClusterId = [0xC1; 16];
const NOW_MS: u64 = 1_790_000_000_000;

fn nothing() -> Recorded {
    Recorded { authority: None, node: None, nodes: Vec::new() }
}

fn run(data_dir: &Path, drive: DriveId, recorded: Recorded, now_ms: u64) -> Result<Established, String> {
    let identity = drive::Identity { drive, cluster: CLUSTER };
    let drive = OpenDrive { identity: &identity, recorded, master_key: &MasterKey([7; 32]), now_ms };
    establish(data_dir, &drive).map_err(|error| format!("{error:#}"))
}

#[test]
fn a_founder_stays_who_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let first = run(directory.path(), [1; 16], nothing(), NOW_MS).unwrap();
    assert_eq!(first.identity.node, NodeId(1));
    let again = run(directory.path(), [1; 16], nothing(), NOW_MS + 1).unwrap();
    assert_eq!(again.identity.credentials, first.identity.credentials);
    assert_eq!(again.founding, first.founding);
    for file in std::fs::read_dir(directory.path().join("peer")).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.path());
    }
}

#[test]
fn an_interrupted_founding_goes_on_with_the_same_authority() {
    let directory = tempfile::tempdir().unwrap();
    let first = run(directory.path(), [1; 16], nothing(), NOW_MS).unwrap();
    std::fs::remove_file(directory.path().join("peer/node.json")).unwrap();
    let again = run(directory.path(), [1; 16], nothing(), NOW_MS).unwrap();
    assert_eq!(again.founding, first.founding);
    assert_eq!(again.identity.credentials.key, first.identity.credentials.key);
}

#[test]
fn a_certificate_is_renewed_after_two_thirds_of_its_life() {
    let directory = tempfile::tempdir().unwrap();
    let first = run(directory.path(), [1; 16], nothing(), NOW_MS).unwrap();
    let recorded = || Recorded { authority: first.founding.clone(), ..nothing() };
    let certificate_at = |days: u64| {
        let now_ms = NOW_MS + days * 24 * 60 * 60 * 1000;
        run(directory.path(), [1; 16], recorded(), now_ms).unwrap().identity.credentials.certificate
    };
    assert_eq!(certificate_at(240), first.identity.credentials.certificate);
    let renewed = certificate_at(250);
    assert_ne!(renewed, first.identity.credentials.certificate);
    assert_eq!(certificate_at(250 + 240), renewed, "counted from the renewal");
}

#[test]
fn lost_files_are_made_again_from_the_records() {
    let directory = tempfile::tempdir().unwrap();
    let authority = run(directory.path(), [1; 16], nothing(), NOW_MS).unwrap().founding;
    std::fs::remove_dir_all(directory.path().join("peer")).unwrap();
    let nodes = vec![node(1, [9; 16], NodeState::Removed), node(5, [1; 16], NodeState::Active)];
    let recorded = Recorded { authority: authority.clone(), node: Some(nodes[1].clone()), nodes };
    let again = run(directory.path(), [1; 16], recorded, NOW_MS).unwrap();
    assert_eq!((again.identity.node, again.founding), (NodeId(5), None));
    assert_eq!(again.peers.into_keys().collect::<Vec<_>>(), [NodeId(5)]);
    assert_eq!(again.identity.credentials.authority, authority.unwrap().certificate);
}

fn node(node: u64, drive: DriveId, state: NodeState) -> NodeRecord {
    NodeRecord {
        node: NodeId(node),
        host: HostId(node),
        drive,
        peer_address: format!("n{node}:1"),
        web_address: "a:2".to_owned(),
        s3_address: "a:3".to_owned(),
        zone: String::new(),
        weight: 100,
        state,
        joined_ms: 1,
        release: "1".to_owned(),
    }
}

/// The file is kept with every change, records may be as old as the last flush: they count for those that the file lacks.
#[test]
fn the_others_are_known_before_the_records_are_here() {
    let directory = tempfile::tempdir().unwrap();
    run(directory.path(), [1; 16], nothing(), NOW_MS).unwrap();
    let told = [node(2, [2; 16], NodeState::Active), node(3, [3; 16], NodeState::Active)];
    PeerFiles::new(directory.path()).keep_nodes(peers_of(&told)).unwrap();
    let before = NodeRecord { peer_address: "before:1".to_owned(), ..node(2, [2; 16], NodeState::Active) };
    let recorded = Recorded { nodes: vec![before, node(4, [4; 16], NodeState::Active)], ..nothing() };
    let peers = run(directory.path(), [1; 16], recorded, NOW_MS).unwrap().peers;
    let shown: Vec<_> = peers.iter().map(|(node, entry)| format!("{} {}", node.0, entry.address)).collect();
    assert_eq!(shown, ["2 n2:1", "3 n3:1", "4 n4:1"]);
}

#[test]
fn what_must_not_start_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path();
    run(data_dir, [1; 16], nothing(), NOW_MS).unwrap();
    let refused = |drive, recorded| run(data_dir, drive, recorded, NOW_MS).err().unwrap();
    let gone = node(1, [1; 16], NodeState::Removed);
    let removed = refused([1; 16], Recorded { node: Some(gone.clone()), nodes: vec![gone], ..nothing() });
    assert!(removed.contains("node 1 was removed"), "{removed}");
    let wiped = refused([2; 16], nothing());
    assert!(wiped.contains("has the identity of node 1 but not its drive"), "{wiped}");
    std::fs::set_permissions(data_dir.join("peer/node-key.pem"), PermissionsExt::from_mode(0o644)).unwrap();
    let open = refused([1; 16], nothing());
    assert!(open.contains("chmod 600"), "{open}");
    std::fs::remove_file(data_dir.join("peer/node-key.pem")).unwrap();
    let lost = refused([1; 16], nothing());
    assert!(lost.contains("node-key.pem is missing"), "{lost}");

    std::fs::remove_dir_all(data_dir.join("peer")).unwrap();
    let stranger = refused([1; 16], Recorded { nodes: vec![node(2, [2; 16], NodeState::Active)], ..nothing() });
    assert!(stranger.contains("of which it is no member"), "{stranger}");
    PeerFiles::new(data_dir).begin_join(&CLUSTER).unwrap();
    let unfinished = refused([1; 16], nothing());
    assert!(unfinished.contains("a join was begun"), "{unfinished}");
}
