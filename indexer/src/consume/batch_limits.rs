//! Decides when the current batch must be sent. Pure.

use std::time::{Duration, Instant};

use crate::batch::BatchBuilder;
use crate::config::Config;

/// The limits of a batch's size and age.
#[derive(Clone, Copy, Debug)]
pub(super) struct BatchLimits {
    max_documents: usize,
    max_body_bytes: usize,
    max_age: Duration,
}

impl BatchLimits {
    /// Returns the limits in `config`.
    pub(super) fn of(config: &Config) -> Self {
        let batch = &config.indexer.batch;
        let max_body_bytes = usize::try_from(batch.max_bytes.as_u64()).unwrap_or(usize::MAX);
        Self { max_documents: batch.max_documents, max_body_bytes, max_age: batch.max_age }
    }

    /// Returns whether `builder` is full. Its body should have at most `target_bytes`.
    pub(super) fn is_full(&self, builder: &BatchBuilder, target_bytes: usize) -> bool {
        builder.documents() >= self.max_documents
            || builder.undecodable() >= self.max_documents
            || builder.body_bytes() >= self.max_body_bytes.min(target_bytes)
    }

    /// Returns whether `builder` has reached its maximum age.
    pub(super) fn is_old(&self, builder: &BatchBuilder, now: Instant) -> bool {
        builder.age(now) >= self.max_age
    }

    /// Returns how much longer `builder` may wait, or `None` if it is empty.
    pub(super) fn left(&self, builder: &BatchBuilder) -> Option<Duration> {
        Some(self.max_age.saturating_sub(builder.opened()?.elapsed()))
    }
}

#[cfg(test)]
mod tests;
