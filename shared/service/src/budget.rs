//! A limit on log lines of one kind: a few per second, so that a stranger cannot flood the logs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use crate::token_bucket::TokenBucket;

/// The most lines in one second.
const LINES_A_SECOND: f64 = 10.0;

/// Counts log lines against the limit.
#[derive(Debug)]
pub struct LogBudget {
    lines: TokenBucket<SystemTime>,
    suppressed: AtomicU64,
}

impl Default for LogBudget {
    fn default() -> Self {
        Self { lines: TokenBucket::new(LINES_A_SECOND, LINES_A_SECOND), suppressed: AtomicU64::new(0) }
    }
}

impl LogBudget {
    /// Returns whether a line may be logged at `now`. If so, returns how many were suppressed since the last one.
    pub fn take(&self, now: SystemTime) -> Option<u64> {
        if self.lines.take(now).is_ok() {
            return Some(self.suppressed.swap(0, Ordering::Relaxed));
        }
        self.suppressed.fetch_add(1, Ordering::Relaxed);
        None
    }
}
