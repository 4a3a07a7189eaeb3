//! The metrics of placement. To add one, add a field with its help as a doc comment, and a line in
//! [`PlacementMetrics::new`].

use prometheus::core::AtomicF64;
use prometheus::{Gauge, GaugeVec, IntCounterVec, Result};
use service::metrics::{Registry, counters, float_gauges};

use super::SharedGauge;

/// The metrics of placement.
#[derive(Clone, Debug)]
pub struct PlacementMetrics {
    /// Documents by the age of their index: `current`, `previous`, `older`, `expired`; documents too old for any
    /// index are `skipped` or `dead_letter`, depending on the config.
    pub placements: IntCounterVec,
    /// Ids that were looked up before writing, by outcome: `hit`, `miss`.
    pub look_ups: IntCounterVec,
    /// Second and further copies of documents in a data stream, by outcome: `deleted`, `left`.
    pub duplicate_copies: IntCounterVec,
    /// How old the table of backing indices was when it was last used, in seconds.
    pub table_age: SharedGauge<AtomicF64>,
    table_age_by_topic: GaugeVec,
    /// Placed documents by the source of their placement time: see [`Source`](crate::placement::time::Source).
    pub times: IntCounterVec,
    /// Documents by why they go to their index set: see [`Reason`](crate::placement::router::Reason). Only of topics
    /// with `elasticsearch.routes`.
    pub routes: IntCounterVec,
    /// Records that had to wait, by reason: `schema`, `table`, or `ahead` if their time is ahead of the clock.
    pub parked: IntCounterVec,
}

impl PlacementMetrics {
    /// Counts the looked-up ids of `topic`.
    pub fn looked_up(&self, topic: &str, hits: usize, misses: usize) {
        for (outcome, count) in [("hit", hits), ("miss", misses)] {
            self.look_ups.with_label_values(&[topic, outcome]).inc_by(count as u64);
        }
    }

    /// Returns the same with the gauge of `topic`.
    #[must_use]
    pub(super) fn of_topic(self, topic: &str) -> Self {
        let table_age = SharedGauge::new(self.table_age_by_topic.with_label_values(&[topic]), f64::max);
        Self { table_age, ..self }
    }

    /// Returns the same for one of the topic's index sets, by its number.
    #[must_use]
    pub(super) fn part(self, part: usize) -> Self {
        Self { table_age: self.table_age.part(part), ..self }
    }

    /// Begins the counters of `topic` at 0.
    pub(super) fn begin_topic(&self, topic: &str) {
        for (counters, values) in [
            (&self.placements, &["current", "previous", "older", "expired", "skipped", "dead_letter"][..]),
            (&self.look_ups, &["hit", "miss"]),
            (&self.duplicate_copies, &["deleted", "left"]),
            (&self.routes, &["value", "other", "empty", "missing"]),
            (&self.parked, &["schema", "table", "ahead"]),
            (&self.times, &["event", "record", "missing", "empty", "ahead", "implausible"]),
        ] {
            for value in values {
                counters.with_label_values(&[topic, *value]);
            }
        }
    }

    /// Registers the metrics with `registry`.
    ///
    /// # Errors
    /// When a metric of that name is already registered.
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        Ok(Self {
            placements: counters(
                registry,
                "penstock_indexer_placements_total",
                "Documents by the age of their index: current, previous, older, expired; or skipped, dead_letter.",
                &["topic", "age"],
            )?,
            look_ups: counters(
                registry,
                "penstock_indexer_lookups_total",
                "Ids looked up before writing, by outcome: hit, miss.",
                &["topic", "outcome"],
            )?,
            duplicate_copies: counters(
                registry,
                "penstock_indexer_copies_total",
                "Second copies of documents in a data stream, by outcome: deleted, left.",
                &["topic", "outcome"],
            )?,
            // Seen by nobody until it is that of a topic.
            table_age: SharedGauge::new(Gauge::new("table_age", "None yet.")?, f64::max),
            table_age_by_topic: float_gauges(
                registry,
                "penstock_indexer_placement_table_age_seconds",
                "Age of the list of backing indices when it was last used.",
                &["topic"],
            )?,
            times: counters(
                registry,
                "penstock_indexer_placement_times_total",
                "Placed documents by the source of their placement time: event, record, missing, empty, ahead, \
                 implausible.",
                &["topic", "source"],
            )?,
            routes: counters(
                registry,
                "penstock_indexer_routed_documents_total",
                "Documents of topics with elasticsearch.routes by the reason for their index: value, other, empty, \
                 missing.",
                &["topic", "reason"],
            )?,
            parked: counters(
                registry,
                "penstock_indexer_parked_records_total",
                "Records that had to wait, by reason: schema, table, ahead.",
                &["topic", "reason"],
            )?,
        })
    }
}
