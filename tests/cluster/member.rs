//! Member: one node of a cluster: a place that stays the same over starts, and the process while it runs.

use std::fs::{File, OpenOptions};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;

use crate::clock::Clock;
use crate::drive::{Drive, allocate, fill};
use crate::network::Network;
use crate::node::{ACCESS_KEY, Node, SECRET_KEY, error_of, onggi};

/// Holds its reserve and what a long run stores. Sparse.
const DRIVE_BYTES: u64 = 16 << 30;
/// What is left when new objects are refused, and deletes are not yet.
const NEARLY_FULL_BYTES: u64 = 800 << 20;
/// What a process had begun to sync when it was paused is on the drive by then.
const SYNCS_MAX: Duration = Duration::from_millis(300);

/// What a fleet is made of.
#[derive(Clone, Copy)]
pub struct Kit {
    /// With drives of their own, that can be full or lose power, and clocks that can be wrong.
    pub is_equipped: bool,
    /// Of each process.
    pub drives: usize,
    /// Of owners, to begin with.
    pub groups: u32,
}

impl Kit {
    pub const PLAIN: Self = Self { is_equipped: false, drives: 1, groups: 16 };
    pub const EQUIPPED: Self = Self { is_equipped: true, ..Self::PLAIN };
}

/// Where a member lives.
#[derive(Clone)]
pub struct Site {
    pub directory: PathBuf,
    pub network: Option<Arc<Network>>,
    pub kit: Kit,
}

pub struct Member {
    pub number: usize,
    site: Site,
    /// None if it shares the machine's drive.
    drives: Vec<Drive>,
    clock: Option<Clock>,
    data_dirs: Vec<PathBuf>,
    log: PathBuf,
    /// `host:port`, as clients reach it.
    pub s3: String,
    peer: String,
    web: String,
    running: Option<Node>,
    pub is_paused: bool,
    /// A drive has lost its power while the process goes on.
    has_failed_drive: bool,
}

impl Member {
    /// Not started yet.
    pub fn new(number: usize, site: Site) -> Self {
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let (s3, peer, web) = match &site.network {
            Some(network) => {
                network.add(number);
                let at = |port: u16| format!("{}:{port}", network.address(number));
                (at(9000), at(9002), "127.0.0.1:9001".to_owned())
            }
            None => (free(), free(), free()),
        };
        let of_this = |name: &str| site.directory.join(format!("node-{number}{name}"));
        let Kit { is_equipped, drives: count, .. } = site.kit;
        let mounts = if is_equipped { count } else { 0 };
        let drives: Vec<Drive> = (0..mounts).map_while(|_| Drive::new(DRIVE_BYTES)).collect();
        let clock = is_equipped.then(|| Clock::new(of_this(".clock"))).flatten();
        let data_dir = |at: usize| match drives.get(at) {
            Some(drive) => drive.path().join("data"),
            None => of_this(&format!("-data-{at}")),
        };
        let (data_dirs, log) = ((0..count).map(data_dir).collect(), of_this(".log"));
        let (running, is_paused, has_failed_drive) = (None, false, false);
        Self { number, site, drives, clock, data_dirs, log, s3, peer, web, running, is_paused, has_failed_drive }
    }

    /// Waits until it is ready. `join` is a member's address and a token.
    pub fn start(&mut self, join: Option<(&str, &str)>) {
        self.running = Some(Node::run(self.server(join), &self.data_dirs[0]));
        self.is_paused = false;
    }

    /// What it says on standard error when it does not want to start.
    pub fn start_refused(&self) -> String {
        let output = self.server(None).stderr(std::process::Stdio::piped()).output().unwrap();
        assert!(!output.status.success(), "node {} ended as if it had been told to", self.number);
        error_of(&output)
    }

    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    pub fn kill(&mut self) {
        self.resume();
        if let Some(node) = self.running.take() {
            let process = node.id();
            node.kill();
            Clock::forget(process);
        }
    }

    /// All that was not synced is gone. Killed first: a machine without power reports no failed drive. `false`: it shares the machine's
    /// drive.
    pub fn lose_power(&mut self) -> bool {
        self.kill();
        self.drives.iter().for_each(Drive::lose_power);
        self.drives.iter().for_each(Drive::regain_power);
        !self.drives.is_empty()
    }

    /// The last one of several fails; the process goes on with the others. `false`: it has no other.
    pub fn fail_drive(&mut self) -> bool {
        if self.drives.len() < 2 {
            return false;
        }
        // The process holds still meanwhile: a sync that is under way when ext4 is shut down is answered as a success, though nothing of it is
        // kept (docs/bug-ledger.md), and a drive that fails tells no such lies.
        self.pause();
        std::thread::sleep(SYNCS_MAX);
        self.drives[self.drives.len() - 1].lose_power();
        self.resume();
        self.has_failed_drive = true;
        true
    }

