//! The metrics of ids that are taken. A new one is one field with its help as a doc comment, and one line in
//! [`VerifyMetrics::new`].

use prometheus::{IntCounterVec, Result};
use service::metrics::{Registry, counters, counters_of};

/// The metrics of ids that are taken.
#[derive(Clone, Debug)]
pub struct VerifyMetrics {
    /// Duplicates by what proves that they are: `record` (the record's timestamp), `content` (the fields), `none` (the
    /// index does not keep what could).
    pub duplicates: IntCounterVec,
    /// Events that have the id of another event; they become dead letters. By topic.
    pub conflicts: IntCounterVec,
}

impl VerifyMetrics {
    /// Registers them with `registry`.
    ///
    /// # Errors
    /// When one of the names is taken.
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
