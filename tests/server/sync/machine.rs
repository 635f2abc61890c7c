//! A machine of a user: a sign-in, and a folder that is synced with `/Docs` of the drive.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::rc::Rc;

use serde_json::Value;
use tempfile::TempDir;

use crate::drive::client::PASSWORD;
use crate::node::{Node, error_of, onggi};

const HIDDEN: &str = ".onggi-sync";

pub struct Machine {
    home: Rc<TempDir>,
    dir: PathBuf,
    name: String,
}

impl Machine {
    pub fn of(node: &Node, user: &str, name: &str) -> Self {
        let home = Rc::new(TempDir::new().unwrap());
        let dir = home.path().join("synced");
        fs::create_dir(&dir).unwrap();
        let machine = Self { home, dir, name: name.to_owned() };
        let mut login = machine.command();
        login.args(["login", &node.web, "--user", user, "--password-stdin", "--device", name, "--ca"]);
        login.arg(node.authority()).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = login.spawn().unwrap();
        child.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
        machine
    }

    /// As after a restart: the same folder, the same memory.
    pub fn with_memory_of(other: &Self) -> Self {
        Self { home: Rc::clone(&other.home), dir: other.dir.clone(), name: other.name.clone() }
    }

    /// `onggi drive`, signed in.
    pub fn command(&self) -> Command {
        let mut command = onggi();
        command.args(["drive", "--json", "--home"]).arg(self.home());
        command
    }

    /// Where the command line keeps what it remembers.
    pub fn home(&self) -> PathBuf {
        self.home.path().join("home")
    }

    pub fn sync_command(&self) -> Command {
        let mut command = self.command();
        command.arg("sync").arg(&self.dir).args(["/Docs", "--device", &self.name]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn run_sync(&self) -> Output {
        self.sync_command().arg("--once").output().unwrap()
    }

    /// What was done by a sync that must succeed.
    pub fn sync(&self) -> Value {
        let output = self.run_sync();
        assert!(output.status.success(), "{}: {}", self.name, error_of(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    pub fn watch(&self) -> Running {
        Running(self.sync_command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub fn at(&self, path: &str) -> PathBuf {
        if path.is_empty() { self.dir.clone() } else { self.dir.join(path) }
    }

    pub fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub fn read(&self, path: &str) -> Vec<u8> {
        fs::read(self.at(path)).unwrap()
    }

    /// Paths and contents; folders have none.
    pub fn tree(&self) -> BTreeMap<String, Option<Vec<u8>>> {
        let mut tree = BTreeMap::new();
        let mut folders = vec![self.dir.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(&self.dir).unwrap().to_str().unwrap().to_owned();
                if name == HIDDEN {
                    continue;
                }
                if path.is_dir() {
                    tree.insert(name, None);
                    folders.push(path);
                } else {
                    tree.insert(name, Some(fs::read(path).unwrap()));
                }
            }
        }
        tree
    }
}

/// A sync that goes on until it is dropped, and then has no time to clean up.
pub struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Bytes that look alike nowhere, the same each time.
pub fn random_bytes(seed: u64, bytes: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut contents = Vec::with_capacity(bytes + 8);
    while contents.len() < bytes {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        contents.extend_from_slice(&(state >> 11).to_le_bytes()[..6]);
    }
    contents.truncate(bytes);
    contents
}
