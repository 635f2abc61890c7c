//! Metrics: what `/metrics` shows is what the page for operators explains, no more and no less; the alert rules ask for nothing else.

use std::collections::BTreeSet;

use http::Method;

use crate::http::{get, s3};
use crate::node::Node;

const PAGE: &str = include_str!("../../docs/operations/monitor.md");
const ALERTS: &str = include_str!("../../docs/operations/examples/alerts.yaml");

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
    let watched = metrics_in(ALERTS.lines().filter(|line| line.trim_start().starts_with("expr: ")));
    let unknown: Vec<_> = watched.difference(&shown).collect();
    assert!(unknown.is_empty() && watched.len() > 10, "alerts on what is not there: {unknown:?}");
    let missing: Vec<_> = shown.difference(&explained).collect();
    let invented: Vec<_> = explained.difference(&shown).collect();
    assert!(missing.is_empty() && invented.is_empty(), "not explained: {missing:?}; not there: {invented:?}");
}

/// What wakes somebody by the page has a rule.
#[test]
fn every_metric_that_wakes_somebody_has_an_alert() {
    let section = PAGE.split("## Wake somebody").nth(1).unwrap().split("\n## ").next().unwrap();
    let wakes = metrics_in(section.lines().filter_map(|line| line.split('|').nth(1)));
    let watched = metrics_in(ALERTS.split("onggi-ticket").next().unwrap().lines());
    let missing: Vec<_> = wakes.difference(&watched).collect();
    assert!(missing.is_empty() && wakes.len() >= 6, "without a rule: {missing:?} of {wakes:?}");
}

fn metrics_in<'a>(lines: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = lines.flat_map(|line| line.split(move |c| !is_part(c)));
    words.filter(|word| word.starts_with("onggi_")).map(str::to_owned).collect()
}
