//! The points of a curve, and the quantities that are plotted.

use std::fmt;

use serde::Serialize;

use super::curve::Curve;
use crate::number::{exact, short};
use crate::sample::Sample;

/// A measured service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Service {
    /// `penstock-receiver`.
    Receiver,
    /// `penstock-indexer`.
    Indexer,
}

/// One service at one value of what grows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Point {
    /// The value of what grows.
    pub(super) value: u64,
    /// The measured service.
    pub(super) service: Service,
    /// Events per second.
    pub(super) events_per_second: f64,
    /// CPU seconds per million events.
    pub(super) cpu_seconds_per_million: f64,
    /// The peak memory, in MiB.
    pub(super) peak_mib: Option<f64>,
    /// The 99th percentile of the time of a request to the receiver, in milliseconds.
    pub(super) p99_ms: Option<f64>,
    /// The mean time from the record's timestamp until the document is acknowledged, in milliseconds.
    pub(super) mean_age_ms: Option<f64>,
}

/// A curve with its points.
#[derive(Debug)]
pub(super) struct Measured {
    /// The curve.
    pub(super) curve: Curve,
    /// The points, in ascending order of their values.
    pub(super) points: Vec<Point>,
}

/// A quantity that is plotted.
pub(super) struct Quantity {
    /// Its name with the unit.
    pub(super) title: &'static str,
    /// Returns it, if the point has it.
    pub(super) of: fn(&Point) -> Option<f64>,
}

/// All quantities, in the order of columns and panels.
static QUANTITIES: [Quantity; 5] = [
    Quantity { title: "events/s", of: |point| Some(point.events_per_second) },
    Quantity { title: "CPU-s per M", of: |point| Some(point.cpu_seconds_per_million) },
    Quantity { title: "peak MiB", of: |point| point.peak_mib },
    Quantity { title: "p99 ms", of: |point| point.p99_ms },
    Quantity { title: "mean age ms", of: |point| point.mean_age_ms },
];

impl Service {
    /// All services.
    pub(super) const ALL: [Self; 2] = [Self::Receiver, Self::Indexer];

    /// Returns the name for tables and plots.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Receiver => "receiver",
            Self::Indexer => "indexer",
        }
    }
}

impl Point {
    /// Returns the point of `service` at `value`.
    pub(super) fn of(value: u64, service: Service, sample: &Sample) -> Self {
        Self {
            value,
            service,
            events_per_second: sample.rate(),
            cpu_seconds_per_million: sample.cpu_per_million(),
            peak_mib: sample.peak_mib(),
            p99_ms: sample.p99_ms,
            mean_age_ms: None,
        }
    }
}

impl Measured {
    /// Returns the quantities that at least one of the points has.
    pub(super) fn quantities(&self) -> Vec<&'static Quantity> {
        let has = |quantity: &&Quantity| self.points.iter().any(|point| (quantity.of)(point).is_some());
        QUANTITIES.iter().filter(has).collect()
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quantities = self.quantities();
        let head: String = quantities.iter().map(|quantity| format!("{:>13}", quantity.title)).collect();
        writeln!(f, "{:<30}{:<10}{head}", self.curve.unit(), "")?;
        for point in &self.points {
            let cell = |quantity: &&Quantity| format!("{:>13}", (quantity.of)(point).map_or("-".to_owned(), short));
            let cells: String = quantities.iter().map(cell).collect();
            writeln!(f, "{:<30}{:<10}{cells}", exact(point.value as f64), point.service.name())?;
        }
        Ok(())
    }
}
