//! Limits how many records are taken per second, spread evenly. Pure.

use std::time::{Duration, Instant};

/// Counts the records taken in the current second.
#[derive(Debug)]
pub(super) struct Rate {
    /// The most records per second; `None` means no limit.
    most: Option<u32>,
    /// The number taken in the current second, which began at `since`.
    taken: u32,
    since: Instant,
}

impl Rate {
    /// Creates a limit of `most` records per second, with none taken yet.
    pub(super) fn new(most: Option<u32>) -> Self {
        Self { most, taken: 0, since: Instant::now() }
    }

    /// Returns how many records may be taken at `now`, at most `wanted`.
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
