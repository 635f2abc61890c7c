//! Fleet: a cluster of members: founding, joining, waiting until it is as it should be.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::alarms::alarms;
use crate::member::{Kit, Member, Site};
use crate::network::Network;

/// Joining, electing and moving all groups takes seconds; a busy machine gets more.
pub const WAIT_MAX: Duration = Duration::from_secs(240);
const POLL: Duration = Duration::from_millis(250);
const COPIES: usize = 3;

pub struct Fleet {
    // Processes end before their network does.
    pub members: Vec<Member>,
    pub network: Option<Arc<Network>>,
    /// Numbers are never used again.
    joined: usize,
    kit: Kit,
    directory: TempDir,
}

impl Fleet {
    /// One node.
    pub fn founded(kit: Kit) -> Self {
        let (directory, network) = (TempDir::new().unwrap(), Network::new().map(Arc::new));
        let mut fleet = Self { members: Vec::new(), network, joined: 0, kit, directory };
        let mut first = fleet.new_member();
        first.start(None);
        fleet.members.push(first);
        fleet
    }

    /// Returns when every group has its copies.
    pub fn of_three(kit: Kit) -> Self {
        let mut fleet = Self::founded(kit);
        (1..3).for_each(|_| fleet.join());
        fleet.wait_until_settled();
        fleet
    }

    /// One more node.
    pub fn join(&mut self) {
        let created = self.ask(&["token", "create"]);
        let mut member = self.new_member();
        member.start(Some((created["join"].as_str().unwrap(), created["token"].as_str().unwrap())));
        self.members.push(member);
    }

    fn new_member(&mut self) -> Member {
        self.joined += 1;
        let directory = self.directory.path().to_path_buf();
        Member::new(self.joined, Site { directory, network: self.network.clone(), kit: self.kit })
    }

    pub fn numbers(&self) -> Vec<usize> {
        self.members.iter().map(|member| member.number).collect()
    }

    pub fn member(&mut self, number: usize) -> &mut Member {
        self.members.iter_mut().find(|member| member.number == number).unwrap()
    }

    /// Any member that answers.
    pub fn ask(&self, arguments: &[&str]) -> Value {
        let begun = Instant::now();
        loop {
            let mut errors = Vec::new();
            for member in self.members.iter().filter(|member| member.is_running() && !member.is_paused) {
                match member.admin(arguments) {
                    Ok(answer) => return answer,
                    Err(error) => errors.push(error),
                }
            }
            assert!(begun.elapsed() < WAIT_MAX, "{arguments:?} is not answered: {errors:?}");
            sleep(POLL);
        }
    }

    /// Until no group moves, and every group of owners has as many voters as it should.
    pub fn wait_until_settled(&self) {
        self.wait("every group has three voters and stays", |status| {
            let mut owners = groups(status).filter(|group| group["id"] != 0);
            status["moves"]["groups_left"] == 0
                && owners.all(|group| group["voters"].as_array().unwrap().len() == COPIES)
        });
    }

