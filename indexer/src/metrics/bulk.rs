//! The metrics of bulk requests. To add one, add a field with its help as a doc comment, and a line in
//! [`BulkMetrics::new`].

use prometheus::core::AtomicI64;
use prometheus::{
    GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Result,
};
use service::metrics::{Registry, counter, counters, counters_of, float_gauges, gauges, histogram, histograms};

use super::SharedGauge;

/// The histogram buckets of bulk request durations, in seconds: a small request takes milliseconds, one that nearly
/// times out takes half a minute.
const BULK_SECONDS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// The histogram buckets of event ages, in seconds: fine around a second, where they should be, and up to days for an
/// indexer with a backlog. The SLO of the alerts uses the 10 s bucket.
const AGE_SECONDS: &[f64] =
    &[0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 86_400.0, 604_800.0];

/// The outcomes of bulk requests.
const OUTCOMES: &[&str] = &[
    "ok",
    "partial",
    "overload",
    "server_error",
    "timed_out",
    "connection",
    "unreadable",
    "too_large",
    "bad_request",
    "doubtful",
    "blocked",
    "index_missing",
];

/// Why Elasticsearch may accept no documents until an operator fixes the cause.
const BLOCKS: &[&str] = &["index_block", "closed_index", "security", "refused", "other"];

/// The metrics of bulk requests.
#[derive(Clone, Debug)]
pub struct BulkMetrics {
    /// Bulk requests by outcome: `ok`, `partial`, `overload`, `server_error`, `timed_out`, `connection`,
    /// `unreadable`, `too_large`, `bad_request`, `doubtful`, `blocked`, `index_missing`.
    pub requests: IntCounterVec,
    /// How long bulk requests take, in seconds.
    pub duration: Histogram,
    /// The age of events when Elasticsearch acknowledges them, in seconds since the receiver accepted them.
    pub event_age: Histogram,
    /// Bytes of bulk bodies sent, before compression.
    pub sent_bytes: IntCounter,
    /// Documents that must be sent again.
    pub retried_documents: IntCounter,
    /// Documents that went into a data stream's failure store; they also become dead letters.
    pub failure_store: IntCounter,
    /// Bulk requests that may be in flight now.
    pub concurrency_limit: SharedGauge<AtomicI64>,
    /// Target size of a bulk body now, in bytes.
    pub target_bytes: SharedGauge<AtomicI64>,
    /// 0: bulk requests are sent; 1: a probe is in flight; 2: requests are held back.
    pub breaker_state: SharedGauge<AtomicI64>,
    /// 1 while Elasticsearch accepts no documents until an operator fixes the cause, by reason: `index_block`,
    /// `closed_index`, `security`, `refused`, `other`.
    pub blocked: Blocked,
    /// Doubtful documents by topic: refused, while it is not known whether they or their index are at fault.
    pub doubtful_documents: IntGaugeVec,
    /// Bytes of doubtful documents.
    pub doubtful_bytes: IntGaugeVec,
    /// How long the oldest doubtful document has been undecided, in seconds.
    pub doubtful_age: GaugeVec,
    /// Doubtful documents that were decided, by outcome: `document` (at fault, a dead letter), `accepted`.
    pub doubts_decided: IntCounterVec,
    families: Families,
}

/// The metric families from which each topic gets its own series.
#[derive(Clone, Debug)]
struct Families {
    event_age: HistogramVec,
    concurrency_limit: IntGaugeVec,
    target_bytes: IntGaugeVec,
    breaker_state: IntGaugeVec,
    blocked: IntGaugeVec,
}

/// The `blocked` gauges of one topic, by reason.
#[derive(Clone, Debug)]
pub struct Blocked {
    topic: String,
    by_reason: Vec<(&'static str, SharedGauge<AtomicI64>)>,
}

impl Blocked {
    /// Creates the gauges of `topic`. Each shows 1 while at least one index set is blocked for its reason.
    fn new(family: &IntGaugeVec, topic: &str) -> Self {
        let gauge =
            |reason: &&'static str| (*reason, SharedGauge::new(family.with_label_values(&[*reason, topic]), i64::max));
        Self { topic: topic.to_owned(), by_reason: BLOCKS.iter().map(gauge).collect() }
    }

    /// Returns the gauges as the index set `part` of the topic sets them.
    fn part(self, part: usize) -> Self {
        let by_reason = self.by_reason.iter().map(|(reason, gauge)| (*reason, gauge.part(part))).collect();
        Self { by_reason, ..self }
    }

    /// Sets why this index set is blocked, or that it is not.
    pub fn set(&self, reason: Option<&str>) {
        for (word, gauge) in &self.by_reason {
            gauge.set(i64::from(reason == Some(*word)));
        }
    }

    /// Returns the gauge for `reason`, if there is one.
    #[cfg(test)]
    pub fn of(&self, reason: &str) -> &SharedGauge<AtomicI64> {
        &self.by_reason.iter().find(|(word, _)| *word == reason).expect("a reason").1
    }

