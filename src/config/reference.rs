//! The reference page of every setting (docs/configuration.md), made from the sections.
//! Invariant: a test compares the page with this text, so it cannot fall behind the code.

use std::fmt::Write;

use crate::config::Config;
use crate::config::section::{Key, Section};

const HEAD: &str = "\
# Configuration

This page is made by `onggi config-reference`; a test compares the two.

A setting comes from its default, from `onggi.toml`, from its environment variable or from a flag of `onggi server`; in this
order, the last one that speaks wins. `--config FILE` (or `ONGGI_CONFIG`) names the file, otherwise `./onggi.toml` is read if it
is there. `--set SECTION.KEY=VALUE` sets any key. Keys and variables that do not exist are errors. Sizes are written like
`64MiB`, durations like `30s`; lists are arrays in the file and separated by commas elsewhere.

```toml
data_dir = \"/var/lib/onggi\"

[s3]
listen = \"0.0.0.0:9000\"
tls = true
```

Secrets are never settings. They come from the environment only, or are made at first start:

| variable | without it |
| --- | --- |
| `ONGGI_ROOT_ACCESS_KEY`, `ONGGI_ROOT_SECRET_KEY` | made at first start, printed once, kept in `<data-dir>/root-credentials` (0600) |
| `ONGGI_MASTER_KEY` (64 hex digits), encrypts secrets at rest; the same on all nodes of a cluster | made at first start of a cluster and given to nodes that join, kept in `<data-dir>/master-key` (0600) |
| `ONGGI_JOIN_TOKEN` (or `--join-token`, which other users of the machine can see), for the first start of a node that joins | `cluster.join` is refused on a data directory that is new |
";

/// The whole page.
pub fn markdown() -> String {
    let mut page = HEAD.to_string();
    let keys = Config::keys();
    for (section, about) in sections() {
        let title = if section.is_empty() { "Above the first table".into() } else { format!("`[{section}]`") };
        let _ = write!(page, "\n## {title}\n\n{}\n\n", one_line(about));
        page.push_str("| key | default | what it does |\n| --- | --- | --- |\n");
        for key in keys.iter().filter(|key| key.section == section) {
            page.push_str(&row(key));
        }
    }
    page
}

fn sections() -> [(&'static str, &'static str); 8] {
    fn of<S: Section>() -> (&'static str, &'static str) {
        (S::NAME, S::ABOUT)
    }
    [
        of::<super::NodeConfig>(),
        of::<super::S3Config>(),
        of::<super::WebConfig>(),
        of::<super::TlsConfig>(),
        of::<super::GatewayConfig>(),
        of::<super::StorageConfig>(),
        of::<super::ClusterConfig>(),
        of::<super::ObservabilityConfig>(),
    ]
}

fn row(key: &Key) -> String {
    let default = if key.default.is_empty() { "–".into() } else { format!("`{}`", key.default) };
    let flag = key.flag.map(|flag| format!(" · `{flag}`")).unwrap_or_default();
    format!("| `{}`<br>`{}`{flag} | {default} | {} |\n", key.name, key.environment_variable(), one_line(key.about))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