    pub fn wait_until_available(&self) {
        self.wait("every group is available", |status| {
            groups(status).all(|group| group["available"] == true)
                && status["nodes"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .all(|node| node["state"] == "removed" || node["up"] == true)
        });
    }

    /// Until nothing is on the node any more. It may be dead.
    pub fn drain(&mut self, number: usize) {
        self.ask(&["node", "drain", &number.to_string()]);
        self.wait(&format!("node {number} is empty"), |status| {
            let node = status["nodes"].as_array().unwrap().iter().find(|node| node["id"] == number).unwrap();
            node["groups"] == 0 && node["groups_to_come"] == 0 && status["moves"]["groups_left"] == 0
        });
    }

    /// Each with the number of its users, once all members count the same: one that was away counts, for a moment, the users of a group as
    /// it was before a split.
    pub fn groups(&self) -> Vec<(u64, u64)> {
        let begun = Instant::now();
        loop {
            let awake = self.members.iter().filter(|member| member.is_running() && !member.is_paused);
            let counts: Vec<_> = awake.map(counted_groups).collect();
            if let Some(Some(first)) = counts.first()
                && counts.iter().all(|count| count.as_ref() == Some(first))
            {
                return first.clone();
            }
            assert!(begun.elapsed() < WAIT_MAX, "members do not count the same: {counts:?}");
            sleep(POLL);
        }
    }

    /// Through one node, which may fail meanwhile: what becomes of it is seen in `groups`.
    pub fn begin_split(&self, group: u64, through: usize) {
        let mut command = self.members[through].admin_command(&["group", "split", &group.to_string()]);
        std::thread::spawn(move || command.output());
    }

    pub fn wait_until_split(&self, group: u64, count: usize) {
        let begun = Instant::now();
        let mut answer = None;
        while self.groups().len() < count {
            assert!(begun.elapsed() < WAIT_MAX, "group {group} is not split: {answer:?}");
            // Refused if it is under way.
            answer = Some(self.members[0].admin(&["group", "split", &group.to_string()]));
        }
    }

    /// Of a node that is empty.
    pub fn remove(&mut self, number: usize) {
        self.ask(&["node", "remove", &number.to_string()]);
        self.member(number).kill();
        self.members.retain(|member| member.number != number);
    }

    pub fn wait(&self, what: &str, is_so: impl Fn(&Value) -> bool) {
        let begun = Instant::now();
        loop {
            let status = self.ask(&["cluster", "status"]);
            if is_so(&status) {
                return;
            }
            assert!(begun.elapsed() < WAIT_MAX, "not within {WAIT_MAX:?}: {what}\n{status:#}");
            sleep(POLL);
        }
    }

    /// Only where there is a network to cut.
    pub fn cut(&self, from: usize, to: usize) {
        if let Some(network) = &self.network {
            network.cut(from, to);
        }
    }

    /// All members run, reach each other, and have room and the right time.
    pub fn heal(&mut self) {
        if let Some(network) = &self.network {
            network.heal();
        }
        self.members.iter_mut().for_each(Member::make_whole);
        // All at once: each is ready only when a majority is there.
        scope(|scope| {
            for member in self.members.iter_mut().filter(|member| !member.is_running()) {
                scope.spawn(move || member.start(None));
            }
        });
    }

    /// Also of those that left.
    pub fn assert_no_alarms(&self) {
        let found: Vec<String> = self
            .logs()
            .flat_map(|path| {
                let log = std::fs::read_to_string(&path).unwrap();
                alarms(&log).map(|line| format!("{}: {line}", path.display())).collect::<Vec<_>>()
            })
            .collect();
        assert!(found.is_empty(), "{} alarms:\n{}", found.len(), found[..found.len().min(40)].join("\n"));
    }

    fn logs(&self) -> impl Iterator<Item = PathBuf> {
        let entries = std::fs::read_dir(self.directory.path()).unwrap().flatten();
        entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|kind| kind == "log"))
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let name = self.directory.path().file_name().unwrap().to_string_lossy().into_owned();
        let place = std::env::temp_dir().join(format!("onggi-proof{name}"));
        let _ = std::fs::create_dir_all(&place);
        for path in self.logs() {
            let _ = std::fs::copy(&path, place.join(path.file_name().unwrap()));
        }
        println!("the nodes' logs are in {}", place.display());
    }
}

fn groups(status: &Value) -> impl Iterator<Item = &Value> {
    status["groups"].as_array().unwrap().iter()
}

/// `None` if a group's users are not known there.
fn counted_groups(member: &Member) -> Option<Vec<(u64, u64)>> {
    let list = member.admin(&["group", "list"]).ok()?;
    let groups = list["groups"].as_array().unwrap().iter();
    groups.map(|group| Some((group["id"].as_u64()?, group["users"].as_u64()?))).collect()
}
