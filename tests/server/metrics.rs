//! Metrics: what `/metrics` shows is what the page for operators explains, no more and no less.

use std::collections::BTreeSet;

use http::Method;

use crate::http::{get, s3};
use crate::node::Node;

const PAGE: &str = include_str!("../../docs/operations/monitor.md");

#[tokio::test]
async fn every_metric_is_explained_and_every_explained_one_exists() {
    let node = Node::start(&[]);
    // Families have no name before their first member.
    assert!(s3(&node, Method::PUT, "/bucket", b"").await.status().is_success());
    let text = get(&node, &format!("{}/metrics", node.web)).await.unwrap();
    let text = String::from_utf8_lossy(text.body()).into_owned();
    let shown: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        .map(|(name, kind)| if kind == "counter" { format!("{name}_total") } else { name.to_owned() })
        .collect();
    assert!(shown.len() > 30, "{text}");
    // Rows of tables, their first cell.
    let explained: BTreeSet<String> = PAGE
        .lines()
        .filter_map(|line| line.strip_prefix("| `onggi_")?.split_once('`'))
        .map(|(name, _)| format!("onggi_{name}"))
        .collect();
    let missing: Vec<_> = shown.difference(&explained).collect();
    let invented: Vec<_> = explained.difference(&shown).collect();
    assert!(missing.is_empty() && invented.is_empty(), "not explained: {missing:?}; not there: {invented:?}");
}