    pub fn stop(&mut self) {
        self.resume();
        if let Some(node) = self.running.take() {
            let process = node.id();
            assert!(node.terminate().success(), "node {} did not stop cleanly", self.number);
            Clock::forget(process);
        }
    }

    pub fn pause(&mut self) {
        if let Some(node) = &self.running {
            node.signal(Signal::STOP);
            self.is_paused = true;
        }
    }

    pub fn resume(&mut self) {
        if let Some(node) = self.running.as_ref().filter(|_| std::mem::take(&mut self.is_paused)) {
            node.signal(Signal::CONT);
        }
    }

    /// `false`: it shares the machine's drive.
    pub fn fill_drive(&self, to_the_last_byte: bool) -> bool {
        let Some(drive) = self.drives.first() else { return false };
        let free = rustix::fs::statvfs(drive.path()).unwrap();
        let free_bytes = free.f_bavail * free.f_frsize;
        match to_the_last_byte {
            true => fill(&self.ballast(drive)),
            false => allocate(&self.ballast(drive), free_bytes.saturating_sub(NEARLY_FULL_BYTES)),
        }
        true
    }

    /// `false`: it has the machine's clock.
    pub fn set_clock(&self, seconds: i32) -> bool {
        self.clock.as_ref().map(|clock| clock.set(seconds)).is_some()
    }

    pub fn make_whole(&mut self) {
        self.resume();
        self.set_clock(0);
        if let Some(drive) = self.drives.first() {
            // It is there only if the drive was filled.
            let _ = std::fs::remove_file(self.ballast(drive));
        }
        if std::mem::take(&mut self.has_failed_drive) {
            self.lose_power();
        }
    }

    /// As if another disk had been put in. `keeping`: this part of the directory was copied over from a backup.
    pub fn wipe(&mut self, keeping: &str) {
        self.kill();
        for entry in std::fs::read_dir(&self.data_dirs[0]).unwrap().map(Result::unwrap) {
            let path = entry.path();
            match path.is_dir() {
                _ if entry.file_name() == keeping => {}
                true => std::fs::remove_dir_all(path).unwrap(),
                false => std::fs::remove_file(path).unwrap(),
            }
        }
    }

    /// The JSON of an `onggi admin` command; the error is what it printed.
    pub fn admin(&self, arguments: &[&str]) -> Result<serde_json::Value, String> {
        let output = self.admin_command(arguments).output().unwrap();
        if !output.status.success() {
            return Err(error_of(&output));
        }
        Ok(serde_json::from_slice(&output.stdout).unwrap())
    }

    pub fn admin_command(&self, arguments: &[&str]) -> Command {
        let mut command = self.program();
        command.args(["admin", "--endpoint", &format!("https://{}", self.web), "--data-dir"]).arg(&self.data_dirs[0]);
        command.args(arguments).arg("--json");
        command
    }

    fn server(&self, join: Option<(&str, &str)>) -> Command {
        let mut command = self.program();
        command.arg("server");
        for data_dir in &self.data_dirs {
            command.arg("--data-dir").arg(data_dir);
        }
        command.args(["--set", &format!("cluster.groups={}", self.site.kit.groups)]);
        command.args(["--s3-listen", &self.s3, "--peer-listen", &self.peer, "--web-listen", &self.web]);
        command.args(["--log", "warn", "--set", "observability.access_log=false", "--set", "s3.plain_http=true"]);
        // What was freed goes soon: a sweep that takes too much shall be seen.
        command.args(["--set", "storage.sweep_grace=30s", "--set", "storage.sweep_interval=7s"]);
        if let Some((member, token)) = join {
            command.args(["--join", member]).env("ONGGI_JOIN_TOKEN", token);
        }
        if let Some(clock) = &self.clock {
            clock.rule(&mut command);
        }
        command.stderr(self.open_log());
        command
    }

    /// The binary, in its namespace.
    fn program(&self) -> Command {
        let mut command = onggi();
        if let Some(network) = &self.site.network {
            // Not `ip netns exec`, which copies all mounts: a drive could not be unmounted while another member runs.
            let mut inside = Command::new("nsenter");
            inside.arg(format!("--net=/run/netns/{}", network.space(self.number))).arg(command.get_program());
            for (name, _) in command.get_envs().filter(|(_, value)| value.is_none()) {
                inside.env_remove(name);
            }
            inside.current_dir(std::env::temp_dir()).stdin(std::process::Stdio::null());
            command = inside;
        }
        command.env("ONGGI_ROOT_ACCESS_KEY", ACCESS_KEY).env("ONGGI_ROOT_SECRET_KEY", SECRET_KEY);
        command
    }

    fn ballast(&self, drive: &Drive) -> PathBuf {
        drive.path().join("ballast")
    }

    fn open_log(&self) -> File {
        OpenOptions::new().create(true).append(true).open(&self.log).unwrap()
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        // A paused process takes no other signal, and a drive goes only when nobody uses it.
        self.kill();
    }
}
