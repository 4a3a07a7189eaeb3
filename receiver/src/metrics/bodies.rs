//! Metrics of invalid and unusual bodies, and of their handling.

use prometheus::{IntCounter, IntCounterVec, Result};
use service::metrics::{BoundedLabel, Registry, counters};

/// The most fields of one source that get their own series.
const MAX_FIELDS: usize = 100;

/// The metrics of all sources.
#[derive(Clone, Debug)]
pub(crate) struct BodyMetrics {
    /// Events that do not fit their schema, by source, reason and field.
    invalid_events: IntCounterVec,
    /// Times that the latest schema was requested because events no longer fit, by source.
    schema_drifts: IntCounterVec,
    /// Events that fit an older version of the schema and not the latest, by source.
    older_versions: IntCounterVec,
    /// Bodies for the quarantine topic, by source and outcome: `written`, `capped`, `failed`.
    quarantine: IntCounterVec,
    /// Texts in `uuid` fields that are not a UUID, by source.
    odd_uuids: IntCounterVec,
}

/// The metrics of one source.
#[derive(Clone, Debug)]
pub(crate) struct SourceBodyMetrics {
    name: String,
    invalid_events: IntCounterVec,
    /// The fields with their own series.
    fields: BoundedLabel,
    /// Times that the latest schema was requested because events no longer fit.
    pub(crate) schema_drifts: IntCounter,
    /// Events that fit an older version of the schema and not the latest.
    pub(crate) older_versions: IntCounter,
    /// Bodies for the quarantine topic.
    pub(crate) quarantine: QuarantineMetrics,
    /// Texts in `uuid` fields that are not a UUID.
    pub(crate) odd_uuids: IntCounter,
}

/// Counts bodies for the quarantine topic by outcome.
#[derive(Clone, Debug)]
pub(crate) struct QuarantineMetrics {
    /// Bodies that Kafka acknowledged.
    pub(crate) written: IntCounter,
    /// Bodies that were not kept: too long, or too many.
    pub(crate) capped: IntCounter,
    /// Bodies that Kafka did not acknowledge.
    pub(crate) failed: IntCounter,
}

impl BodyMetrics {
    /// Registers the metrics with `registry`.
    ///
    /// # Errors
    /// When one of the names is taken.
    pub(crate) fn new(registry: &Registry) -> Result<Self> {
        Ok(Self {
            invalid_events: counters(
                registry,
                "penstock_receiver_invalid_events_total",
                "Events that do not fit their schema, by source, reason and field.",
                &["source", "reason", "field"],
            )?,
            schema_drifts: counters(
                registry,
                "penstock_receiver_schema_drifts_total",
                "Times that the latest schema was requested because events no longer fit, by source.",
                &["source"],
            )?,
            older_versions: counters(
                registry,
                "penstock_receiver_older_version_events_total",
                "Accepted events that fit an older version of the schema and not the latest, by source.",
                &["source"],
            )?,
            quarantine: counters(
                registry,
                "penstock_receiver_quarantine_total",
                "Bodies for the quarantine topic, by source and outcome: written, capped, failed.",
                &["source", "outcome"],
            )?,
            odd_uuids: counters(
                registry,
                "penstock_receiver_odd_uuids_total",
                "Texts in uuid fields that are not a UUID and were kept as text, by source.",
                &["source"],
            )?,
        })
    }

    /// Returns the handles of the source `name`.
    pub(crate) fn source(&self, name: &str) -> SourceBodyMetrics {
        SourceBodyMetrics {
            name: name.to_owned(),
            invalid_events: self.invalid_events.clone(),
            fields: BoundedLabel::new(MAX_FIELDS, []),
            schema_drifts: self.schema_drifts.with_label_values(&[name]),
            older_versions: self.older_versions.with_label_values(&[name]),
            odd_uuids: self.odd_uuids.with_label_values(&[name]),
            quarantine: QuarantineMetrics {
                written: self.quarantine.with_label_values(&[name, "written"]),
                capped: self.quarantine.with_label_values(&[name, "capped"]),
                failed: self.quarantine.with_label_values(&[name, "failed"]),
            },
        }
    }
}

impl SourceBodyMetrics {
    /// Counts an invalid event. `reason` is one of a closed set. Of `path`, only the field of the root record counts.
    /// Because senders may bring schemas, all fields beyond the first ones share a series.
    pub(crate) fn invalid(&self, reason: &'static str, path: &str) {
        let field = path.split(['.', '[']).next().unwrap_or_default();
        self.invalid_events.with_label_values(&[self.name.as_str(), reason, self.fields.value(field)]).inc();
    }
}

#[cfg(test)]
mod tests;
