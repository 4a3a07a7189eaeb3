//! How many records may be taken in a second, evenly over it. Pure.

use std::time::{Duration, Instant};

/// What is taken of what may be.
#[derive(Debug)]
pub(super) struct Rate {
    /// The most records in a second; none: as many as there are.
    most: Option<u32>,
    /// Those of this second, which began at `since`.
    taken: u32,
    since: Instant,
}

impl Rate {
    /// Returns a rate of at `most` so many records in a second, of which none was taken.
    pub(super) fn new(most: Option<u32>) -> Self {
        Self { most, taken: 0, since: Instant::now() }
    }

    /// Returns how many records may be taken `now`, `wanted` at most.
    pub(super) fn allowance(&mut self, wanted: usize, now: Instant) -> usize {
        let Some(most) = self.most else { return wanted };
        let mut elapsed = now.saturating_duration_since(self.since);
        if elapsed >= Duration::from_secs(1) {
            (self.taken, self.since, elapsed) = (0, now, Duration::ZERO);
        }
        let due = u128::from(most) * (elapsed.as_millis() + 1) / 1_000;
        let due = usize::try_from(due.max(1)).unwrap_or(usize::MAX);
        due.saturating_sub(self.taken as usize).min(wanted)
    }

    /// Notes that `taken` records were taken.
    pub(super) fn spend(&mut self, taken: usize) {
        self.taken = self.taken.saturating_add(u32::try_from(taken).unwrap_or(u32::MAX));
    }
}

#[cfg(test)]
mod tests;
