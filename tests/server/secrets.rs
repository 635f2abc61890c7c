//! Secrets: after a day's work with the log wide open, they stand where they must and nowhere else.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};
use tempfile::TempDir;

use crate::http::{get, s3, send, signed};
use crate::node::{ACCESS_KEY, Node, SECRET_KEY, server};

const MASTER_KEY: &str = "c0ffee11c0ffee22c0ffee33c0ffee44c0ffee55c0ffee66c0ffee77c0ffee88";

#[tokio::test]
async fn secrets_are_nowhere_but_where_they_are_kept() {
    let directory = TempDir::new().unwrap();
    let (data_dir, log) = (directory.path().join("data"), directory.path().join("log"));
    let mut command = server(&data_dir);
    command.args(["--log", "trace,openraft=error"]).stderr(File::create(&log).unwrap());
    command.env("ONGGI_ROOT_ACCESS_KEY", ACCESS_KEY).env("ONGGI_ROOT_SECRET_KEY", SECRET_KEY);
    command.env("ONGGI_MASTER_KEY", MASTER_KEY);
    let node = Node::run(command, &data_dir);

    let shown = use_everything(&node).await;
    let Shown { user_secret, join_token, answers } = shown;
    assert!(node.terminate().success());
    let raw_master_key = hex::decode(MASTER_KEY).unwrap();
    let join_token = join_token.trim_start_matches("onggi-join-");
    let secrets =
        [SECRET_KEY.as_bytes(), user_secret.as_bytes(), MASTER_KEY.as_bytes(), &raw_master_key, join_token.as_bytes()];
    let mut files = Vec::new();
    list(&data_dir, &mut files);
    assert!(files.len() > 5, "{files:?}");
    files.push(log);
    for path in files {
        let found = holds(&fs::read(&path).unwrap(), &secrets);
        assert_eq!(found, None, "secret {found:?} in {}", path.display());
    }
    assert_eq!(holds(answers.as_bytes(), &secrets), None, "in an answer");
}

/// What the first start makes is in two files that only their owner may read.
#[tokio::test]
async fn secrets_of_the_first_start_are_in_two_files() {
    let directory = TempDir::new().unwrap();
    let (data_dir, log) = (directory.path().join("data"), directory.path().join("log"));
    let mut command = server(&data_dir);
    command.args(["--log", "trace,openraft=error"]).stderr(File::create(&log).unwrap());
    let node = Node::run(command, &data_dir);
    let credentials = fs::read_to_string(data_dir.join("root-credentials")).unwrap();
    let value = |name: &str| credentials.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
    let (access_key, secret) = (value("ONGGI_ROOT_ACCESS_KEY="), value("ONGGI_ROOT_SECRET_KEY="));
    let request = signed(Method::PUT, &format!("{}/bucket", node.s3), b"", &access_key, &secret);
    assert_eq!(send(&[], request).await.unwrap().status(), StatusCode::OK);
    assert!(node.terminate().success());

    let master_key = fs::read_to_string(data_dir.join("master-key")).unwrap().trim().to_owned();
    let secrets = [secret.as_bytes(), master_key.as_bytes(), &hex::decode(&master_key).unwrap()];
    let mut files = vec![log];
    list(&data_dir, &mut files);
    let mut holders: Vec<_> = files.iter().filter(|path| holds(&fs::read(path).unwrap(), &secrets).is_some()).collect();
    holders.sort();
    assert_eq!(holders, [&data_dir.join("master-key"), &data_dir.join("root-credentials")]);
    for path in holders {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
    }
}

/// Every way that a secret takes: signatures good and bad, presigned URLs, users and keys made and listed. Gives the
/// secrets that were made, and the text of every answer but those that must show them.
async fn use_everything(node: &Node) -> Shown {
    let mut answers = String::new();
    node.admin_ok(&["user", "create", "ana"]);
    let key = node.admin_json(&["key", "create", "ana"]);
    let (access_key, secret) = (key["access_key"].as_str().unwrap(), key["secret_key"].as_str().unwrap());
    let token = node.admin_json(&["token", "create", "--zone", "rack"]);
    node.admin_ok(&["token", "list"]);
    for command in [
        ["user", "list"].as_slice(),
        &["key", "list", "ana"],
        &["bucket", "list"],
        &["status"],
        &["token", "list"],
        &["node", "list"],
        &["cluster", "status"],
    ] {
        answers += &node.admin_json(command).to_string();
    }
    for (access_key, secret) in [(access_key, secret), (ACCESS_KEY, SECRET_KEY), (access_key, SECRET_KEY)] {
        for (method, path) in [(Method::PUT, "/anas"), (Method::PUT, "/anas/key"), (Method::GET, "/anas/key")] {
            let request = signed(method, &format!("{}{path}", node.s3), b"", access_key, secret);
            answers += &String::from_utf8_lossy(send(&[], request).await.unwrap().body());
        }
    }
    assert_eq!(s3(node, Method::GET, "/", b"").await.status(), StatusCode::OK);
    let refused = node.admin_as(access_key, secret, &["user", "list"]);
    answers += &String::from_utf8_lossy(&refused.stderr);
    for page in ["/metrics", "/readyz", "/healthz", "/", "/admin/v1/users"] {
        answers += &String::from_utf8_lossy(get(node, &format!("{}{page}", node.web)).await.unwrap().body());
    }
    // Names of users and buckets are nobody's business either.
    for page in ["/metrics", "/readyz", "/healthz"] {
        let answer = get(node, &format!("{}{page}", node.web)).await.unwrap();
        let text = String::from_utf8_lossy(answer.body()).into_owned();
        for name in ["anas", ACCESS_KEY, access_key] {
            assert!(!text.contains(name), "{page} says {name}");
        }
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let join_token = token["token"].as_str().unwrap().to_owned();
    Shown { user_secret: secret.to_owned(), join_token, answers }
}

/// What was shown once, and every answer that must not repeat it.
struct Shown {
    user_secret: String,
    join_token: String,
    answers: String,
}

pub fn list(directory: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { list(&path, into) } else { into.push(path) }
    }
}

/// Which secret stands in these bytes, as it is, in hex or in base64.
pub fn holds(bytes: &[u8], secrets: &[&[u8]]) -> Option<usize> {
    secrets.iter().position(|secret| {
        let forms = [secret.to_vec(), hex::encode(secret).into_bytes(), STANDARD.encode(secret).into_bytes()];
        forms.iter().any(|form| bytes.windows(form.len()).any(|window| window == form))
    })
}
