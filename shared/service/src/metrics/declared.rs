//! A registry that also lists the metrics that have no sample yet.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus::Result;
use prometheus::core::Collector;
use prometheus::proto::MetricFamily;

/// Holds the metrics of one service. Clones share them.
#[derive(Clone, Default)]
pub struct Registry {
    inner: prometheus::Registry,
    declared: Arc<Mutex<Vec<Declaration>>>,
}

/// Describes one metric as it was declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// The name.
    pub name: String,
    /// The type.
    pub kind: Kind,
    /// The names of its labels, sorted.
    pub labels: Vec<String>,
    /// The help text: what the metric counts or measures.
    pub help: String,
}

/// The type of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A value that only rises until the process ends.
    Counter,
    /// A value that rises and falls.
    Gauge,
    /// Counts of observations by upper bound.
    Histogram,
}

impl Registry {
    /// Returns an empty registry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Registers `collector`. A name that ends in `_total` is declared as a counter, whatever `kind` says, since a
    /// collector may hold both.
    ///
    /// # Errors
    /// If a name is taken or invalid.
    pub fn declare(&self, kind: Kind, collector: impl Collector + 'static) -> Result<()> {
        let declare = |name: &str, help: &str, labels: &[String]| Declaration {
            name: name.to_owned(),
            kind: if name.ends_with("_total") { Kind::Counter } else { kind },
            labels: sorted(labels),
            help: help.to_owned(),
        };
        let new: Vec<Declaration> =
            collector.desc().iter().map(|it| declare(&it.fq_name, &it.help, &it.variable_labels)).collect();
        self.inner.register(Box::new(collector))?;
        self.declared.lock().unwrap_or_else(PoisonError::into_inner).extend(new);
        Ok(())
    }

    /// Returns the current samples.
    pub fn gather(&self) -> Vec<MetricFamily> {
        self.inner.gather()
    }

    /// Returns all declared metrics, sorted by name.
    pub fn declared(&self) -> Vec<Declaration> {
        let mut declared = self.declared.lock().unwrap_or_else(PoisonError::into_inner).clone();
        declared.sort_by(|one, other| one.name.cmp(&other.name));
        declared
    }
}

impl Kind {
    /// Returns the name of the type in Prometheus.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("declared", &self.declared().len()).finish_non_exhaustive()
    }
}

fn sorted(labels: &[String]) -> Vec<String> {
    let mut labels = labels.to_vec();
    labels.sort_unstable();
    labels
}
