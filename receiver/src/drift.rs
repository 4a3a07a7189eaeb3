//! Whether the events of a source still fit its current schema. When more and more of them do not, the schema has most
//! likely changed upstream. The task that can find out is woken once, and not again for a while.
//!
//! [`Drift::suspected`] is what they wait for: today the task that keeps the current schema, see
//! [`crate::source::schema`].

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// Failures are counted over windows of this length.
const WINDOW: Duration = Duration::from_secs(60);

/// Fewer failures in a window are no sign of anything: some sender sends nonsense now and then.
const FEW: u32 = 5;

/// How long no report is repeated.
const PAUSE: Duration = Duration::from_secs(60);

/// What is known of one source.
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
    /// Those of the window before.
    before: u32,
    reported: Option<Instant>,
}

impl Default for Drift {
    fn default() -> Self {
        Self { counts: Mutex::default(), suspicions: watch::Sender::new(0) }
    }
}

impl Drift {
    /// Notes at `now` that an event does not fit. When this makes a rise (at least five within a minute, and twice as
    /// many as in the minute before), tells who waits, and returns how many there were.
    pub(crate) fn note(&self, now: Instant) -> Option<u32> {
        let failures = self.counts.lock().unwrap_or_else(PoisonError::into_inner).note(now)?;
        self.suspicions.send_modify(|count| *count += 1);
        Some(failures)
    }

    /// Waits here for suspicions to come: [`watch::Receiver::changed`].
    pub(crate) fn suspected(&self) -> watch::Receiver<u64> {
        self.suspicions.subscribe()
    }
}

impl Counts {
    fn note(&mut self, now: Instant) -> Option<u32> {
        let age = self.begin.map_or(Duration::MAX, |begin| now.saturating_duration_since(begin));
        if age >= WINDOW {
            // A window in which nothing failed may have passed in between.
            self.before = if age < WINDOW * 2 { self.failures } else { 0 };
            self.failures = 0;
            self.begin = Some(now);
        }
        self.failures = self.failures.saturating_add(1);
        let rise = self.failures >= FEW && self.failures >= self.before.saturating_mul(2);
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
