//! How many lines of one kind are logged: a few a second, so that a stranger cannot flood the logs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Lines in one second, at most.
const LINES_A_SECOND: u64 = 10;

/// Counts lines by second of the clock. Approximate where two seconds meet, which does no harm.
#[derive(Debug, Default)]
pub struct LogBudget {
    second: AtomicU64,
    lines: AtomicU64,
    suppressed: AtomicU64,
}

impl LogBudget {
    /// Returns whether a line may be logged at `now`; if so, how many were not since the last one.
    pub fn take(&self, now: SystemTime) -> Option<u64> {
        let second = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        if self.second.swap(second, Ordering::Relaxed) != second {
            self.lines.store(0, Ordering::Relaxed);
        }
        if self.lines.fetch_add(1, Ordering::Relaxed) < LINES_A_SECOND {
            return Some(self.suppressed.swap(0, Ordering::Relaxed));
        }
        self.suppressed.fetch_add(1, Ordering::Relaxed);
        None
    }
}
