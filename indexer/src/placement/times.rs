//! Counts the sources of placement times, and reports implausible times.

use avro::SchemaError;
use prometheus::IntCounter;
use registry::wire::SchemaId;

use super::time::Source;
use crate::config::{Elasticsearch, Strategy};
use crate::metrics::PlacementMetrics;

/// Counts the placement times of one topic.
#[derive(Debug)]
pub struct Times {
    topic: String,
    field: String,
    /// Whether the values of that field must not be logged.
    is_hidden: bool,
    /// `None` if the strategy does not place by time.
    counters: Option<[IntCounter; Source::ALL.len()]>,
    seen: [u64; Source::ALL.len()],
}

impl Times {
    /// Creates counters for `topic`. If the field of the event's own timestamp `is_hidden`, its values are not
    /// logged.
    pub fn new(topic: &str, settings: &Elasticsearch, is_hidden: bool, metrics: &PlacementMetrics) -> Self {
        let counter = |source: Source| metrics.times.with_label_values(&[topic, source.as_str()]);
        Self {
            topic: topic.to_owned(),
            field: settings.placement.time_field.clone(),
            is_hidden,
            counters: (settings.strategy != Strategy::Single).then(|| Source::ALL.map(counter)),
            seen: [0; Source::ALL.len()],
        }
    }

    /// Notes that the schema `id` has no usable timestamp field.
    pub fn note_missing(&self, id: SchemaId, why: &SchemaError) {
        if self.counters.is_some() {
            tracing::warn!(
                topic = self.topic,
                schema_id = id.0,
                reason = %why,
                "Events of this schema have no timestamp of their own (elasticsearch.placement.time_field); they \
                 are placed by their time of receipt, so a sender's repeat after a rollover is a second document."
            );
        }
    }

    /// Counts an event whose own timestamp is `event`. Reports the first implausible one, and then each doubling of
    /// their number.
    pub fn note(&mut self, source: Source, event: Option<i64>) {
        let Some(counters) = &self.counters else { return };
        let number = source as usize;
        counters[number].inc();
        self.seen[number] += 1;
        let seen = self.seen[number];
        if !seen.is_power_of_two() {
            return;
        }
        let (topic, field) = (&self.topic, &self.field);
        let millis = event.filter(|_| !self.is_hidden);
        match source {
            Source::Event | Source::Record | Source::Missing => {}
            Source::Empty => tracing::warn!(
                topic,
                field,
                seen,
                "The events' own timestamp is null or text; they are placed by their time of receipt."
            ),
            Source::Ahead => tracing::warn!(
                topic,
                field,
                millis,
                seen,
                "The events' own timestamp is later than their time of receipt; a sender's clock is ahead."
            ),
            Source::Implausible => tracing::warn!(
                topic,
                field,
                millis,
                seen,
                "The events' own timestamp cannot be right: it is before the year 2000 or more than a day ahead. See \
                 elasticsearch.placement.time_unit."
            ),
        }
    }
}
