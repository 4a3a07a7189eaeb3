//! What is logged of the export: that the collector does not take spans, at most once a minute, and that it does again.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The time between two lines about failures.
const BETWEEN: Duration = Duration::from_secs(60);

/// What was logged, and what is still to be.
#[derive(Debug, Default)]
pub(super) struct Report(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// When the last failure was logged.
    logged: Option<Instant>,
    /// Spans that were lost since.
    lost: usize,
    is_failing: bool,
}

impl Report {
    /// Takes note of a request with `lost` spans that the collector did not take, and of what was wrong with it.
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
    /// Returns how many spans were lost since the last line, where it is time for the next one.
    fn failed(&mut self, lost: usize, now: Instant) -> Option<usize> {
        self.lost += lost;
        if self.logged.is_some_and(|logged| now.duration_since(logged) < BETWEEN) {
            return None;
        }
        (self.logged, self.is_failing) = (Some(now), true);
        Some(std::mem::take(&mut self.lost))
    }

    /// Returns whether a failure was logged, and no recovery since.
    fn recovered(&mut self) -> bool {
        std::mem::take(&mut self.is_failing)
    }
}

#[cfg(test)]
mod tests;
