//! The status of a service: its readiness, current figures and those of the last 15 minutes, and the last warnings of
//! its log. The admin port serves it as a page for people and as JSON; `penstock-indexer status` reads the JSON.
//!
//! A service declares its status page as a [`layout`]. A new figure is a row there, and must come from a metric that is
//! already registered. The space for its samples is fixed (`history`).

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use crate::metrics::Registry;
use serde::Serialize;
use tokio::time::MissedTickBehavior;

use crate::readiness::Readiness;
use crate::telemetry::recent;
use document::{Condition, Document, Figure, LogLine};
use history::{History, PERIOD};
use layout::Layout;

pub use page::SECURITY_POLICY;

pub mod document;
mod history;
pub mod layout;
mod measure;
mod page;
mod plot;
pub mod text;

/// Holds the status of one service.
#[derive(Debug)]
pub struct Status {
    layout: &'static Layout,
    registry: Registry,
    readiness: Arc<Readiness>,
    started: Instant,
    history: Mutex<History>,
}

/// The content of `/status.json`.
#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    document: Document,
    history: document::History,
}

impl Status {
    /// Returns the status of the service that `layout` describes. `registry` holds its metrics.
    pub fn new(layout: &'static Layout, registry: Registry, readiness: Arc<Readiness>) -> Self {
        Self { layout, registry, readiness, started: Instant::now(), history: Mutex::default() }
    }

    /// Returns the metrics.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Returns the readiness.
    pub fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    /// Takes samples for the plots. Never returns.
    pub async fn follow(&self) -> Infallible {
        let mut ticks = tokio::time::interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.sample();
        }
    }

    /// Returns the page for people.
    pub fn page(&self) -> String {
        page::page(self.layout, &self.document(), &self.history())
    }

    /// Returns the content of `/status.json`.
    ///
    /// # Errors
    /// Never in practice: all values can be written as JSON.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&Whole { document: self.document(), history: self.history() })
    }

    fn sample(&self) {
        let families = self.registry.gather();
        self.history.lock().unwrap_or_else(PoisonError::into_inner).take(self.layout, &families, Instant::now());
    }

    fn document(&self) -> Document {
        let mut conditions: Vec<Condition> = self.readiness.report().into_iter().map(Condition::from).collect();
        conditions.sort_by_key(|condition| std::cmp::Reverse(condition.state));
        let history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        let figures = self.layout.figures().enumerate().map(|(number, (node, figure))| Figure {
            key: figure.key.to_owned(),
            node: node.to_owned(),
            label: figure.label.to_owned(),
            unit: figure.unit,
            value: history.last(number),
        });
        let parts = history.rows().iter().map(|(name, cells)| {
            let columns = self.layout.parts.columns.iter().map(|column| column.name.to_owned());
            (name.clone(), columns.zip(cells.iter().cloned()).filter_map(|(name, cell)| Some((name, cell?))).collect())
        });
        Document {
            service: self.layout.service.to_owned(),
            version: self.layout.version.to_owned(),
            at: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            uptime_seconds: self.started.elapsed().as_secs(),
            ready: self.readiness.is_ready(),
            conditions,
            figures: figures.collect(),
            parts: parts.collect(),
            errors: recent::lines().into_iter().rev().map(LogLine::from).collect(),
        }
    }

    fn history(&self) -> document::History {
        let history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        let figures = self.layout.figures().enumerate().filter(|(_, (_, figure))| figure.plot.is_some());
        let samples: BTreeMap<String, Vec<Option<f64>>> =
            figures.map(|(number, (_, figure))| (figure.key.to_owned(), history.samples(number))).collect();
        document::History { period_seconds: PERIOD.as_secs(), samples }
    }
}

impl From<recent::Line> for LogLine {
    fn from(line: recent::Line) -> Self {
        Self {
            at: humantime::format_rfc3339_seconds(line.at).to_string(),
            level: line.level.as_str().to_owned(),
            text: line.text,
            times: line.times,
        }
    }
}

#[cfg(test)]
mod tests;
