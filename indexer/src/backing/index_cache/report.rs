//! Reports on the cache's table: readiness, log and metrics.

use service::admin::Condition;

use crate::backing::list::ReadError;
use crate::backing::now_millis;
use crate::metrics::PlacementMetrics;
use crate::placement::table::{Table, Uncertainty};

/// How many requests in a row may fail before readiness reports it.
const TOLERATED_FAILURES: u32 = 2;

/// Reports on the table of one alias or data stream.
#[derive(Debug)]
pub(super) struct Report {
    alias: String,
    condition: Condition,
    metrics: PlacementMetrics,
}

impl Report {
    /// Creates the reports on the table of `alias`. `condition` is unmet while the table cannot be read or used.
    pub(super) fn new(alias: String, condition: Condition, metrics: PlacementMetrics) -> Self {
        condition.met();
        Self { alias, condition, metrics }
    }

    /// Reports that `table` was read.
    pub(super) fn read(&self, table: &Table) {
        self.condition.met();
        self.measure(table);
    }

    /// Logs once what is uncertain about the write index of `table`. `known` is the table before.
    pub(super) fn uncertainty(&self, known: Option<&Table>, table: &Table) {
        if known
            .is_some_and(|known| known.uncertainty() == table.uncertainty() && known.write().name == table.write().name)
        {
            return;
        }
        let (index, alias) = (&*table.write().name, &self.alias);
        match table.uncertainty() {
            Uncertainty::None => {}
            // A single index takes all documents.
            Uncertainty::Copied if table.backing().len() == 1 => {}
            Uncertainty::Copied => tracing::warn!(
                alias,
                index,
                "The write index was created from another index; documents dated before its creation are looked up \
                 before they are written."
            ),
            Uncertainty::Behind => tracing::warn!(
                alias,
                index,
                "A backing index is newer than the write index; every document is looked up before it is written. \
                 Remove the newer one from the alias, or make it the write index."
            ),
        }
    }

    /// Reports that the table could not be read, `failures` times in a row by now. `known` is the table before.
    pub(super) fn failed(&self, known: Option<&Table>, error: &ReadError, failures: u32) {
        if let Some(table) = known {
            self.measure(table);
        }
        let index = &self.alias;
        let is_state = matches!(error, ReadError::Table(_) | ReadError::Missing);
        if is_state || failures > TOLERATED_FAILURES {
            self.condition.unmet(format!("cannot list the backing indices of {index:?}: {error}; new documents wait"));
        }
        // Logs the first failure, and then each doubling of their number.
        if failures.is_power_of_two() {
            tracing::warn!(
                index,
                %error,
                attempts = failures,
                "Cannot list the backing indices; documents wait until it works. Nothing is lost."
            );
        }
    }

    fn measure(&self, table: &Table) {
        let age = now_millis().saturating_sub(table.read_at()).max(0);
        self.metrics.table_age.set(age as f64 / 1_000.0);
    }
}
