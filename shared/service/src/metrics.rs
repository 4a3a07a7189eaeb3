//! Prometheus metrics. Each service has a [`Registry`] and its own struct; each function here creates and registers one
//! metric family.
//!
//! Registering a metric also declares it: `docs/metrics.md` is generated from the declarations, and a test checks that
//! the dashboards and rules use each metric.
//!
//! Names are `penstock_<service>_<what>_<unit>[_total]` (Prometheus documentation, "Metric and label naming").
//! Durations are in seconds, sizes in bytes. The hot paths count per batch or per request, not per event.

use prometheus::{
    Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Result,
};

pub use bounded::{BoundedLabel, OTHER};
pub use conditions::conditions;
pub use declared::{Declaration, Kind, Registry};
pub use process::process;

mod bounded;
mod conditions;
mod declared;
mod process;

/// The source revision of this build, or "unknown" if the build did not set `PENSTOCK_REVISION`.
pub const REVISION: &str = match option_env!("PENSTOCK_REVISION") {
    Some(revision) => revision,
    None => "unknown",
};

/// Registers a counter.
///
/// # Errors
/// If the name is taken or invalid. The same holds for each function here.
pub fn counter(registry: &Registry, name: &str, help: &str) -> Result<IntCounter> {
    let metric = IntCounter::new(name, help)?;
    registry.declare(Kind::Counter, metric.clone())?;
    Ok(metric)
}

/// Registers a family of counters.
///
/// # Errors
/// As for [`counter`].
pub fn counters(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec> {
    let metric = IntCounterVec::new(Opts::new(name, help), labels)?;
    registry.declare(Kind::Counter, metric.clone())?;
    Ok(metric)
}

/// Registers a family of counters with one label, and starts those of the known `values` at 0. A counter that appears
/// only with its first event shows no increase for that event (Prometheus documentation, "Instrumentation", "Avoid
/// missing metrics").
///
/// # Errors
/// As for [`counter`].
pub fn counters_of(registry: &Registry, name: &str, help: &str, label: &str, values: &[&str]) -> Result<IntCounterVec> {
    let metric = counters(registry, name, help, &[label])?;
    begin_at_zero(&metric, values);
    Ok(metric)
}

/// Starts the counters of the known `values` of the single label at 0, like [`counters_of`]. For a family that only
/// some processes have.
pub fn begin_at_zero(counters: &IntCounterVec, values: &[&str]) {
    for value in values {
        counters.with_label_values(&[*value]);
    }
}

/// Registers a gauge of integers.
///
/// # Errors
/// As for [`counter`].
pub fn gauge(registry: &Registry, name: &str, help: &str) -> Result<IntGauge> {
    let metric = IntGauge::new(name, help)?;
    registry.declare(Kind::Gauge, metric.clone())?;
    Ok(metric)
}

/// Registers a gauge of floating-point numbers.
///
/// # Errors
/// As for [`counter`].
pub fn float_gauge(registry: &Registry, name: &str, help: &str) -> Result<Gauge> {
    let metric = Gauge::new(name, help)?;
    registry.declare(Kind::Gauge, metric.clone())?;
    Ok(metric)
}

/// Registers the gauge `name` with the constant value 1 and the labels `version` and `revision`. The gauge identifies a
/// scrape target as this service, whatever the scrape job is called (Prometheus documentation, "Writing exporters",
/// "Labels").
///
/// # Errors
/// As for [`counter`].
pub fn build_info(registry: &Registry, name: &str, version: &str) -> Result<()> {
    let help = "Always 1. Its labels are the version and the source revision of the running build.";
    gauges(registry, name, help, &["version", "revision"])?.with_label_values(&[version, REVISION]).set(1);
    Ok(())
}

/// Registers a family of gauges of floating-point numbers.
///
/// # Errors
/// As for [`counter`].
pub fn float_gauges(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> Result<GaugeVec> {
    let metric = GaugeVec::new(Opts::new(name, help), labels)?;
    registry.declare(Kind::Gauge, metric.clone())?;
    Ok(metric)
}

/// Registers a family of gauges of integers.
///
/// # Errors
/// As for [`counter`].
pub fn gauges(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec> {
    let metric = IntGaugeVec::new(Opts::new(name, help), labels)?;
    registry.declare(Kind::Gauge, metric.clone())?;
    Ok(metric)
}

/// Registers a histogram with these upper bounds.
///
/// # Errors
/// As for [`counter`].
pub fn histogram(registry: &Registry, name: &str, help: &str, bounds: &[f64]) -> Result<Histogram> {
    let metric = Histogram::with_opts(HistogramOpts::new(name, help).buckets(bounds.to_vec()))?;
    registry.declare(Kind::Histogram, metric.clone())?;
    Ok(metric)
}

/// Registers a family of histograms with these upper bounds.
///
/// # Errors
/// As for [`counter`].
pub fn histograms(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
    bounds: &[f64],
) -> Result<HistogramVec> {
    let metric = HistogramVec::new(HistogramOpts::new(name, help).buckets(bounds.to_vec()), labels)?;
    registry.declare(Kind::Histogram, metric.clone())?;
    Ok(metric)
}

#[cfg(test)]
mod tests;
