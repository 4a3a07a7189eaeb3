//! The metrics of ids that are already taken. To add one, add a field with its help as a doc comment, and a line in
//! [`VerifyMetrics::new`].

use prometheus::{IntCounterVec, Result};
use service::metrics::{Registry, counters, counters_of};

/// The metrics of ids that are already taken.
#[derive(Clone, Debug)]
pub struct VerifyMetrics {
    /// Duplicates by their proof: `record` (the record's timestamp), `content` (the fields), `none` (the index keeps
    /// nothing that could prove it).
    pub duplicates: IntCounterVec,
    /// Events that have the id of another event and become dead letters, by topic.
    pub conflicts: IntCounterVec,
}

impl VerifyMetrics {
    /// Registers the metrics with `registry`.
    ///
    /// # Errors
    /// When a metric of that name is already registered.
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        Ok(Self {
            duplicates: counters_of(
                registry,
                "penstock_indexer_duplicates_total",
                "Duplicates by their proof: record, content, none.",
                "proof",
                &["record", "content", "none"],
            )?,
            conflicts: counters(
                registry,
                "penstock_indexer_id_conflicts_total",
                "Events that have the id of another event; they become dead letters.",
                &["topic"],
            )?,
        })
    }
}
