//! Metrics of this process, and the text that Prometheus reads.
//! Owns: names, labels and units. Invariant: labels come from closed sets (operations, statuses), never from a request's
//! text, so that no client can make the set grow.

use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Seconds: from one small object served from memory to a large one over a slow line.
const SECONDS_BUCKETS: [f64; 14] =
    [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 120.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ApiLabels {
    api: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    api: &'static str,
    operation: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StatusLabels {
    api: &'static str,
    operation: &'static str,
    status: u16,
}

/// One request that ended.
pub struct Observation {
    pub api: &'static str,
    pub operation: &'static str,
    pub status: u16,
    pub elapsed: Duration,
    pub bytes_sent: u64,
}

pub struct Metrics {
    registry: Registry,
    requests: Family<StatusLabels, Counter>,
    request_seconds: Family<OperationLabels, Histogram>,
    response_bytes: Family<OperationLabels, Counter>,
    in_flight: Family<ApiLabels, Gauge>,
}

impl Metrics {
    /// `collectors`: parts that count for themselves and are asked when somebody reads.
    pub fn new(collectors: Vec<Box<dyn Collector>>) -> Self {
        let mut registry = Registry::with_prefix("onggi");
        let requests = Family::default();
        registry.register("requests", "Requests by operation and status; 499: the client left first", requests.clone());
        let request_seconds: Family<OperationLabels, Histogram> =
            Family::new_with_constructor(|| Histogram::new(SECONDS_BUCKETS));
        registry.register(
            "request_seconds",
            "Seconds from a request's headers to the last byte of its response",
            request_seconds.clone(),
        );
        let response_bytes = Family::default();
        registry.register("response_bytes", "Bytes of response bodies", response_bytes.clone());
        let in_flight = Family::default();
        registry.register("requests_in_flight", "Requests whose response has not ended", in_flight.clone());
        for collector in collectors {
            registry.register_collector(collector);
        }
        Self { registry, requests, request_seconds, response_bytes, in_flight }
    }

    pub fn request_begins(&self, api: &'static str) {
        self.in_flight.get_or_create(&ApiLabels { api }).inc();
    }

    pub fn request_ends(&self, ended: &Observation) {
        let Observation { api, operation, status, .. } = *ended;
        self.in_flight.get_or_create(&ApiLabels { api }).dec();
        self.requests.get_or_create(&StatusLabels { api, operation, status }).inc();
        let labels = OperationLabels { api, operation };
        self.request_seconds.get_or_create(&labels).observe(ended.elapsed.as_secs_f64());
        self.response_bytes.get_or_create(&labels).inc_by(ended.bytes_sent);
    }

    /// The page of `/metrics`.
    pub fn text(&self) -> String {
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            // Only a collector of our own can fail here.
            Err(error) => {
                tracing::error!(%error, "metrics not encoded");
                String::new()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_counted_with_its_bytes_and_time() {
        let metrics = Metrics::new(Vec::new());
        metrics.request_begins("s3");
        metrics.request_begins("s3");
        metrics.request_ends(&Observation {
            api: "s3",
            operation: "GetObject",
            status: 200,
            elapsed: Duration::from_millis(3),
            bytes_sent: 70,
        });
        let text = metrics.text();
        for line in [
            r#"onggi_requests_total{api="s3",operation="GetObject",status="200"} 1"#,
            r#"onggi_response_bytes_total{api="s3",operation="GetObject"} 70"#,
            r#"onggi_request_seconds_bucket{le="0.005",api="s3",operation="GetObject"} 1"#,
            r#"onggi_requests_in_flight{api="s3"} 1"#,
        ] {
            assert!(text.contains(line), "{line} not in\n{text}");
        }
    }
}
