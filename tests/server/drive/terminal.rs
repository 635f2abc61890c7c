//! `onggi drive put` and `get` of a large file, killed in the middle and asked for again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Method;
use serde_json::Value;

use super::client::Client;
use crate::node::{Node, error_of};
use crate::s3_client::pattern;
use crate::sync::machine::Machine;

const PIECE: usize = 16 << 20;
const BYTES: usize = 5 * PIECE + 5;
const WAIT_MAX: Duration = Duration::from_secs(60);

/// Runs the command until `begun` and kills it; if it was done before that, it is what it is.
fn kill_once(machine: &Machine, arguments: &[&str], begun: impl Fn() -> bool) {
    let mut command = machine.command();
    let mut child = command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let start = Instant::now();
    while !begun() {
        assert!(start.elapsed() < WAIT_MAX, "{arguments:?} does not begin");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

fn run(machine: &Machine, arguments: &[&str]) {
    let output = machine.command().args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", error_of(&output));
}

fn found(folder: &Path, is_it: impl Fn(&str) -> bool) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?.map(|entry| entry.unwrap().path());
    entries.into_iter().find(|path| is_it(path.file_name().unwrap().to_str().unwrap()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_file_goes_and_comes_also_when_the_command_is_killed() {
    let node = Node::start(&[]);
    let ana = Client::of(&node, "ana").await;
    let machine = Machine::of(&node, "ana", "laptop");
    let bytes = pattern(BYTES, 4);
    machine.write("big.bin", &bytes);
    let (local, to) = (machine.at("big.bin"), machine.at("fetched"));
    let (local, to_text) = (local.to_str().unwrap(), to.to_str().unwrap());

    let put = ["put", local, "--to", "/"];
    let memory = || found(&machine.home(), |name| name.starts_with("parallel-upload-") && name.ends_with(".json"));
    kill_once(&machine, &put, || memory().is_some_and(|path| fs::metadata(path).is_ok_and(|file| file.len() > 0)));
    let memory = memory().expect("the upload is remembered");
    let remembered: Value = serde_json::from_slice(&fs::read(&memory).unwrap()).unwrap();
    let session = remembered["session"].as_str().unwrap().to_owned();
    // Killed so soon that it may have stored nothing yet.
    let range = format!("bytes {}-{}/{BYTES}", PIECE, 2 * PIECE - 1);
    let piece = Bytes::copy_from_slice(&bytes[PIECE..2 * PIECE]);
    let stored = ana.send(Method::PUT, &session, &[("content-range", &range)], piece).await;
    assert_eq!(stored.status.as_u16(), 308);
    run(&machine, &put);
    // The same upload, and nothing is left of it.
    assert_eq!(ana.send(Method::GET, &session, &[], Bytes::new()).await.ok()["finished"], true);
    assert!(!memory.exists());
    assert!(ana.get("/big.bin").await.body[..] == bytes[..]);

    let get = ["get", "/big.bin", "--to", to_text];
    let part = || found(&to, |name| name.ends_with(".onggi-part"));
    kill_once(&machine, &get, || part().is_some_and(|path| fs::metadata(path).is_ok_and(|file| file.len() > 0)));
    let part = part().expect("a part of it is there");
    assert!(!to.join("big.bin").exists());
    let length = fs::metadata(&part).unwrap().len();
    println!("when get was killed: {length} bytes");
    assert!(
        fs::read(&part).unwrap()[..] == bytes[..usize::try_from(length).unwrap()],
        "what is there is its beginning"
    );
    run(&machine, &get);
    assert!(fs::read(to.join("big.bin")).unwrap() == bytes && !part.exists());
    // Asked once more it is fetched once more.
    run(&machine, &get);
    assert!(fs::read(to.join("big.bin")).unwrap() == bytes);
}
