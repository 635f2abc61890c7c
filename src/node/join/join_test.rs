//! The joiner's side, with a cluster that is played by the test.

use onggi_cluster::id::TokenId;
use onggi_cluster::metadata::command::NodeAddresses;
use onggi_cluster::peer::authority::Authority;
use tempfile::TempDir;

use super::*;
use crate::node::identity::{OpenDrive, establish};

const CLUSTER: ClusterId = [0xC1; 16];
const NOW_MS: u64 = 1_790_000_000_000;
const HOUR_MS: u64 = 3_600_000;

fn token(cluster: ClusterId) -> (Authority, JoinToken) {
    let authority = Authority::create(cluster, NOW_MS).unwrap();
    let token = TokenId([5; 16]);
    let credentials = authority.issue_join(token, NOW_MS, NOW_MS + HOUR_MS).unwrap();
    (authority, JoinToken { cluster, token, credentials })
}

fn describe(drive: DriveId) -> NewNode {
    let addresses = NodeAddresses { peer: "a:1".to_owned(), web: "a:2".to_owned(), s3: "a:3".to_owned() };
    NewNode { drive, addresses, zone: String::new(), weight: 100, release: "1".to_owned() }
}

/// The cluster's side: node 2, whatever comes.
fn admit(authority: &Authority, request: &Bytes) -> Result<Bytes> {
    let request = JoinRequest::from_bytes(request)?;
    let certificate = authority.issue_node(NodeId(2), &request.public_key, NOW_MS)?;
    let master_key = MasterKey([7; 32]);
    let cluster_name = "jar".to_owned();
    Ok(JoinResponse { node: NodeId(2), cluster_name, certificate, master_key, nodes: Vec::new() }.to_bytes())
}

async fn refused(data_dir: &Path, token: &JoinToken) -> String {
    let called = async |_: DriveId, _: Bytes| -> Result<Bytes> { bail!("the cluster was called") };
    format!("{:#}", join(data_dir, &Invited::by(token), describe, called).await.unwrap_err())
}

#[tokio::test]
async fn an_interrupted_join_goes_on_as_the_same_node() {
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().join("data");
    let (authority, token) = token(CLUSTER);
    let mut seen = Vec::new();
    for answered in [false, true] {
        let call = async |_: DriveId, request: Bytes| {
            seen.push(JoinRequest::from_bytes(&request)?);
            ensure!(answered, "the answer was lost");
            admit(&authority, &request)
        };
        let joined = join(&data_dir, &Invited::by(&token), describe, call).await;
        assert_eq!(joined.is_ok(), answered);
        assert_eq!(is_member(&data_dir).unwrap(), answered);
    }
    assert_eq!(seen[0], seen[1], "the same drive and the same key");

    // And now it starts as that node.
    assert_eq!(master_key::find(&data_dir).unwrap().unwrap(), MasterKey([7; 32]));
    let drive = onggi_storage_engine::drive::Identity { drive: seen[0].node.drive, cluster: CLUSTER };
    let recorded = onggi_cluster::membership::Recorded { authority: None, node: None, nodes: Vec::new() };
    let open = OpenDrive { identity: &drive, recorded, master_key: &MasterKey([7; 32]), now_ms: NOW_MS };
    let established = establish(&data_dir, &open).unwrap();
    assert_eq!((established.identity.node, established.founding), (NodeId(2), None));
}

#[tokio::test]
async fn a_directory_that_is_not_empty_is_not_taken() {
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path();
    drop(Drive::open(data_dir, &Environment::real(), Some(CLUSTER), Reserve::default()).unwrap());
    let error = refused(data_dir, &token(CLUSTER).1).await;
    assert!(error.contains("is in use"), "{error}");
    assert!(!data_dir.join("peer").exists(), "nothing was written");
}

#[tokio::test]
async fn a_join_that_was_begun_stays_with_its_cluster() {
    let directory = TempDir::new().unwrap();
    let first = refused(directory.path(), &token(CLUSTER).1).await;
    assert!(first.contains("the cluster was called"), "{first}");
    let other = refused(directory.path(), &token([0xC2; 16]).1).await;
    assert!(other.contains("was begun"), "{other}");
}

#[tokio::test]
async fn another_master_key_is_not_overwritten() {
    let directory = TempDir::new().unwrap();
    master_key::keep(directory.path(), &MasterKey([8; 32])).unwrap();
    let (authority, token) = token(CLUSTER);
    let call = async |_: DriveId, request: Bytes| admit(&authority, &request);
    let error = join(directory.path(), &Invited::by(&token), describe, call).await.unwrap_err().to_string();
    assert!(error.contains("is not the cluster's"), "{error}");
    assert!(!is_member(directory.path()).unwrap());
}
