//! The metrics of placement. To add one, add a field with its help as a doc comment, and a line in
//! [`PlacementMetrics::new`].

use prometheus::{GaugeVec, IntCounterVec, Result};
use service::metrics::{Registry, counters, float_gauges};

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
    pub table_age: GaugeVec,
    /// Placed documents by the source of their placement time: see [`Source`](crate::placement::time::Source).
    pub times: IntCounterVec,
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

    /// Begins the counters of `topic` at 0.
    pub(super) fn begin_topic(&self, topic: &str) {
        for (counters, values) in [
            (&self.placements, &["current", "previous", "older", "expired", "skipped", "dead_letter"][..]),
            (&self.look_ups, &["hit", "miss"]),
            (&self.duplicate_copies, &["deleted", "left"]),
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
            table_age: float_gauges(
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
            parked: counters(
                registry,
                "penstock_indexer_parked_records_total",
                "Records that had to wait, by reason: schema, table, ahead.",
                &["topic", "reason"],
            )?,
        })
    }
}