    /// Returns the topic.
    pub fn topic(&self) -> &str {
        &self.topic
    }
}

impl BulkMetrics {
    /// Returns these metrics with the gauges of `topic`: one topic must not overwrite another's state.
    #[must_use]
    pub(super) fn of_topic(self, topic: &str) -> Self {
        let families = &self.families;
        self.doubtful_documents.with_label_values(&[topic]);
        self.doubtful_bytes.with_label_values(&[topic]);
        self.doubtful_age.with_label_values(&[topic]);
        for outcome in ["document", "accepted"] {
            self.doubts_decided.with_label_values(&[topic, outcome]);
        }
        Self {
            event_age: families.event_age.with_label_values(&[topic]),
            concurrency_limit: SharedGauge::new(families.concurrency_limit.with_label_values(&[topic]), i64::min),
            target_bytes: SharedGauge::new(families.target_bytes.with_label_values(&[topic]), i64::min),
            breaker_state: SharedGauge::new(families.breaker_state.with_label_values(&[topic]), i64::max),
            blocked: Blocked::new(&families.blocked, topic),
            ..self
        }
    }

    /// Returns the same for one of the topic's index sets, by its number.
    #[must_use]
    pub(super) fn part(self, part: usize) -> Self {
        Self {
            concurrency_limit: self.concurrency_limit.part(part),
            target_bytes: self.target_bytes.part(part),
            breaker_state: self.breaker_state.part(part),
            blocked: self.blocked.part(part),
            ..self
        }
    }

    /// Registers the metrics with `registry`.
    ///
    /// # Errors
    /// When a metric of that name is already registered.
    #[expect(clippy::too_many_lines, reason = "a list, one entry a metric")]
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        let families = Families::new(registry)?;
        Ok(Self {
            requests: counters_of(
                registry,
                "penstock_indexer_bulk_requests_total",
                "Bulk requests by outcome.",
                "outcome",
                OUTCOMES,
            )?,
            duration: histogram(
                registry,
                "penstock_indexer_bulk_request_duration_seconds",
                "Time of bulk requests.",
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
                "Documents that must be sent again.",
            )?,
            failure_store: counter(
                registry,
                "penstock_indexer_failure_store_documents_total",
                "Documents that went into a data stream's failure store. Each attempt with a document counts.",
            )?,
            // Placeholders: [`BulkMetrics::of_topic`] replaces them.
            event_age: Histogram::with_opts(HistogramOpts::new("event_age", "None yet."))?,
            concurrency_limit: SharedGauge::new(IntGauge::new("concurrency_limit", "None yet.")?, i64::min),
            target_bytes: SharedGauge::new(IntGauge::new("target_bytes", "None yet.")?, i64::min),
            breaker_state: SharedGauge::new(IntGauge::new("breaker_state", "None yet.")?, i64::max),
            blocked: Blocked::new(&IntGaugeVec::new(Opts::new("blocked", "None yet."), &["reason", "topic"])?, ""),
            doubtful_documents: gauges(
                registry,
                "penstock_indexer_doubtful_documents",
                "Doubtful documents: refused, while it is not known whether they or their index are at fault.",
                &["topic"],
            )?,
            doubtful_bytes: gauges(
                registry,
                "penstock_indexer_doubtful_bytes",
                "Bytes of doubtful documents.",
                &["topic"],
            )?,
            doubtful_age: float_gauges(
                registry,
                "penstock_indexer_doubtful_oldest_seconds",
                "How long the oldest doubtful document has been undecided.",
                &["topic"],
            )?,
            doubts_decided: counters(
                registry,
                "penstock_indexer_doubts_decided_total",
                "Doubtful documents that were decided, by outcome: document (at fault), accepted.",
                &["topic", "outcome"],
            )?,
            families,
        })
    }
}

impl Families {
    fn new(registry: &Registry) -> Result<Self> {
        Ok(Self {
            event_age: histograms(
                registry,
                "penstock_indexer_event_age_seconds",
                "Age of events when Elasticsearch acknowledged them: since the receiver took them, by the record's \
                 timestamp. Excludes redriven events.",
                &["topic"],
                AGE_SECONDS,
            )?,
            concurrency_limit: gauges(
                registry,
                "penstock_indexer_concurrency_limit",
                "Bulk requests that may be in flight now.",
                &["topic"],
            )?,
            target_bytes: gauges(
                registry,
                "penstock_indexer_batch_target_bytes",
                "Target size of a bulk body now, in bytes.",
                &["topic"],
            )?,
            breaker_state: gauges(
                registry,
                "penstock_indexer_breaker_state",
                "0: bulk requests go; 1: a probe is in flight; 2: requests are held back.",
                &["topic"],
            )?,
            blocked: gauges(
                registry,
                "penstock_indexer_blocked",
                "1 while Elasticsearch accepts no documents until an operator fixes the cause, by reason.",
                &["reason", "topic"],
            )?,
        })
    }
}
