//! Measures the time of requests to the registry.

use std::time::Duration;

use prometheus::{HistogramVec, Result};
use service::metrics::{Registry, histograms};

use super::RegistryError;

/// Upper bounds in seconds, up to a time-out larger than most.
const SECONDS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// The possible outcomes of a request.
const OUTCOMES: [&str; 4] = ["found", "not_found", "unusable", "unavailable"];

/// Registers the histogram `name` for requests to the schema registry, by outcome.
///
/// # Errors
/// If the name is taken or invalid.
pub fn durations(registry: &Registry, name: &str) -> Result<HistogramVec> {
    let help = "Time of requests to the schema registry, by outcome: found, not_found, unusable, unavailable.";
    let durations = histograms(registry, name, help, &["outcome"], SECONDS)?;
    for outcome in OUTCOMES {
        durations.with_label_values(&[outcome]);
    }
    Ok(durations)
}

/// Observes a request that took `time` and ended with `error`, if it failed.
pub(super) fn observe(durations: Option<&HistogramVec>, time: Duration, error: Option<&RegistryError>) {
    let outcome = match error {
        None => "found",
        Some(RegistryError::NotFound { .. } | RegistryError::NotYet { .. }) => "not_found",
        Some(RegistryError::Unusable { .. } | RegistryError::Ambiguous { .. }) => "unusable",
        Some(RegistryError::Unavailable { .. }) => "unavailable",
    };
    if let Some(durations) = durations {
        durations.with_label_values(&[outcome]).observe(time.as_secs_f64());
    }
}
