//! The indexer's metrics. To add one, add a field with its help as a doc comment, and a line in [`Metrics::new`].

use prometheus::core::AtomicI64;
use prometheus::{GaugeVec, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Result};
use service::metrics::{Registry, build_info, counter, counters, counters_of, float_gauges, gauges};

use crate::message::target::Route;

pub use bulk::BulkMetrics;
pub use consume::ConsumeMetrics;
pub use letters::LetterMetrics;
pub use placement::PlacementMetrics;
pub use shared_gauge::SharedGauge;
pub use verify::VerifyMetrics;

mod bulk;
mod consume;
mod letters;
mod placement;
mod shared_gauge;
mod verify;

/// Converts `number` to the value of a gauge.
pub(crate) fn as_i64(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// All metrics of one indexer.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// Records taken from Kafka.
    pub consumed: IntCounter,
    /// Documents by outcome: `indexed`, `duplicate`, `refused`.
    pub documents: IntCounterVec,
    /// Bytes of records and documents held: being filled, in flight, waiting to be sent again.
    pub held_bytes: IntGaugeVec,
    /// 1 while consuming is paused because the memory limit is reached, else 0.
    pub paused: IntGaugeVec,
    /// 1 while the fuse of a topic's dead letters has blown, else 0.
    pub fuse_blown: IntGaugeVec,
    /// Records between the committed offset and the end of each assigned partition.
    pub lag: IntGaugeVec,
    /// How long the oldest unsettled record of each assigned partition has been held, or none of its unread records has
    /// been read, in seconds; 0 if there are none.
    pub oldest_unsettled: GaugeVec,
    /// Records that retention deleted before they were indexed.
    pub lost_records: IntCounterVec,
    /// Partitions that were read again from an earlier offset, by reason: `recreated`, `replaced`, `went_back`.
    pub log_resets: IntCounterVec,
    /// Partitions assigned to this indexer.
    pub assigned_partitions: IntGaugeVec,
    /// Fields that have another type in an index than in the schema.
    pub mapping_conflicts: SharedGauge<AtomicI64>,
    mapping_conflicts_by_topic: IntGaugeVec,
    /// Rules of `elasticsearch.documents.fields` that no schema has had a field for since the start, by topic.
    pub unmet_field_rules: IntGaugeVec,
    /// 1 while another index template than ours wins the names of the indices, by the name of the index and of that
    /// template.
    pub template_shadowed: IntGaugeVec,
    /// How long requests to the schema registry take, in seconds, by outcome.
    pub registry_requests: HistogramVec,
    /// Spans by outcome: `exported`, `dropped`, `failed`.
    pub spans: IntCounterVec,
    /// Metrics of bulk requests.
    pub bulk: BulkMetrics,
    /// Metrics of the consumer group.
    pub consume: ConsumeMetrics,
    /// Metrics of dead letters.
    pub letters: LetterMetrics,
    /// Metrics of placement.
    pub placement: PlacementMetrics,
    /// Metrics of ids that are already taken.
    pub verify: VerifyMetrics,
}

impl Metrics {
    /// Returns these metrics with the gauges of `topic`, whose series begin at 0.
    #[must_use]
    pub fn of_topic(mut self, topic: &str) -> Self {
        self.begin_topic(topic);
        let conflicts = self.mapping_conflicts_by_topic.with_label_values(&[topic]);
        self.mapping_conflicts = SharedGauge::new(conflicts, i64::saturating_add);
        self.bulk = self.bulk.of_topic(topic);
        self.placement = self.placement.of_topic(topic);
        self
    }

    /// Returns the same for the index set `route` of the topic: its gauges are one value with those of the others.
    #[must_use]
    pub fn of_route(mut self, route: Route) -> Self {
        let part = usize::from(route.0);
        self.mapping_conflicts = self.mapping_conflicts.part(part);
        self.bulk = self.bulk.part(part);
        self.placement = self.placement.part(part);
        self
    }

