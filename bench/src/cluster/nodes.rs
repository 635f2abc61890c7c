//! Nodes: processes of one cluster, on loopback and on one drive.
//! Owns: their life, and asking them as an operator would. All of it goes when dropped.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;
use tokio::task::block_in_place;
use tokio::time::{Instant, sleep};

use super::ClusterOptions;
use crate::endpoint::Endpoint;
use crate::process::ProcessCounters;
use crate::prometheus;

const ACCESS_KEY: &str = "bench";
const SECRET_KEY: &str = "bench-secret-key";
/// Of each group.
pub const COPIES: usize = 3;
const READY_LINES_MAX: usize = 50;
/// Moving 257 groups, or a gigabyte.
const SETTLE_MAX: Duration = Duration::from_secs(240);
const POLL: Duration = Duration::from_millis(200);
const REPAIRED: &str = "onggi_repaired_chunk_bytes_total";

pub struct Nodes {
    nodes: Vec<Node>,
    binary: PathBuf,
    settings: Vec<String>,
    directory: TempDir,
}

struct Node {
    process: Option<Child>,
    data_dir: PathBuf,
    s3: String,
    web: String,
    peer: String,
}

impl Nodes {
    /// As many as asked for, with every group in its place.
    pub async fn of(options: &ClusterOptions, settings: &[String]) -> anyhow::Result<Self> {
        let (binary, directory) = (options.binary.canonicalize()?, TempDir::new_in(&options.folder)?);
        let mut nodes = Self { nodes: Vec::new(), binary, settings: settings.to_vec(), directory };
        nodes.add(None)?;
        nodes.join(usize::from(options.nodes) - 1).await?;
        Ok(nodes)
    }

    /// Returns when every group has its place.
    pub async fn join(&mut self, count: usize) -> anyhow::Result<()> {
        for _ in 0..count {
            let token = self.admin(&["token", "create"]).await?;
            let token = token["token"].as_str().context("a token")?.to_owned();
            self.add(Some(&token))?;
        }
        self.settle().await
    }

    fn add(&mut self, token: Option<&str>) -> anyhow::Result<()> {
        let free = || Ok::<_, std::io::Error>(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string());
        let data_dir = self.directory.path().join(format!("n{}", self.nodes.len() + 1));
        let mut node = Node { process: None, data_dir, s3: free()?, web: free()?, peer: free()? };
        let founder = self.nodes.first().map(|first| first.peer.clone());
        node.process = Some(self.run(&node, founder.zip(token.map(str::to_owned)))?);
        self.nodes.push(node);
        Ok(())
    }

    fn run(&self, node: &Node, join: Option<(String, String)>) -> anyhow::Result<Child> {
        let mut command = self.command();
        command.arg("server").arg("--data-dir").arg(&node.data_dir);
        command.args(["--s3-listen", &node.s3, "--web-listen", &node.web, "--peer-listen", &node.peer]);
        command.args(["--log", "warn", "--set", "observability.access_log=false", "--set", "s3.plain_http=true"]);
        for setting in &self.settings {
            command.args(["--set", setting]);
        }
        if let Some((member, token)) = join {
            command.args(["--join", &member]).env("ONGGI_JOIN_TOKEN", token);
        }
        command.stderr(File::options().create(true).append(true).open(node.data_dir.with_extension("log"))?);
        let mut process = command.stdout(Stdio::piped()).spawn().context("start a node")?;
        let stdout = process.stdout.take().context("a node's output")?;
        let mut lines = BufReader::new(stdout).lines().take(READY_LINES_MAX);
        let is_ready = block_in_place(|| lines.any(|line| line.is_ok_and(|line| line.starts_with("onggi ready "))));
        ensure!(is_ready, "a node did not start");
        Ok(process)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.env("ONGGI_ROOT_ACCESS_KEY", ACCESS_KEY).env("ONGGI_ROOT_SECRET_KEY", SECRET_KEY);
        command.current_dir(self.directory.path()).stdin(Stdio::null());
        command
    }

