//! `onggi server`: starts a node and keeps it until it is told to stop.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::section::Key;
use crate::config::{Config, Inputs};
use crate::node::Node;
use crate::observability::logging;
use crate::services::Secret;

/// Every flag but `--config`, `--set`, `--join-token`, `--replace-drive` and `--welcome` is the setting of the same name; see `onggi config-reference`.
#[derive(Debug, Args)]
pub struct ServerArguments {
    /// Configuration file [default: ./onggi.toml, if it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Any setting, as SECTION.KEY=VALUE; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_pair)]
    set: Vec<(String, String)>,
    /// Directory that holds everything the node keeps; given several times, each is a drive [default: ./onggi-data]
    #[arg(long, value_name = "DIR")]
    data_dir: Vec<String>,
    /// The drive that was in this directory is lost with what is on no other: take what is there now for a new one
    #[arg(long, value_name = "DIR")]
    replace_drive: Vec<PathBuf>,
    /// Address of the S3 API [default: 127.0.0.1:9000]
    #[arg(long, value_name = "IP:PORT")]
    s3_listen: Option<String>,
    /// Serve the S3 API over HTTPS
    #[arg(long)]
    tls: bool,
    /// Region that S3 requests must be signed for [default: any]
    #[arg(long, value_name = "NAME")]
    region: Option<String>,
    /// Address of admin API, health and metrics, always HTTPS [default: 127.0.0.1:9001]
    #[arg(long, value_name = "IP:PORT")]
    web_listen: Option<String>,
    /// Address for other nodes, always mutual TLS [default: 127.0.0.1:9002]
    #[arg(long, value_name = "IP:PORT")]
    peer_listen: Option<String>,
    /// Join the cluster of this member; with a comma between them, several are tried in order
    #[arg(long, value_name = "HOST:PORT")]
    join: Option<String>,
    /// The token of `onggi admin token create`; needed at the first start only
    #[arg(long, value_name = "TOKEN", env = "ONGGI_JOIN_TOKEN", hide_env_values = true, value_parser = parse_secret)]
    join_token: Option<Secret>,
    /// The failure domain (rack, room) that this node is in
    #[arg(long, value_name = "NAME")]
    zone: Option<String>,
    /// Name of a new cluster [default: onggi]
    #[arg(long, value_name = "NAME")]
    cluster_name: Option<String>,
    /// What is logged: a level or directives [default: info]
    #[arg(long, value_name = "LEVEL")]
    log: Option<String>,
    /// text or json [default: text]
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
    /// Print how to reach the node, its root credentials included, and three commands to try
    #[arg(long)]
    welcome: bool,
}

pub async fn run(arguments: ServerArguments) -> anyhow::Result<()> {
    let (welcome, join_token) = (arguments.welcome, arguments.join_token.clone());
    let replaced = arguments.replace_drive.clone();
    let config = Config::load(&arguments.inputs(&Config::keys(), std::env::vars().collect()))?;
    logging::init(&config.observability).map_err(anyhow::Error::msg)?;
    // Before the node: a signal during a long start must stop it, too.
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for SIGINT")?;
    let mut node = tokio::select! {
        node = Node::start(config, join_token, &replaced) => node?,
        _ = terminate.recv() => return Ok(()),
        _ = interrupt.recv() => return Ok(()),
    };
    node.announce(welcome);
    tokio::select! {
        _ = terminate.recv() => tracing::info!("SIGTERM: stopping"),
        _ = interrupt.recv() => tracing::info!("SIGINT: stopping"),
        failed = node.failed() => {
            node.stop().await;
            return Err(failed);
        }
    }
    tokio::select! {
        () = node.wind_down() => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    node.stop().await;
    Ok(())
}

impl ServerArguments {
    fn inputs(self, keys: &[Key], environment: Vec<(String, String)>) -> Inputs {
        let mut data_dirs = self.data_dir.into_iter();
        let named = [
            ("--data-dir", data_dirs.next()),
            ("--s3-listen", self.s3_listen),
            ("--tls", self.tls.then(|| "true".to_string())),
            ("--region", self.region),
            ("--web-listen", self.web_listen),
            ("--peer-listen", self.peer_listen),
            ("--join", self.join),
            ("--zone", self.zone),
            ("--cluster-name", self.cluster_name),
            ("--log", self.log),
            ("--log-format", self.log_format),
        ];
        let mut flags: Vec<_> =
            self.set.into_iter().map(|(path, text)| (format!("--set {path}"), path, text)).collect();
        let more: Vec<String> = data_dirs.collect();
        if !more.is_empty() {
            flags.push(("--data-dir".to_string(), "storage.more_data_dirs".to_string(), more.join(",")));
        }
        for (flag, text) in named {
            let key = keys.iter().find(|key| key.flag == Some(flag));
            if let (Some(key), Some(text)) = (key, text) {
                flags.push((flag.to_string(), key.path(), text));
            }
        }
        Inputs { file: self.config, environment, flags }
    }
}

/// Not a setting: a secret must not stand in a file that is read for everything else.
fn parse_secret(text: &str) -> Result<Secret, String> {
    Ok(Secret::new(text))
}

fn parse_pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write SECTION.KEY=VALUE, like gateway.requests_max=500")?;
    Ok((key.to_string(), value.to_string()))
}
