//! Notices when the events of a source stop fitting its current schema. If failures rise, the schema has most likely
//! changed upstream. [`Drift`] then wakes the task that can find out, at most once a minute.
//!
//! That task waits on [`Drift::suspected`]. Today it is the task that keeps the current schema fresh, see
//! [`crate::source::schema`].

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// The length of the windows over which failures are counted.
const WINDOW: Duration = Duration::from_secs(60);

/// The least number of failures in a window that are suspicious. Occasional invalid events are normal.
const MIN_FAILURES: u32 = 5;

/// The pause after a report in which no other is made.
const PAUSE: Duration = Duration::from_secs(60);

/// Watches the events of one source.
#[derive(Debug)]
pub(crate) struct Drift {
    counts: Mutex<Counts>,
    /// How often a drift was suspected.
    suspicions: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Counts {
    begin: Option<Instant>,
    failures: u32,
    /// The failures of the previous window.
    before: u32,
    reported: Option<Instant>,
}

impl Default for Drift {
    fn default() -> Self {
        Self { counts: Mutex::default(), suspicions: watch::Sender::new(0) }
    }
}

impl Drift {
    /// Notes at `now` that an event does not fit. If failures have risen (at least five within a minute, and twice as
    /// many as in the minute before), wakes the waiting task and returns the number of failures.
    pub(crate) fn note(&self, now: Instant) -> Option<u32> {
        let failures = self.counts.lock().unwrap_or_else(PoisonError::into_inner).note(now)?;
        self.suspicions.send_modify(|count| *count += 1);
        Some(failures)
    }

    /// Returns a receiver that changes ([`watch::Receiver::changed`]) with each suspicion.
    pub(crate) fn suspected(&self) -> watch::Receiver<u64> {
        self.suspicions.subscribe()
    }
}

impl Counts {
    fn note(&mut self, now: Instant) -> Option<u32> {
        let age = self.begin.map_or(Duration::MAX, |begin| now.saturating_duration_since(begin));
        if age >= WINDOW {
            // If a whole window passed without a failure, the previous window has none.
            self.before = if age < WINDOW * 2 { self.failures } else { 0 };
            self.failures = 0;
            self.begin = Some(now);
        }
        self.failures = self.failures.saturating_add(1);
        let rise = self.failures >= MIN_FAILURES && self.failures >= self.before.saturating_mul(2);
        let lately = self.reported.is_some_and(|reported| now.saturating_duration_since(reported) < PAUSE);
        if !rise || lately {
            return None;
        }
        self.reported = Some(now);
        Some(self.failures)
    }
}

#[cfg(test)]
mod tests;
