//! The content of `/status.json`, written by the admin port and read by `penstock-indexer status`.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::layout::Unit;
use super::text;
use crate::readiness::{Report, Standing};

/// Describes a service at one moment.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Document {
    /// `receiver` or `indexer`.
    pub service: String,
    /// Its version.
    pub version: String,
    /// The time of writing, as RFC 3339.
    pub at: String,
    /// How many seconds the service has been running.
    pub uptime_seconds: u64,
    /// Whether each condition is met.
    pub ready: bool,
    /// The conditions of its readiness, unmet ones first.
    pub conditions: Vec<Condition>,
    /// Its figures, as of the last sample.
    pub figures: Vec<Figure>,
    /// Its topics or sources by name, as of the last sample, each with its cells by name.
    pub parts: BTreeMap<String, BTreeMap<String, Cell>>,
    /// The last warnings and errors of its log, newest first.
    pub errors: Vec<LogLine>,
}

/// One condition.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Condition {
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: Standing,
    /// Why it is not met, or what is wrong although it is met. Empty if nothing is wrong.
    pub text: String,
    /// How many seconds it has been in this state.
    pub seconds: u64,
}

/// One figure.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Figure {
    /// Its name for machines.
    pub key: String,
    /// The part of the flow that it belongs to.
    pub node: String,
    /// Its name for people.
    pub label: String,
    /// Its unit.
    pub unit: Unit,
    /// Its value, if known.
    pub value: Option<f64>,
}

/// One cell of the table of topics or sources.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Cell {
    /// A number.
    Number {
        /// The number.
        value: f64,
        /// Its unit.
        unit: Unit,
    },
    /// A word.
    Text(String),
}

/// One warning or error.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct LogLine {
    /// The time when it was last logged, as RFC 3339.
    pub at: String,
    /// `ERROR` or `WARN`.
    pub level: String,
    /// Its text, as in the log, cut after 1 KiB.
    pub text: String,
    /// How often it was logged with this text.
    pub times: u64,
}

/// The figures of the last 15 minutes.
#[derive(Clone, Debug, Serialize)]
pub struct History {
    /// Seconds between two samples.
    pub period_seconds: u64,
    /// The samples of each figure by key, newest last; `None` where the value is unknown.
    pub samples: BTreeMap<String, Vec<Option<f64>>>,
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::value(self.value, self.unit))
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number { value, unit } => f.write_str(&text::value(Some(*value), *unit)),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl From<Report> for Condition {
    fn from(report: Report) -> Self {
        let seconds = report.since.elapsed().as_secs();
        Self { name: report.name, state: report.standing, text: report.text, seconds }
    }
}

impl Condition {
    /// Returns how long the condition has been in this state, in words.
    pub fn lasts(&self) -> String {
        humantime::format_duration(Duration::from_secs(self.seconds)).to_string()
    }
}
