//! Place: where a node of a cluster lives, over several starts of it.

use std::net::TcpListener;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::node::{ACCESS_KEY, Node, SECRET_KEY, onggi};

/// Joining, electing and moving all groups takes seconds; a busy machine gets more.
const WAIT_MAX: Duration = Duration::from_secs(120);

pub struct Place {
    data_dir: PathBuf,
    /// Others have it on record.
    peer: String,
    flags: Vec<String>,
}

impl Place {
    pub fn new(directory: &TempDir, name: &str) -> Self {
        Self { data_dir: directory.path().join(name), peer: free_address(), flags: Vec::new() }
    }

    /// Of all its starts.
    pub fn with_flags(self, flags: &[&str]) -> Self {
        Self { flags: flags.iter().map(ToString::to_string).collect(), ..self }
    }

    /// From its next start on.
    pub fn change_address(&mut self) {
        self.peer = free_address();
    }

    pub fn start(&self) -> Node {
        self.run(|command| command)
    }

    /// With a token of its own.
    pub fn join(&self, member: &Node) -> Node {
        let created = member.admin_json(&["token", "create"]);
        let of = |name: &str| created[name].as_str().unwrap().to_owned();
        self.run(|command| command.args(["--join", &of("join")]).env("ONGGI_JOIN_TOKEN", of("token")))
    }

    /// What a start that must fail says.
    pub fn start_error(&self) -> String {
        let output = self.command().output().unwrap();
        assert!(!output.status.success());
        crate::node::error_of(&output)
    }

    fn run(&self, with: impl FnOnce(&mut std::process::Command) -> &mut std::process::Command) -> Node {
        let mut command = self.command();
        with(&mut command);
        Node::run(command, &self.data_dir)
    }

    fn command(&self) -> std::process::Command {
        let mut command = onggi();
        command.arg("server").arg("--data-dir").arg(&self.data_dir);
        command.args(["--s3-listen", "127.0.0.1:0", "--web-listen", "127.0.0.1:0", "--peer-listen", &self.peer]);
        command.args(["--log", "warn", "--set", "observability.access_log=false"]).args(&self.flags);
        command.env("ONGGI_ROOT_ACCESS_KEY", ACCESS_KEY).env("ONGGI_ROOT_SECRET_KEY", SECRET_KEY);
        command
    }
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// Each with a copy of every group.
pub fn three_nodes(directory: &TempDir) -> ([Place; 3], [Node; 3]) {
    let places = ["first", "second", "third"].map(|name| Place::new(directory, name));
    let first = places[0].start();
    let (second, third) = (places[1].join(&first), places[2].join(&first));
    wait_for_copies(&first, 3);
    (places, [first, second, third])
}

/// Until every group has that many.
pub fn wait_for_copies(node: &Node, copies: usize) {
    let begun = Instant::now();
    loop {
        let status = node.admin_json(&["cluster", "status"]);
        let groups = status["groups"].as_array().unwrap();
        if groups.iter().all(|group| group["voters"].as_array().unwrap().len() == copies) {
            return;
        }
        assert!(begun.elapsed() < WAIT_MAX, "not every group has {copies} copies: {status}");
        std::thread::sleep(Duration::from_millis(200));
    }
}
