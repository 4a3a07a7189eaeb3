//! One measurement of one line.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use harness::usage::Usage;

/// One measurement of one line.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Sample {
    /// The number of events.
    pub(super) events: u64,
    /// The time from the first event to the last.
    pub(super) seconds: f64,
    /// The CPU time of the process.
    pub(super) cpu_seconds: f64,
    /// The peak memory of the process.
    pub(super) peak_bytes: Option<u64>,
    /// The median time of a request, in milliseconds.
    pub(super) p50_ms: Option<f64>,
    /// The 99th percentile of the time of a request, in milliseconds.
    pub(super) p99_ms: Option<f64>,
    /// The longest time of a request, in milliseconds. If all requests wait at the same time, they are too few for
    /// `p99_ms` to show it.
    pub(super) max_ms: Option<f64>,
}

impl Sample {
    /// Returns a sample of `events` in `elapsed`.
    pub(super) fn new(events: u64, elapsed: Duration) -> Self {
        let seconds = elapsed.as_secs_f64();
        Self { events, seconds, cpu_seconds: 0.0, peak_bytes: None, p50_ms: None, p99_ms: None, max_ms: None }
    }

    /// Adds the usage of a process since its start.
    pub(super) fn with_usage(self, usage: Usage) -> Self {
        Self { cpu_seconds: usage.cpu_seconds, peak_bytes: Some(usage.peak_bytes), ..self }
    }

    /// Adds the usage of a process between two readings.
    pub(super) fn with_usage_between(self, before: Usage, after: Usage) -> Self {
        let used = self.with_usage(after);
        Self { cpu_seconds: after.cpu_seconds - before.cpu_seconds, ..used }
    }

    /// Returns the events per second.
    pub(super) fn rate(&self) -> f64 {
        self.events as f64 / self.seconds.max(f64::EPSILON)
    }

    /// Returns the CPU seconds per million events.
    pub(super) fn cpu_per_million(&self) -> f64 {
        self.cpu_seconds * 1e6 / self.events.max(1) as f64
    }

    /// Returns the peak memory of the process, in MiB.
    pub(super) fn peak_mib(&self) -> Option<f64> {
        Some(self.peak_bytes? as f64 / f64::from(1 << 20))
    }
}

/// Returns the middle value, or `None` without values. For an even number of values, returns the mean of the two in the
/// middle, so that no column shows only the better rounds.
pub(super) fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let above = *values.get(values.len() / 2)?;
    let below = values[(values.len() - 1) / 2];
    Some(f64::midpoint(below, above))
}

#[cfg(test)]
mod tests;
