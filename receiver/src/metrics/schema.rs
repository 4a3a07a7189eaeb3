//! The schema that bare datums are framed with. Its id is a label, because an id is not a quantity.

use std::sync::{Arc, Mutex, PoisonError};

use prometheus::{IntGaugeVec, Result};
use service::metrics::{Registry, gauges};

/// The label of a source that has no schema yet.
const NONE: &str = "none";

/// The schema of one source.
#[derive(Clone, Debug)]
pub(crate) struct SchemaInfo {
    family: IntGaugeVec,
    source: String,
    /// The current label of the source.
    current: Arc<Mutex<String>>,
}

/// Registers the family of all sources with `registry`.
///
/// # Errors
/// When the name is taken.
pub(super) fn info(registry: &Registry) -> Result<IntGaugeVec> {
    let help = "1 with the id of the schema that bare datums are framed with, by source; 0 while none is known.";
    gauges(registry, "penstock_receiver_schema_info", help, &["source", "schema_id"])
}

impl SchemaInfo {
    /// Returns the metric of `source`, which has no schema yet.
    pub(super) fn new(family: &IntGaugeVec, source: &str) -> Self {
        family.with_label_values(&[source, NONE]).set(0);
        let current = Arc::new(Mutex::new(NONE.to_owned()));
        Self { family: family.clone(), source: source.to_owned(), current }
    }

    /// Notes that the source uses the schema `id` from now on.
    pub(crate) fn set(&self, id: u32) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let next = id.to_string();
        if *current != next {
            self.family.remove_label_values(&[self.source.as_str(), current.as_str()]).ok();
        }
        self.family.with_label_values(&[self.source.as_str(), next.as_str()]).set(1);
        *current = next;
    }
}

#[cfg(test)]
mod tests;
