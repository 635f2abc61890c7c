//! Prometheus counters: a server's own counts (syncs, bytes, retries) before and after a run.
//! Owns: fetching and reading the text format's plain samples.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::Request;

use crate::endpoint::Endpoint;

/// Sample name with labels → value.
pub type Samples = BTreeMap<String, f64>;

pub async fn scrape(endpoint: &Endpoint, path: &str) -> anyhow::Result<Samples> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(endpoint.connect().await?).await?;
    let driver = tokio::spawn(connection);
    let request = Request::get(path).header("host", &endpoint.authority).body(Empty::<Bytes>::new())?;
    let response = sender.send_request(request).await.context("ask for metrics")?;
    ensure!(response.status().is_success(), "metrics answered {}", response.status());
    let body = response.into_body().collect().await?.to_bytes();
    drop(sender);
    driver.abort();
    Ok(parse(&String::from_utf8_lossy(&body)))
}

/// Counters that moved, by how much.
pub fn counted(before: &Samples, after: &Samples) -> Samples {
    let moved = after.iter().map(|(name, value)| (name.clone(), value - before.get(name).unwrap_or(&0.0)));
    moved.filter(|(name, value)| *value > 0.0 && is_counter(name)).collect()
}

fn is_counter(name: &str) -> bool {
    let family = name.split('{').next().unwrap_or(name);
    ["_total", "_count", "_sum"].iter().any(|suffix| family.ends_with(suffix))
}

fn parse(text: &str) -> Samples {
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples
        .filter_map(|line| {
            line.rsplit_once(' ').and_then(|(name, value)| Some((name.to_string(), value.parse().ok()?)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{counted, parse};

    #[test]
    fn only_counters_that_moved_are_reported() {
        let before = parse("# TYPE syncs counter\nsyncs_total{drive=\"a b\"} 5\nidle_total 3\nmemory_bytes 10\n");
        let after = parse("syncs_total{drive=\"a b\"} 9\nidle_total 3\nmemory_bytes 99\nnew_total 1\nbroken\n");
        let moved: Vec<_> = counted(&before, &after).into_iter().collect();
        assert_eq!(moved, [("new_total".to_string(), 1.0), ("syncs_total{drive=\"a b\"}".to_string(), 4.0)]);
    }
}