    pub fn count(&self) -> usize {
        self.nodes.len()
    }

    pub fn endpoints(&self, access_key: &str, secret_key: &str) -> anyhow::Result<Vec<Endpoint>> {
        let urls = self.nodes.iter().map(|node| format!("http://{access_key}:{secret_key}@{}", node.s3));
        urls.map(|url| Endpoint::parse(&url, None)).collect()
    }

    /// Through the first that runs.
    pub async fn admin(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let node = self.nodes.iter().find(|node| node.process.is_some()).context("a node that runs")?;
        let mut command = self.command();
        command.args(["admin", "--endpoint", &format!("https://{}", node.web), "--data-dir"]).arg(&node.data_dir);
        command.args(arguments).arg("--json");
        let output = block_in_place(|| command.output())?;
        ensure!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    pub fn kill(&mut self, node: usize) -> anyhow::Result<()> {
        let mut process = self.nodes[node].process.take().context("it runs")?;
        process.kill()?;
        process.wait()?;
        Ok(())
    }

    pub fn start_again(&mut self, node: usize) -> anyhow::Result<()> {
        let process = self.run(&self.nodes[node], None)?;
        self.nodes[node].process = Some(process);
        Ok(())
    }

    /// Number of the node that leads the most groups of owners.
    pub async fn most_leading(&self) -> anyhow::Result<usize> {
        let status = self.admin(&["cluster", "status"]).await?;
        let groups = status["groups"].as_array().context("groups")?;
        let leads = |node: usize| groups.iter().filter(|group| group["leader"] == node + 1).count();
        (0..self.count()).max_by_key(|node| leads(*node)).context("a node")
    }

    /// Until every group of owners has its copies and nothing moves.
    pub async fn settle(&self) -> anyhow::Result<()> {
        self.settle_where(|status| status["moves"]["groups_left"] == 0, |_| true).await
    }

    /// Until nothing is on this node any more. If it is dead, groups are to move to it when it is back: that is not waited for.
    pub async fn settle_without(&self, node: usize) -> anyhow::Result<()> {
        let is_elsewhere = |voters: &[Value]| voters.iter().all(|voter| *voter != node + 1);
        self.settle_where(|_| true, is_elsewhere).await
    }

    /// Until every group of owners has its copies, and all this is so.
    async fn settle_where(
        &self,
        is_still: impl Fn(&Value) -> bool,
        is_placed: impl Fn(&[Value]) -> bool,
    ) -> anyhow::Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < SETTLE_MAX {
            let status = self.admin(&["cluster", "status"]).await?;
            let mut owners = status["groups"].as_array().context("groups")?.iter().filter(|group| group["id"] != 0);
            let has_place = |group: &Value| {
                group["voters"].as_array().is_some_and(|voters| voters.len() == COPIES && is_placed(voters))
            };
            if is_still(&status) && owners.all(has_place) {
                return Ok(());
            }
            sleep(POLL).await;
        }
        bail!("the groups are not in their places within {SETTLE_MAX:?}")
    }

    /// That nodes which run have fetched from others since they were started.
    pub async fn repaired_bytes(&self) -> anyhow::Result<f64> {
        let mut bytes = 0.0;
        for node in self.nodes.iter().filter(|node| node.process.is_some()) {
            let authority = node.data_dir.join("tls/ca.pem");
            let web = Endpoint::parse(&format!("https://none:none@{}", node.web), Some(&authority))?;
            let samples = prometheus::scrape(&web, "/metrics").await?;
            bytes += samples.iter().filter(|(name, _)| name.starts_with(REPAIRED)).map(|(_, value)| value).sum::<f64>();
        }
        Ok(bytes)
    }

    /// Of all that run, since they started.
    pub fn cpu_seconds(&self) -> anyhow::Result<f64> {
        let running = self.nodes.iter().filter_map(|node| node.process.as_ref());
        running.map(|process| Ok(ProcessCounters::read(process.id())?.cpu_seconds)).sum()
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        for process in self.nodes.iter_mut().filter_map(|node| node.process.as_mut()) {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
