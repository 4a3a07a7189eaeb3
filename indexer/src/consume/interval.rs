//! Decides when a repeated task is due. Pure: the caller provides the time.

use std::time::{Duration, Instant};

/// A task that is due at an interval.
#[derive(Debug)]
pub(super) struct Interval {
    every: Duration,
    /// The last time, or `None` if it is due immediately.
    last: Option<Instant>,
}

impl Interval {
    /// Creates an interval that is first due `every` after `now`.
    pub(super) fn after(now: Instant, every: Duration) -> Self {
        Self { every, last: Some(now) }
    }

    /// Creates an interval that is first due immediately.
    pub(super) fn at_once(every: Duration) -> Self {
        Self { every, last: None }
    }

    /// Returns whether the task is due at `now`. If so, it is due again one interval later.
    pub(super) fn begin(&mut self, now: Instant) -> bool {
        let is_due = self.last.is_none_or(|last| now.duration_since(last) >= self.every);
        if is_due {
            self.last = Some(now);
        }
        is_due
    }

    /// Makes it due immediately.
    pub(super) fn hurry(&mut self) {
        self.last = None;
    }
}

#[cfg(test)]
mod tests;
