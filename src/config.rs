//! Configuration: defaults, then `onggi.toml`, then `ONGGI_*`, then flags; the last one that speaks wins.
//! Owns: precedence, and that every problem of a start is reported at once, each with its key and the fix.
//! Does not own: what a section means to the part that it configures.

pub mod cluster;
pub mod gateway;
pub mod node;
pub mod observability;
pub mod reference;
pub mod s3;
pub mod section;
pub mod setting;
mod source;
pub mod storage;
pub mod tls;
pub mod web;

use std::path::{Path, PathBuf};

use crate::config::cluster::ClusterConfig;
use crate::config::gateway::GatewayConfig;
use crate::config::node::NodeConfig;
use crate::config::observability::ObservabilityConfig;
use crate::config::s3::S3Config;
use crate::config::section::{Key, Section};
use crate::config::source::{Assignment, DEFAULT_FILE, Source};
use crate::config::storage::StorageConfig;
use crate::config::tls::TlsConfig;
use crate::config::web::WebConfig;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    pub node: NodeConfig,
    pub s3: S3Config,
    pub web: WebConfig,
    pub tls: TlsConfig,
    pub gateway: GatewayConfig,
    pub storage: StorageConfig,
    pub cluster: ClusterConfig,
    pub observability: ObservabilityConfig,
}

/// What the process was started with.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// `--config`; without it `ONGGI_CONFIG`, and without that `./onggi.toml` if there is one.
    pub file: Option<PathBuf>,
    pub environment: Vec<(String, String)>,
    /// `(flag as typed, key path, value)`.
    pub flags: Vec<(String, String, String)>,
}

/// Everything that is wrong with the configuration, one sentence each.
#[derive(Debug, thiserror::Error)]
#[error("the configuration has {} problem(s):\n  - {}", problems.len(), problems.join("\n  - "))]
pub struct ConfigError {
    pub problems: Vec<String>,
}

impl Config {
    pub fn load(inputs: &Inputs) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let mut assignments = read_file(inputs).unwrap_or_else(|problem| {
            problems.push(problem);
            Vec::new()
        });
        let (from_environment, unknown) = source::of_environment(&Self::keys(), &inputs.environment);
        assignments.extend(from_environment);
        problems.extend(unknown);
        assignments.extend(inputs.flags.iter().map(|(flag, path, text)| Assignment {
            path: path.clone(),
            text: text.clone(),
            source: Source::Flag(flag.clone()),
        }));

        let mut config = Self::default();
        for assignment in assignments {
            if let Err(problem) = config.assign(&assignment) {
                problems.push(problem);
            }
        }
        // Values that clash are reported only once every single one is right.
        if problems.is_empty() {
            problems = config.problems();
        }
        if problems.is_empty() { Ok(config) } else { Err(ConfigError { problems }) }
    }

    /// Every key of every section, in the order of the reference page.
    pub fn keys() -> Vec<Key> {
        [
            NodeConfig::keys(),
            S3Config::keys(),
            WebConfig::keys(),
            TlsConfig::keys(),
            GatewayConfig::keys(),
            StorageConfig::keys(),
            ClusterConfig::keys(),
            ObservabilityConfig::keys(),
        ]
        .concat()
    }

    fn assign(&mut self, assignment: &Assignment) -> Result<(), String> {
        let Assignment { path, text, source } = assignment;
        let (section, key) = path.split_once('.').unwrap_or(("", path));
        let result = match section {
            NodeConfig::NAME => self.node.set(key, text),
            S3Config::NAME => self.s3.set(key, text),
            WebConfig::NAME => self.web.set(key, text),
            TlsConfig::NAME => self.tls.set(key, text),
            GatewayConfig::NAME => self.gateway.set(key, text),
            StorageConfig::NAME => self.storage.set(key, text),
            ClusterConfig::NAME => self.cluster.set(key, text),
            ObservabilityConfig::NAME => self.observability.set(key, text),
            _ => None,
        };
        match result {
            Some(result) => result.map_err(|fix| format!("`{path}` {source}: `{text}` does not parse; {fix}")),
            None => Err(format!("`{path}` {source}: there is no such key{}", nearest(path))),
        }
    }

    fn problems(&self) -> Vec<String> {
        [
            self.s3.problems(),
            self.tls.problems(),
            self.gateway.problems(),
            self.storage.problems(),
            self.cluster.problems(),
            self.same_address_twice(),
        ]
        .concat()
    }

    fn same_address_twice(&self) -> Vec<String> {
        let same = self.s3.listen == self.web.listen && self.s3.listen.port() != 0;
        let problem =
            format!("`s3.listen` and `web.listen` are both {}: give one of them another port", self.s3.listen);
        same.then_some(problem).into_iter().collect()
    }
}

fn read_file(inputs: &Inputs) -> Result<Vec<Assignment>, String> {
    let from_environment =
        inputs.environment.iter().find(|(name, _)| name == "ONGGI_CONFIG").map(|(_, path)| path.into());
    let named: Option<PathBuf> = inputs.file.clone().or(from_environment);
    let path = match &named {
        Some(path) => path.as_path(),
        None if Path::new(DEFAULT_FILE).exists() => Path::new(DEFAULT_FILE),
        None => return Ok(Vec::new()),
    };
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: cannot be read: {error}", path.display()))?;
    source::of_file(path, &text)
}

/// A hint for a key that was mistyped.
fn nearest(path: &str) -> String {
    let keys = Config::keys();
    let closest = keys.iter().map(|key| (edit_distance(&key.path(), path), key.path())).min();
    match closest {
        Some((distance, key)) if distance <= 3 => format!("; did you mean `{key}`?"),
        _ => "; see `onggi config-reference`".into(),
    }
}

/// Levenshtein's distance between two short names.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a_char) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b_char) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(a_char != *b_char);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
#[path = "config/config_test.rs"]
mod config_test;
