//! Logs failures of the export at most once a minute, and its recovery.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The minimum time between two lines about failures.
const BETWEEN: Duration = Duration::from_secs(60);

/// Tracks which failures were logged and which are still to be logged.
#[derive(Debug, Default)]
pub(super) struct Report(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// When the last failure was logged.
    logged: Option<Instant>,
    /// Spans lost since then.
    lost: usize,
    is_failing: bool,
}

impl Report {
    /// Records a request with `lost` spans that the collector did not accept, and its error.
    pub(super) fn note(&self, lost: usize, error: Option<&String>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lost == 0 && error.is_none() {
            if state.recovered() {
                tracing::info!("Spans are exported again.");
            }
        } else if let Some(spans) = state.failed(lost, Instant::now()) {
            let error = error.map_or("the collector refuses some of them", String::as_str);
            tracing::warn!(spans, error, "Spans were not exported; events are not affected.");
        }
    }
}

impl State {
    /// Returns how many spans were lost since the last line, if the next line is due.
    fn failed(&mut self, lost: usize, now: Instant) -> Option<usize> {
        self.lost += lost;
        if self.logged.is_some_and(|logged| now.duration_since(logged) < BETWEEN) {
            return None;
        }
        (self.logged, self.is_failing) = (Some(now), true);
        Some(std::mem::take(&mut self.lost))
    }

    /// Returns whether a failure was logged without a recovery since.
    fn recovered(&mut self) -> bool {
        std::mem::take(&mut self.is_failing)
    }
}

#[cfg(test)]
mod tests;
