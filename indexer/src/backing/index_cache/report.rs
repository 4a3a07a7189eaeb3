//! Reports on the cache's table: readiness, log and metrics.

use super::BackingIndexCache;
use crate::backing::list::ReadError;
use crate::backing::now_millis;
use crate::placement::table::{Doubt, Table};

/// How many requests in a row may fail before readiness reports it.
const TOLERATED_FAILURES: u32 = 2;
impl BackingIndexCache {
    /// Reports once what is uncertain about the write index.
    pub(super) fn note_doubt(&self, table: &Table) {
        let known = self.table();
        if known.is_some_and(|known| known.doubt() == table.doubt() && known.write().name == table.write().name) {
            return;
        }
        let (index, alias) = (&*table.write().name, self.index.name());
        match table.doubt() {
            Doubt::None => {}
            // A single index takes all documents.
            Doubt::Copied if table.backing().len() == 1 => {}
            Doubt::Copied => tracing::warn!(
                alias,
                index,
                "The write index was created from another index; documents dated before its creation are looked up \
                 before they are written."
            ),
            Doubt::Behind => tracing::warn!(
                alias,
                index,
                "A backing index is newer than the write index; every document is looked up before it is written. \
                 Remove the newer one from the alias, or make it the write index."
            ),
        }
    }

    pub(super) fn note(&self, error: &ReadError, failures: u32) {
        self.measure();
        let is_state = matches!(error, ReadError::Table(_) | ReadError::Missing);
        if is_state || failures > TOLERATED_FAILURES {
            self.condition.unmet(format!(
                "cannot list the backing indices of {:?}: {error}; new documents wait",
                self.index.name()
            ));
        }
        // Logs the first failure, and then each doubling of their number.
        if failures.is_power_of_two() {
            tracing::warn!(
                index = self.index.name(),
                %error,
                attempts = failures,
                "Cannot list the backing indices; documents wait until it works. Nothing is lost."
            );
        }
    }

    pub(super) fn measure(&self) {
        if let Some(table) = self.table() {
            let age = now_millis().saturating_sub(table.read_at()).max(0);
            self.metrics.table_age.set(age as f64 / 1_000.0);
        }
    }
}
