//! How long records wait for a schema that the registry does not have yet.
//!
//! One id may take as long as `schema_registry.patience`. A stream of unknown ids must not block a partition for that
//! long again and again (P5). So each id that turns out to be missing halves the wait for the next one, and all
//! together wait at most twice the patience. The full patience returns once an awaited id appears, or after ten
//! minutes without a missing one.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// After this long without a missing id, the full patience is restored.
const RECOVERY: Duration = Duration::from_secs(600);

/// The patience of one topic.
#[derive(Debug)]
pub struct Patience {
    whole: Duration,
    /// How many ids in a row were missing, and when the last one was.
    in_vain: Mutex<(u32, Option<Instant>)>,
}

impl Patience {
    /// Creates a patience that gives the first id `whole`.
    pub fn new(whole: Duration) -> Self {
        Self { whole, in_vain: Mutex::default() }
    }

    /// Returns how long to wait for the next id, counted from its first request.
    pub fn left(&self, now: Instant) -> Duration {
        let (count, last) = *self.in_vain.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| now.saturating_duration_since(last) >= RECOVERY) {
            return self.whole;
        }
        if count < 16 { self.whole / 2_u32.pow(count) } else { Duration::ZERO }
    }

    /// Notes that an id turned out to be missing.
    pub fn spent(&self, now: Instant) {
        let mut in_vain = self.in_vain.lock().unwrap_or_else(PoisonError::into_inner);
        let recovered = in_vain.1.is_none_or(|last| now.saturating_duration_since(last) >= RECOVERY);
        *in_vain = (if recovered { 1 } else { in_vain.0.saturating_add(1) }, Some(now));
    }

    /// Notes that an awaited id appeared.
    pub fn rewarded(&self) {
        *self.in_vain.lock().unwrap_or_else(PoisonError::into_inner) = (0, None);
    }
}

#[cfg(test)]
mod tests;