    /// Begins the series of `topic` at 0. A series that only appears with its first event shows no increase for it,
    /// so no alert would fire.
    fn begin_topic(&self, topic: &str) {
        for gauge in [&self.held_bytes, &self.paused, &self.assigned_partitions] {
            gauge.with_label_values(&[topic]).set(0);
        }
        self.consume.begin_topic(topic);
        self.letters.begin_topic(topic);
        self.verify.conflicts.with_label_values(&[topic]);
        self.lost_records.with_label_values(&[topic]);
        for reason in ["recreated", "replaced", "went_back"] {
            self.log_resets.with_label_values(&[topic, reason]);
        }
        self.placement.begin_topic(topic);
    }

    /// Registers all metrics with `registry`.
    ///
    /// # Errors
    /// When a metric of that name is already registered.
    #[expect(clippy::too_many_lines, reason = "a list, one entry a metric")]
    pub fn new(registry: &Registry) -> Result<Self> {
        build_info(registry, "penstock_indexer_build_info", env!("CARGO_PKG_VERSION"))?;
        Ok(Self {
            consumed: counter(registry, "penstock_indexer_consumed_records_total", "Records consumed from Kafka.")?,
            documents: counters_of(
                registry,
                "penstock_indexer_documents_total",
                "Documents by outcome: indexed, duplicate, refused; or dropped, by an ingest pipeline.",
                "outcome",
                &["indexed", "duplicate", "refused", "dropped"],
            )?,
            held_bytes: gauges(
                registry,
                "penstock_indexer_held_bytes",
                "Bytes of records and documents held: being filled, in flight, waiting to be sent again.",
                &["topic"],
            )?,
            // A placeholder: [`Metrics::of_topic`] replaces it.
            mapping_conflicts: SharedGauge::new(IntGauge::new("mapping_conflicts", "None yet.")?, i64::saturating_add),
            mapping_conflicts_by_topic: gauges(
                registry,
                "penstock_indexer_mapping_conflicts",
                "Fields that have another type in an index than in the schema.",
                &["topic"],
            )?,
            unmet_field_rules: gauges(
                registry,
                "penstock_indexer_unmet_field_rules",
                "Rules of elasticsearch.documents.fields that have matched no field since the start.",
                &["topic"],
            )?,
            paused: gauges(
                registry,
                "penstock_indexer_paused",
                "1 while consuming is paused because the indexer holds as much as it may, else 0.",
                &["topic"],
            )?,
            fuse_blown: gauges(
                registry,
                "penstock_indexer_fuse_blown",
                "1 while the fuse of a topic's dead letters has blown, else 0.",
                &["topic"],
            )?,
            lag: gauges(
                registry,
                "penstock_indexer_lag_records",
                "Records between the committed offset and the end of each assigned partition.",
                &["topic", "partition"],
            )?,
            oldest_unsettled: float_gauges(
                registry,
                "penstock_indexer_oldest_unsettled_seconds",
                "How long the oldest record of each assigned partition was held, or no unread one read; 0 if none.",
                &["topic", "partition"],
            )?,
            lost_records: counters(
                registry,
                "penstock_indexer_lost_records_total",
                "Records that retention deleted before they were indexed.",
                &["topic"],
            )?,
            log_resets: counters(
                registry,
                "penstock_indexer_log_resets_total",
                "Partitions that were read again from an earlier offset, by reason: recreated, replaced, went_back.",
                &["topic", "reason"],
            )?,
            assigned_partitions: gauges(
                registry,
                "penstock_indexer_assigned_partitions",
                "Partitions assigned to this indexer.",
                &["topic"],
            )?,
            template_shadowed: gauges(
                registry,
                "penstock_indexer_template_shadowed",
                "1 while another index template takes precedence over Penstock's, else 0.",
                &["index", "template"],
            )?,
            registry_requests: registry::durations(registry, "penstock_indexer_registry_request_duration_seconds")?,
            spans: traces::spans(registry, "penstock_indexer_spans_total")?,
            bulk: BulkMetrics::new(registry)?,
            consume: ConsumeMetrics::new(registry)?,
            letters: LetterMetrics::new(registry)?,
            placement: PlacementMetrics::new(registry)?,
            verify: VerifyMetrics::new(registry)?,
        })
    }
}
