//! What is looked at now and then for the strategy `time`, which needs no table to place a document.

use super::BackingIndexCache;
use crate::config::Strategy;

impl BackingIndexCache {
    /// Reads how long the policy keeps an index, which template the next one is made with, and which indices are there
    /// under another name only.
    pub(super) async fn look_at_dated(&self) {
        if let Err(error) = self.index.read_retention().await {
            tracing::debug!(index = self.index.name(), %error, "The maximum age of an event is the one known before.");
        }
        self.index.check_template().await;
        self.look_for_copies().await;
    }

    /// Looks which indices of the strategy `time` are there under another name only. Where that may not be asked, what
    /// was known before counts.
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
