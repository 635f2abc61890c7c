//! A node that a test started: the process, its addresses, its data directory.
//! Invariant: no process outlives its test.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

const READY_MAX: Duration = Duration::from_secs(60);
const STOP_MAX: Duration = Duration::from_secs(60);

pub const ACCESS_KEY: &str = "test-root";
pub const SECRET_KEY: &str = "test-root-secret";

pub struct Node {
    child: Child,
    pub s3: String,
    pub web: String,
    /// Everything on standard output up to the ready line.
    pub greeting: String,
    data_dir: PathBuf,
    /// `None`: the directory is the test's own.
    _directory: Option<TempDir>,
}

/// The binary with nothing of the caller's own configuration; only one run of all needs `ONGGI_*`.
pub fn onggi() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onggi"));
    for (name, _) in std::env::vars() {
        if name.starts_with("ONGGI_") {
            command.env_remove(name);
        }
    }
    // A stray `onggi.toml` of the tree must not be read.
    command.current_dir(std::env::temp_dir()).stdin(Stdio::null());
    command
}

/// A server on free ports; flags and variables can be added.
pub fn server(data_dir: &Path) -> Command {
    let mut command = onggi();
    command.arg("server").arg("--data-dir").arg(data_dir);
    command.args(["--s3-listen", "127.0.0.1:0", "--web-listen", "127.0.0.1:0", "--peer-listen", "127.0.0.1:0"]);
    command
}

impl Node {
    /// In a directory of its own, with known credentials and these flags.
    pub fn start(flags: &[&str]) -> Self {
        let directory = TempDir::new().unwrap();
        let data_dir = directory.path().join("data");
        let mut node = Self::start_in(&data_dir, flags);
        node._directory = Some(directory);
        node
    }

    pub fn start_in(data_dir: &Path, flags: &[&str]) -> Self {
        let mut command = server(data_dir);
        command.args(flags).env("ONGGI_ROOT_ACCESS_KEY", ACCESS_KEY).env("ONGGI_ROOT_SECRET_KEY", SECRET_KEY);
        Self::run(command, data_dir)
    }

    /// Waits for the ready line.
    pub fn run(mut command: Command, data_dir: &Path) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || lines.map_while(Result::ok).for_each(|line| drop(sender.send(line))));
        let mut greeting = String::new();
        loop {
            let Ok(line) = receiver.recv_timeout(READY_MAX) else {
                let _ = child.kill();
                panic!("the node was not ready: {:?}\n{greeting}", child.wait());
            };
            if let Some(addresses) = line.strip_prefix("onggi ready ") {
                let of =
                    |name: &str| addresses.split(' ').find_map(|pair| pair.strip_prefix(name)).unwrap().to_string();
                let (s3, web) = (of("s3="), of("web="));
                return Self { child, s3, web, greeting, data_dir: data_dir.to_path_buf(), _directory: None };
            }
            greeting += &line;
            greeting.push('\n');
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Memory that the process has now.
    pub fn resident_mib(&self) -> usize {
        self.memory_mib("VmRSS:")
    }

    /// The most it had since `forget_peak`.
    pub fn peak_mib(&self) -> usize {
        self.memory_mib("VmHWM:")
    }

    pub fn forget_peak(&self) {
        std::fs::write(format!("/proc/{}/clear_refs", self.id()), "5").unwrap();
    }

    fn memory_mib(&self, name: &str) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().parse::<usize>().unwrap() / 1024
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// How it ended, within a bound.
    pub fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + STOP_MAX;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("the node did not end within {STOP_MAX:?}");
    }

    pub fn terminate(mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.wait()
    }

    /// As a crash: nothing is flushed.
    pub fn kill(mut self) {
        self.signal(Signal::KILL);
        self.wait();
    }

    /// Runs `onggi admin …` against this node with the root credentials.
    pub fn admin(&self, arguments: &[&str]) -> Output {
        self.admin_as(ACCESS_KEY, SECRET_KEY, arguments)
    }

    pub fn admin_as(&self, access_key: &str, secret_key: &str, arguments: &[&str]) -> Output {
        self.admin_command(access_key, secret_key, arguments).output().unwrap()
    }

    /// With this on its standard input.
    pub fn admin_input(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.admin_command(ACCESS_KEY, SECRET_KEY, arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    pub fn admin_with_input(&self, arguments: &[&str], input: &str) {
        let output = self.admin_input(arguments, input);
        assert!(output.status.success(), "{arguments:?}: {}", error_of(&output));
    }

    fn admin_command(&self, access_key: &str, secret_key: &str, arguments: &[&str]) -> Command {
        let mut command = onggi();
        command.args(["admin", "--endpoint", &self.web, "--data-dir"]).arg(&self.data_dir).args(arguments);
        command.env("ONGGI_ROOT_ACCESS_KEY", access_key).env("ONGGI_ROOT_SECRET_KEY", secret_key);
        command
    }

    /// What a command that must succeed printed.
    pub fn admin_ok(&self, arguments: &[&str]) -> String {
        let output = self.admin(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", error_of(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The JSON of a command that must succeed.
    pub fn admin_json(&self, arguments: &[&str]) -> serde_json::Value {
        let text = self.admin_ok(&[arguments, &["--json"]].concat());
        serde_json::from_str(&text).unwrap()
    }

    pub fn authority(&self) -> PathBuf {
        self.data_dir.join("tls/ca.pem")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn error_of(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
