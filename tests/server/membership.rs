//! Membership as far as one node goes: it is on record, makes tokens, and refuses what would lose data.

mod drives;

use std::fs;

use tempfile::TempDir;

use crate::node::{Node, error_of, server};

#[test]
fn a_node_alone_is_on_record_as_a_cluster_of_one() {
    let node = Node::start(&["--cluster-name", "jar", "--zone", "rack-1"]);
    let status = node.admin_json(&["cluster", "status"]);
    assert_eq!(status["name"], "jar");
    let shown = &status["nodes"][0];
    assert_eq!((&shown["id"], &shown["state"], &shown["up"]), (&1.into(), &"active".into(), &true.into()));
    assert_eq!((&shown["zone"], &shown["weight"], &shown["groups"]), (&"rack-1".into(), &100.into(), &17.into()));
    assert_eq!(format!("http://{}", shown["s3_address"].as_str().unwrap()), node.s3);
    assert_eq!(format!("https://{}", shown["web_address"].as_str().unwrap()), node.web);
    let groups = status["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 17);
    assert!(groups.iter().all(|group| group["available"] == true && group["voters"][0] == 1), "{status}");
    assert_eq!(status["moves"]["groups_left"], 0);

    let table = node.admin_ok(&["cluster", "status"]);
    assert!(table.contains("nodes     1, 1 up") && table.contains("moving    nothing"), "{table}");
    assert_eq!(node.admin_ok(&["cluster", "rebalance"]).trim(), "nothing");
}

#[test]
fn tokens_are_shown_once_listed_and_revoked() {
    let node = Node::start(&[]);
    let created = node.admin_json(&["token", "create", "--expires", "30m", "--zone", "rack-2"]);
    let (id, token) = (created["id"].as_str().unwrap(), created["token"].as_str().unwrap());
    assert!(token.starts_with("onggi-join-"), "{created}");
    let text = node.admin_ok(&["token", "create"]);
    assert!(text.contains("onggi server --join ") && text.contains("ONGGI_JOIN_TOKEN=onggi-join-"), "{text}");

    let listed = node.admin_json(&["token", "list"]);
    let tokens = listed["tokens"].as_array().unwrap();
    assert_eq!(tokens.len(), 2);
    let first = tokens.iter().find(|token| token["id"] == id).unwrap();
    assert_eq!((&first["state"], &first["zone"]), (&"unused".into(), &"rack-2".into()));
    // The clock was read twice.
    let lives_ms = first["expires_ms"].as_u64().unwrap() - first["created_ms"].as_u64().unwrap();
    assert!((29 * 60 * 1000..=30 * 60 * 1000).contains(&lives_ms), "{lives_ms}");
    assert!(!listed.to_string().contains(&token[11..40]), "{listed}");

    node.admin_ok(&["token", "revoke", id]);
    assert_eq!(node.admin_json(&["token", "list"])["tokens"].as_array().unwrap().len(), 1);
    let cases: [(&[&str], &str); 5] = [
        (&["token", "revoke", id], "was revoked"),
        (&["token", "revoke", "x"], "32 hex digits"),
        (&["token", "create", "--expires", "8d"], "at most 7 days"),
        (&["token", "create", "--expires", "0s"], "at least a second"),
        (&["token", "create", "--zone", "a b"], "a zone has"),
    ];
    refused(&node, &cases);
}

#[test]
fn what_would_lose_data_is_refused() {
    let node = Node::start(&[]);
    let changed = node.admin_json(&["node", "set-weight", "1", "50"]);
    assert_eq!(changed["nodes"][0]["weight"], 50);
    node.admin_ok(&["node", "set-zone", "1", "rack-7"]);
    assert!(node.admin_ok(&["node", "list"]).contains("rack-7"));
    let cases: [(&[&str], &str); 6] = [
        (&["node", "drain", "1"], "no other active node"),
        (&["node", "remove", "1"], "does not remove itself"),
        (&["node", "remove", "2"], "no such node"),
        (&["node", "drain", "9"], "no such node"),
        (&["node", "set-weight", "1", "10001"], "a weight is"),
        (&["node", "set-zone", "1", "a b"], "a zone has"),
    ];
    refused(&node, &cases);
}

/// As after an update from a release that knew of one node only, and after a file was lost.
#[test]
fn the_identity_of_a_node_outlives_its_files_but_not_its_drive() {
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().join("data");
    let node = Node::start_in(&data_dir, &[]);
    let before = node.admin_json(&["node", "list"]);
    let drive = before["nodes"][0]["drive"].clone();
    assert!(node.terminate().success());
    let kept = fs::read_to_string(data_dir.join("peer/node-cert.pem")).unwrap();
    fs::remove_dir_all(data_dir.join("peer")).unwrap();
    let node = Node::start_in(&data_dir, &[]);
    let after = node.admin_json(&["node", "list"]);
    assert_eq!(after["nodes"].as_array().unwrap().len(), 1);
    assert_eq!(after["nodes"][0]["drive"], drive);
    assert!(node.terminate().success());
    assert_ne!(fs::read_to_string(data_dir.join("peer/node-cert.pem")).unwrap(), kept);

    // The disk was replaced, and somebody brought the old identity along.
    let other = directory.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::rename(data_dir.join("peer"), other.join("peer")).unwrap();
    let error = start_error(&other, &[]);
    assert!(error.contains("mixes two clusters"), "{error}");
}

#[test]
fn a_join_that_cannot_be_begun_says_why() {
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().join("data");
    let join = ["--join", "127.0.0.1:1"];
    let error = start_error(&data_dir, &join);
    assert!(error.contains("ONGGI_JOIN_TOKEN"), "{error}");
    let error = start_error(&data_dir, &[&join[..], &["--join-token", "nonsense"]].concat());
    assert!(error.contains("does not begin with `onggi-join-`") && !error.contains("nonsense"), "{error}");

    let node = Node::start(&[]);
    let token = node.admin_json(&["token", "create"])["token"].as_str().unwrap().to_owned();
    let cut = &token[..token.len() - 9];
    let error = start_error(&data_dir, &[&join[..], &["--join-token", cut]].concat());
    assert!(error.contains("cut or changed") && !error.contains(cut), "{error}");
    assert!(!data_dir.join("drive.json").exists(), "nothing was made");

    // A directory with a cluster of its own is not given up for another.
    let own = Node::start_in(&data_dir, &[]);
    assert!(own.terminate().success());
    fs::remove_dir_all(data_dir.join("peer")).unwrap();
    let error = start_error(&data_dir, &[&join[..], &["--join-token", &token]].concat());
    assert!(error.contains("is in use"), "{error}");
}

#[test]
fn a_second_node_joins_with_a_token_of_its_own() {
    let first = Node::start(&["--zone", "a"]);
    let directory = TempDir::new().unwrap();
    let invite = || {
        let created = first.admin_json(&["token", "create", "--zone", "b"]);
        (created["token"].as_str().unwrap().to_owned(), created["join"].as_str().unwrap().to_owned())
    };
    let (token, member) = invite();
    let start = |name: &str, token: &str, member: &str| {
        let data_dir = directory.path().join(name);
        let mut command = server(&data_dir);
        command.args(["--join", member, "--zone", "ignored"]).env("ONGGI_JOIN_TOKEN", token);
        (data_dir, command)
    };
    // The first address is nobody's: the next one is asked.
    let (data_dir, command) = start("second", &token, &format!("127.0.0.1:1,{member}"));
    let second = Node::run(command, &data_dir);
    assert!(!second.greeting.contains("secret key"), "the credentials are the cluster's: {}", second.greeting);
    // Either node is asked, with the keys of the first.
    for node in [&first, &second] {
        let nodes = node.admin_json(&["node", "list"]);
        let shown: Vec<_> = nodes["nodes"].as_array().unwrap().iter().collect();
        assert_eq!(shown.len(), 2, "{nodes}");
        assert_eq!((&shown[1]["id"], &shown[1]["zone"], &shown[1]["up"]), (&2.into(), &"b".into(), &true.into()));
        // Two are too few for copies: with three nodes there are three of each group.
        assert_eq!((&shown[0]["groups"], &shown[1]["groups"]), (&17.into(), &0.into()), "{nodes}");
    }

    let (_, mut third) = start("third", &token, &member);
    let output = third.output().unwrap();
    assert!(error_of(&output).contains("was used by node 2"), "{}", error_of(&output));
    // Started again as before, with a token that is long used up: it is what it is.
    assert!(second.terminate().success());
    let (data_dir, command) = start("second", &token, &member);
    let second = Node::run(command, &data_dir);
    assert_eq!(second.admin_json(&["status"])["node"], 2);

    refused(&second, &[(&["node", "remove", "2"], "does not remove itself")]);
    first.admin_ok(&["node", "remove", "2"]);
    let nodes = first.admin_json(&["node", "list"]);
    assert_eq!((&nodes["nodes"][1]["state"], &nodes["nodes"][1]["up"]), (&"removed".into(), &false.into()));
    refused(&first, &[(&["node", "drain", "2", "--cancel"], "was removed")]);
}

fn refused(node: &Node, cases: &[(&[&str], &str)]) {
    for (command, expected) in cases {
        let output = node.admin(command);
        assert!(!output.status.success(), "{command:?}");
        assert!(error_of(&output).contains(expected), "{command:?}: {}", error_of(&output));
    }
}

/// Of a start that must fail.
fn start_error(data_dir: &std::path::Path, flags: &[&str]) -> String {
    let output = server(data_dir).args(flags).output().unwrap();
    assert!(!output.status.success());
    error_of(&output)
}
