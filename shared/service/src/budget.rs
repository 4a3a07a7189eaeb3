//! Limits on log lines of one kind: a few per second, so that a stranger cannot flood the logs, or one per minute that
//! covers everything since the last one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::token_bucket::TokenBucket;

/// The most lines in one second.
const LINES_A_SECOND: f64 = 10.0;

/// The interval of [`MinuteLog`].
const MINUTE: Duration = Duration::from_secs(60);

/// Limits a report to one log line a minute, which covers everything since the last line.
#[derive(Debug, Default)]
pub struct MinuteLog(Mutex<Reported>);

/// When the last line was logged, and how much there has been since.
#[derive(Debug, Default)]
struct Reported {
    at: Option<Instant>,
    since: u64,
}

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

impl MinuteLog {
    /// Adds `count` at `now`. Returns how many the line that may be logged now covers, or `None` if there was one
    /// within the last minute.
    pub fn take(&self, count: u64, now: Instant) -> Option<u64> {
        let mut reported = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reported.since += count;
        if reported.at.is_some_and(|at| now.saturating_duration_since(at) < MINUTE) {
            return None;
        }
        reported.at = Some(now);
        Some(std::mem::take(&mut reported.since))
    }
}
