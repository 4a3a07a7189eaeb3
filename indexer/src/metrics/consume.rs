//! The metrics of the consumer group and its records. To add one, add a field with its help as a doc comment, and a
//! line in [`ConsumeMetrics::new`].

use prometheus::{HistogramVec, IntCounterVec, IntGaugeVec, Result};
use service::metrics::{Registry, counters, gauges, histograms};

/// The histogram buckets of documents in a batch.
const DOCUMENTS: &[f64] = &[1.0, 5.0, 10.0, 50.0, 100.0, 250.0, 500.0, 1_000.0, 2_500.0, 5_000.0, 10_000.0];
/// The histogram buckets of bytes in a batch: powers of four from 1 KiB to 64 MiB.
const BYTES: &[f64] =
    &[1_024.0, 4_096.0, 16_384.0, 65_536.0, 262_144.0, 1_048_576.0, 4_194_304.0, 16_777_216.0, 67_108_864.0];

/// The metrics of the consumer group.
#[derive(Clone, Debug)]
pub struct ConsumeMetrics {
    /// Documents in each batch sent, by topic.
    batch_documents: HistogramVec,
    /// Bytes of each bulk body sent, by topic.
    batch_bytes: HistogramVec,
    /// Commits of offsets sent to Kafka, by topic.
    pub commits: IntCounterVec,
    /// Failed commits, by topic.
    pub commit_failures: IntCounterVec,
    /// Changes of the assignment, by topic and kind: `assigned`, `revoked`, or `lost` if the group had already given
    /// the partitions to others.
    pub rebalances: IntCounterVec,
    /// Partitions whose next record is waiting, by topic and reason: `schema`, `table`.
    pub parked: IntGaugeVec,
}

impl ConsumeMetrics {
    /// Registers the metrics with `registry`.
    ///
    /// # Errors
    /// When a metric of that name is already registered.
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        let topic = &["topic"];
        let (documents, bytes) = ("penstock_indexer_batch_documents", "penstock_indexer_batch_bytes");
        let (commits, failures) = ("penstock_indexer_commits_total", "penstock_indexer_commit_failures_total");
        let rebalances = "Changes of the assigned partitions, by kind: assigned, revoked, lost.";
        let parked = "Partitions whose next record waits now, by reason: schema, table.";
        Ok(Self {
            batch_documents: histograms(registry, documents, "Documents of a batch.", topic, DOCUMENTS)?,
            batch_bytes: histograms(registry, bytes, "Bytes of the bulk body of a batch.", topic, BYTES)?,
            commits: counters(registry, commits, "Commits of offsets that Kafka was asked for.", topic)?,
            commit_failures: counters(registry, failures, "Commits of offsets that failed.", topic)?,
            rebalances: counters(registry, "penstock_indexer_rebalances_total", rebalances, &["topic", "kind"])?,
            parked: gauges(registry, "penstock_indexer_parked_partitions", parked, &["topic", "reason"])?,
        })
    }

    /// Counts a batch of `topic` that was sent, with its documents and the bytes of its body.
    pub fn dispatched(&self, topic: &str, documents: usize, bytes: usize) {
        self.batch_documents.with_label_values(&[topic]).observe(documents as f64);
        self.batch_bytes.with_label_values(&[topic]).observe(bytes as f64);
    }

    /// Begins the series of `topic` at 0.
    pub(super) fn begin_topic(&self, topic: &str) {
        for histograms in [&self.batch_documents, &self.batch_bytes] {
            histograms.with_label_values(&[topic]);
        }
        for counters in [&self.commits, &self.commit_failures] {
            counters.with_label_values(&[topic]);
        }
        for kind in ["assigned", "revoked", "lost"] {
            self.rebalances.with_label_values(&[topic, kind]);
        }
        for reason in ["schema", "table"] {
            self.parked.with_label_values(&[topic, reason]);
        }
    }
}
