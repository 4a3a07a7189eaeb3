//! The metrics of bulk requests. A new one is one field with its help as a doc comment, and one line in [`BulkMetrics::new`].

use prometheus::{Histogram, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry, Result};
use shared::metrics::{counter, counters, gauge, gauges, histogram};

/// The bounds of the durations of bulk requests, in seconds: a small one takes milliseconds, one that nearly times out half a minute.
const BULK_SECONDS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// The metrics of bulk requests.
#[derive(Clone, Debug)]
pub struct BulkMetrics {
    /// Bulk requests by how they ended: `ok`, `partial`, `overload`, `server_error`, `timed_out`, `connection`, `unreadable`,
    /// `too_large`, `bad_request`, `blocked`, `index_missing`.
    pub requests: IntCounterVec,
    /// How long bulk requests take, in seconds.
    pub duration: Histogram,
    /// Bytes of bulk bodies sent, before compression.
    pub sent_bytes: IntCounter,
    /// Documents that have to be sent again.
    pub retried_documents: IntCounter,
    /// Documents that went into a data stream's failure store; they are dead letters too.
    pub failure_store: IntCounter,
    /// How many bulk requests may be under way at the moment.
    pub concurrency_limit: IntGauge,
    /// How many bytes a bulk body should have at the most at the moment.
    pub target_bytes: IntGauge,
    /// 0: bulk requests go; 1: a probe is under way; 2: requests are held back.
    pub breaker_state: IntGauge,
    /// 1 while Elasticsearch lets no documents in until somebody mends it, by reason: `index_block`, `closed_index`, `security`, `other`.
    pub blocked: IntGaugeVec,
}

impl BulkMetrics {
    /// Registers them with `registry`.
    ///
    /// # Errors
    /// When one of the names is taken.
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        Ok(Self {
            requests: counters(
                registry,
                "penstock_indexer_bulk_requests_total",
                "Bulk requests by how they ended.",
                &["outcome"],
            )?,
            duration: histogram(
                registry,
                "penstock_indexer_bulk_request_duration_seconds",
                "How long bulk requests take.",
                BULK_SECONDS,
            )?,
            sent_bytes: counter(
                registry,
                "penstock_indexer_bulk_sent_bytes_total",
                "Bytes of bulk bodies sent, before compression.",
            )?,
            retried_documents: counter(
                registry,
                "penstock_indexer_retried_documents_total",
                "Documents that have to be sent again.",
            )?,
            failure_store: counter(
                registry,
                "penstock_indexer_failure_store_documents_total",
                "Documents that went into a data stream's failure store; they are dead letters too.",
            )?,
            concurrency_limit: gauge(
                registry,
                "penstock_indexer_concurrency_limit",
                "How many bulk requests may be under way at the moment.",
            )?,
            target_bytes: gauge(
                registry,
                "penstock_indexer_batch_target_bytes",
                "How many bytes a bulk body should have at the most at the moment.",
            )?,
            breaker_state: gauge(
                registry,
                "penstock_indexer_breaker_state",
                "0: bulk requests go; 1: a probe is under way; 2: requests are held back.",
            )?,
            blocked: gauges(
                registry,
                "penstock_indexer_blocked",
                "1 while Elasticsearch lets no documents in until somebody mends it, by reason.",
                &["reason"],
            )?,
        })
    }
}
