//! How long records wait for a schema that the registry does not have yet.
//!
//! One id may take `schema_registry.patience`. A stream of ids that no registry ever gave must not hold up a partition
//! for that long again and again (P5): each one that turns out to be missing after all halves what the next one gets,
//! so that all of them together take twice that time at most, until one comes after all or ten minutes pass without
//! another.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// After so long without an id that was missing after all, patience is whole again.
const RECOVERY: Duration = Duration::from_secs(600);

/// The patience of one topic.
#[derive(Debug)]
pub struct Patience {
    whole: Duration,
    /// How many ids in a row were missing after all, and when the last one.
    in_vain: Mutex<(u32, Option<Instant>)>,
}

impl Patience {
    /// `whole` for the first id.
    pub fn new(whole: Duration) -> Self {
        Self { whole, in_vain: Mutex::default() }
    }

    /// Returns how long the next id is waited for, from its first question on.
    pub fn left(&self, now: Instant) -> Duration {
        let (count, last) = *self.in_vain.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| now.saturating_duration_since(last) >= RECOVERY) {
            return self.whole;
        }
        if count < 16 { self.whole / 2_u32.pow(count) } else { Duration::ZERO }
    }

    /// Notes that an id was missing after all.
    pub fn spent(&self, now: Instant) {
        let mut in_vain = self.in_vain.lock().unwrap_or_else(PoisonError::into_inner);
        let recovered = in_vain.1.is_none_or(|last| now.saturating_duration_since(last) >= RECOVERY);
        *in_vain = (if recovered { 1 } else { in_vain.0.saturating_add(1) }, Some(now));
    }

    /// Notes that an id came after it had been waited for.
    pub fn rewarded(&self) {
        *self.in_vain.lock().unwrap_or_else(PoisonError::into_inner) = (0, None);
    }
}

#[cfg(test)]
mod tests;
