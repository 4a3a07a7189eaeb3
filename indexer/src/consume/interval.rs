//! When something is due that is done again and again. Pure: the caller has the clock.

use std::time::{Duration, Instant};

/// Something that is due at an interval.
#[derive(Debug)]
pub(super) struct Interval {
    every: Duration,
    /// None: it is due at once.
    last: Option<Instant>,
}

impl Interval {
    /// Returns one that is due `every` so often: for the first time so long after `now`.
    pub(super) fn after(now: Instant, every: Duration) -> Self {
        Self { every, last: Some(now) }
    }

    /// Returns one that is due `every` so often: for the first time at once.
    pub(super) fn at_once(every: Duration) -> Self {
        Self { every, last: None }
    }

    /// Returns whether it is due at `now`. If so, it is due again an interval later.
    pub(super) fn begin(&mut self, now: Instant) -> bool {
        let is_due = self.last.is_none_or(|last| now.duration_since(last) >= self.every);
        if is_due {
            self.last = Some(now);
        }
        is_due
    }

    /// Makes it due at once.
    pub(super) fn hurry(&mut self) {
        self.last = None;
    }
}

#[cfg(test)]
mod tests;
