//! Sources: where settings come from, flattened to `(key path, text)` so that one parser serves them all.
//! Owns: reading `onggi.toml` and `ONGGI_*`, and what of it is not a setting.
//! Does not own: precedence and meaning (`config`).

use std::fmt;
use std::path::{Path, PathBuf};

use crate::config::section::Key;

/// Read when it stands in the working directory and no `--config` is given.
pub const DEFAULT_FILE: &str = "onggi.toml";

/// Variables that begin with `ONGGI_` and are no keys: secrets, and what the command line reads.
const OTHER_VARIABLES: [&str; 7] = [
    "ONGGI_CONFIG",
    "ONGGI_ENDPOINT",
    "ONGGI_CA",
    "ONGGI_ROOT_ACCESS_KEY",
    "ONGGI_ROOT_SECRET_KEY",
    "ONGGI_MASTER_KEY",
    "ONGGI_JOIN_TOKEN",
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    File(PathBuf),
    Environment(String),
    Flag(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::File(path) => write!(f, "in {}", path.display()),
            Source::Environment(variable) => write!(f, "from {variable}"),
            Source::Flag(flag) => write!(f, "from {flag}"),
        }
    }
}

/// One value on its way into the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// As `Key::path` writes it.
    pub path: String,
    pub text: String,
    pub source: Source,
}

/// Every value of a file. The problem, if the text is not TOML or a value is a table where none belongs.
pub fn of_file(path: &Path, text: &str) -> Result<Vec<Assignment>, String> {
    let table: toml::Table = toml::from_str(text).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut assignments = Vec::new();
    for (name, value) in table {
        match value {
            toml::Value::Table(section) => {
                for (key, value) in section {
                    assignments.push(assignment(path, format!("{name}.{key}"), &value)?);
                }
            }
            value => assignments.push(assignment(path, name, &value)?),
        }
    }
    Ok(assignments)
}

fn assignment(file: &Path, path: String, value: &toml::Value) -> Result<Assignment, String> {
    let text = scalar(value)
        .ok_or_else(|| format!("`{path}` in {}: write a text, a number, a truth value or a list", file.display()))?;
    Ok(Assignment { path, text, source: Source::File(file.to_path_buf()) })
}

fn scalar(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(truth) => Some(truth.to_string()),
        toml::Value::Array(items) => items.iter().map(scalar).collect::<Option<Vec<_>>>().map(|items| items.join(",")),
        toml::Value::Float(_) | toml::Value::Datetime(_) | toml::Value::Table(_) => None,
    }
}

/// Every `ONGGI_<SECTION>_<KEY>`. The problems: variables that look like a key and are none.
pub fn of_environment(keys: &[Key], variables: &[(String, String)]) -> (Vec<Assignment>, Vec<String>) {
    let mut assignments = Vec::new();
    let mut problems = Vec::new();
    for (variable, text) in variables {
        if !variable.starts_with("ONGGI_") || OTHER_VARIABLES.contains(&variable.as_str()) {
            continue;
        }
        match keys.iter().find(|key| key.environment_variable() == *variable) {
            Some(key) => assignments.push(Assignment {
                path: key.path(),
                text: text.clone(),
                source: Source::Environment(variable.clone()),
            }),
            None if !names_a_section(keys, variable) || is_service_link(variable) => {}
            None => problems.push(format!("{variable}: there is no such setting; see `onggi config-reference`")),
        }
    }
    (assignments, problems)
}

/// Whether a variable was meant for us: other programs' variables may begin with `ONGGI_`, too.
fn names_a_section(keys: &[Key], variable: &str) -> bool {
    keys.iter()
        .any(|key| variable.starts_with(&format!("ONGGI_{}_", key.section.to_uppercase())) && !key.section.is_empty())
}

/// Kubernetes gives every container such variables for a service that is called `onggi` or `onggi-…`.
fn is_service_link(variable: &str) -> bool {
    variable.ends_with("_SERVICE_HOST")
        || variable.contains("_SERVICE_PORT")
        || variable.ends_with("_PORT")
        || variable.contains("_PORT_")
}
