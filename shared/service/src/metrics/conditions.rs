//! The conditions of readiness as a gauge. It is read at each scrape, so no code has to keep it up to date.

use std::sync::Arc;

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{IntGaugeVec, Opts, Result};

use super::{Kind, Registry};
use crate::readiness::Readiness;

/// Registers the gauge `name` for the conditions of `readiness`: 1 while a condition is met, else 0. The label is
/// `condition`, plus `topic` if a service has the condition for each of its topics.
///
/// # Errors
/// If the name is taken or invalid.
pub fn conditions(registry: &Registry, name: &str, readiness: Arc<Readiness>) -> Result<()> {
    let help = "1 while the condition of readiness is met, else 0. The service is ready while all are met.";
    let family = IntGaugeVec::new(Opts::new(name, help), &["condition", "topic"])?;
    registry.declare(Kind::Gauge, Conditions { family, readiness })
}

struct Conditions {
    family: IntGaugeVec,
    readiness: Arc<Readiness>,
}

impl Collector for Conditions {
    fn desc(&self) -> Vec<&Desc> {
        self.family.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        for (name, is_met) in self.readiness.states() {
            let (condition, topic) = Readiness::name_and_part(&name);
            self.family.with_label_values(&[condition, topic]).set(i64::from(is_met));
        }
        self.family.collect()
    }
}

#[cfg(test)]
mod tests;
