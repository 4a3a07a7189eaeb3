//! What `/status.json` holds, written by the admin port and read by `penstock-indexer status`.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::layout::Unit;
use super::text;
use crate::readiness::{Report, Standing};

/// A service at one time.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Document {
    /// `receiver` or `indexer`.
    pub service: String,
    /// Its version.
    pub version: String,
    /// When this was written, as RFC 3339.
    pub at: String,
    /// For how many seconds it has been running.
    pub uptime_seconds: u64,
    /// Whether each condition is met.
    pub ready: bool,
    /// The conditions of its readiness, those that are not met first.
    pub conditions: Vec<Condition>,
    /// Its figures, as of the last sample.
    pub figures: Vec<Figure>,
    /// Its topics or sources by their names, as of the last sample. Each has its cells by their names.
    pub parts: BTreeMap<String, BTreeMap<String, Cell>>,
    /// The last warnings and errors of its log, the newest first.
    pub errors: Vec<LogLine>,
}

/// One condition.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Condition {
    /// Its name.
    pub name: String,
    /// How it stands.
    pub state: Standing,
    /// Why it is not met, or what is wrong all the same; empty where nothing is.
    pub text: String,
    /// For how many seconds it has stood so.
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
    /// Its value; none while nothing can be said.
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
    /// When it was logged last, as RFC 3339.
    pub at: String,
    /// `ERROR` or `WARN`.
    pub level: String,
    /// Its text, as the log has it; cut after 1 KiB.
    pub text: String,
    /// How often it was logged with this text.
    pub times: u64,
}

/// The figures of the last 15 minutes.
#[derive(Clone, Debug, Serialize)]
pub struct History {
    /// Seconds between two samples.
    pub period_seconds: u64,
    /// The samples of each figure by its key, the newest last; none where nothing can be said.
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
    /// Returns for how long it has stood so, in words.
    pub fn lasts(&self) -> String {
        humantime::format_duration(Duration::from_secs(self.seconds)).to_string()
    }
}
