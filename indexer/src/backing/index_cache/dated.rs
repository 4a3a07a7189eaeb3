//! Periodic checks for the strategy `time`, which needs no table to place a document.

use super::BackingIndexCache;
use crate::config::Strategy;

impl BackingIndexCache {
    /// Reads the retention in the policy, checks which template the next index is created with, and finds indices
    /// that exist only under another name.
    pub(super) async fn look_at_dated(&self) {
        if let Err(error) = self.index.read_retention().await {
            tracing::debug!(index = self.index.name(), %error, "The maximum age of an event is the one known before.");
        }
        self.index.check_template().await;
        self.look_for_copies().await;
    }

    /// Finds the indices of the strategy `time` that exist only under another name. If they cannot be listed, the
    /// earlier result stays in force.
    pub async fn look_for_copies(&self) {
        if self.strategy != Strategy::Time {
            return;
        }
        match self.read().await {
            Ok(table) => self.calendar.note_copies(table.copied(self.calendar.pattern())),
            Err(error) => {
                tracing::debug!(index = self.index.name(), %error, "It is not known which indices have other names.");
            }
        }
    }
}
