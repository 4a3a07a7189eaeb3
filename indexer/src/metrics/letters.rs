//! The metrics of dead letters. To add one, add a field with its help as a doc comment, and a line in
//! [`LetterMetrics::new`].

use prometheus::core::Collector;
use prometheus::{IntCounterVec, Result};
use service::metrics::{BoundedLabel, OTHER, Registry, counters};

/// How many of Elasticsearch's error types get their own series.
const MAX_TYPES: usize = 50;
/// The most likely types, by stage. Their series exist from the start, so that an alert sees the first one.
const USUAL: [(&str, &[&str]); 2] = [
    ("decode", &["not-framed", "unknown-schema", "unusable-schema", "truncated", "trailing_bytes", "expired"]),
    ("index", &["document_parsing_exception", "mapper_parsing_exception", "illegal_argument_exception", "id-conflict"]),
];

/// The metrics of dead letters.
#[derive(Clone, Debug)]
pub struct LetterMetrics {
    /// Records acknowledged by the dead-letter topic, by topic, stage and type.
    written: IntCounterVec,
    /// Redriven records that became dead letters again, by topic.
    pub redriven: IntCounterVec,
    /// The types that have their own series.
    types: BoundedLabel,
}

impl LetterMetrics {
    /// Registers the metrics with `registry`.
    ///
    /// # Errors
    /// When a metric of that name is already registered.
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        let usual = USUAL.iter().flat_map(|(_, types)| types.iter().copied());
        Ok(Self {
            written: counters(
                registry,
                "penstock_indexer_dead_letters_total",
                "Records acknowledged by the dead-letter topic, by stage (decode, index) and error type.",
                &["topic", "stage", "type"],
            )?,
            redriven: counters(
                registry,
                "penstock_indexer_redriven_dead_letters_total",
                "Records that were redriven from dead letters and became dead letters again.",
                &["topic"],
            )?,
            types: BoundedLabel::new(MAX_TYPES, usual),
        })
    }

    /// Counts a dead letter of `topic`. Elasticsearch chooses the types, so only the first `MAX_TYPES` get their
    /// own series; all others share one.
    pub fn written(&self, topic: &str, stage: &str, error_type: &str) {
        self.written.with_label_values(&[topic, stage, self.types.value(error_type)]).inc();
    }

    /// Returns how many dead letters of `topic` were counted.
    pub fn of(&self, topic: &str) -> u64 {
        let families = self.written.collect();
        let metrics = families.iter().flat_map(|family| family.get_metric());
        let is_of = |label: &&prometheus::proto::LabelPair| label.name() == "topic" && label.value() == topic;
        let counts = metrics.filter(|metric| metric.get_label().iter().any(|label| is_of(&label)));
        counts.map(|metric| metric.get_counter().get_value() as u64).sum()
    }

    /// Begins the counters of `topic` at 0.
    pub(super) fn begin_topic(&self, topic: &str) {
        for (stage, types) in USUAL {
            for name in types.iter().chain([&OTHER]) {
                self.written.with_label_values(&[topic, stage, *name]);
            }
        }
        self.redriven.with_label_values(&[topic]);
    }
}

#[cfg(test)]
mod tests;
