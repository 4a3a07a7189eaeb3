//! `tracing`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use service::secret::Secret;

use super::redact;

mod headers;

/// `tracing`: exports traces of requests and events to a collector, if its address is set.
#[derive(Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tracing {
    /// `tracing.otlp_endpoint`: the base address of a collector that takes OTLP over HTTP; spans are posted to
    /// `/v1/traces` below it. Without it there are no traces.
    #[serde(serialize_with = "redact::optional_addresses")]
    pub otlp_endpoint: Option<String>,
    /// `tracing.sample_ratio`: the share of traces that are exported, of those that begin here; 0 to 1.
    pub sample_ratio: f64,
    /// `tracing.service_name`: the service that spans are of; by default `penstock-receiver` or `penstock-indexer`.
    pub service_name: Option<String>,
    /// `tracing.headers`: headers for the collector, by name.
    pub headers: BTreeMap<String, Secret>,
    /// `tracing.headers_file`: a file with more headers, `name: value`, one per line. Read at start.
    pub headers_file: Option<PathBuf>,
    /// `tracing.ca_file`: a PEM file with authorities to accept in addition to the public ones. Read at start.
    pub ca_file: Option<PathBuf>,
    /// `tracing.timeout`: time limit of one request to the collector.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
}

impl Default for Tracing {
    fn default() -> Self {
        Self {
            otlp_endpoint: None,
            sample_ratio: 1.0,
            service_name: None,
            headers: BTreeMap::new(),
            headers_file: None,
            ca_file: None,
            timeout: Duration::from_secs(10),
        }
    }
}

impl fmt::Debug for Tracing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        redact::debug(self, f)
    }
}
