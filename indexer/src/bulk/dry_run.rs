//! Finds out what a batch would change in the index, without writing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use service::backoff::Backoff;

use self::stored::Stored;
use super::reroute::MAX_LOOK_UPS;
use super::verify::Verdict;
use crate::batch::Batch;
use crate::config::Config;
use crate::elasticsearch::{Client, SettingsError};

mod stored;

/// Counts what would be written.
#[derive(Debug)]
pub struct DryRun {
    stored: Stored,
    backoff: Backoff,
    /// Documents that would be written.
    pub new: AtomicU64,
    /// Documents that already exist and come from the same event.
    pub same: AtomicU64,
    /// Documents whose id belongs to another event.
    pub conflicts: AtomicU64,
    /// Records that cannot become a document.
    pub undecodable: AtomicU64,
}

impl DryRun {
    /// Creates counters at zero, for the index of `config`.
    ///
    /// # Errors
    /// If Elasticsearch's settings cannot be used.
    pub fn new(config: &Config) -> Result<Self, SettingsError> {
        let client = Arc::new(Client::new(&config.elasticsearch)?);
        let retry = &config.indexer.retry;
        Ok(Self {
            stored: Stored::new(config, client),
            backoff: Backoff { initial: retry.initial, max: retry.max },
            new: AtomicU64::new(0),
            same: AtomicU64::new(0),
            conflicts: AtomicU64::new(0),
            undecodable: AtomicU64::new(0),
        })
    }

    /// Compares the documents of `batch` with the stored ones and counts them. Tries until Elasticsearch answers.
    /// Writes nothing.
    pub async fn compare(&self, batch: &Batch) {
        self.undecodable.fetch_add(batch.undecodable.len() as u64, Ordering::Relaxed);
        let items: Vec<usize> = (0..batch.items.len()).collect();
        for chunk in items.chunks(MAX_LOOK_UPS) {
            let mut failures: u32 = 0;
            let verdicts = loop {
                match self.stored.compare(batch, chunk).await {
                    Ok(verdicts) => break verdicts,
                    Err(obstacle) => {
                        failures = failures.saturating_add(1);
                        tracing::warn!(%obstacle, "Cannot read the stored documents; trying again.");
                        let wait = self.backoff.wait(failures, &mut rand::rng());
                        tokio::time::sleep(wait).await;
                    }
                }
            };
            verdicts.iter().for_each(|verdict| self.count(verdict));
        }
    }

    fn count(&self, verdict: &Verdict) {
        let count = match verdict {
            Verdict::Gone => &self.new,
            Verdict::Same(_) => &self.same,
            Verdict::Other(_) => &self.conflicts,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
