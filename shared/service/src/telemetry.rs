//! Logs: one line per event, on standard error, as text or JSON. The module `lines` limits how much is written;
//! [`recent`] keeps the last warnings.

use std::io::IsTerminal as _;

use serde::{Deserialize, Serialize};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use lines::Lines;

mod lines;
pub mod recent;

/// `log`: level and format of the logs.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `log.level`: a level (`error`, `warn`, `info`, `debug`, `trace`) or a list such as `info,rdkafka=warn`.
    pub level: String,
    /// `log.format`: `text` or `json`.
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::Text }
    }
}

/// `log.format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one object per line.
    Json,
}

/// Sends the logs of this process to standard error, from `log.level` on, in `log.format`. Each JSON object names the
/// `service`. A second call changes nothing, so that tests can start several services in one process.
///
/// # Errors
/// If `log.level` is not a filter that `tracing` understands.
pub fn init(log: &Log, service: &'static str) -> Result<(), String> {
    let filter = filter(&log.level).map_err(|error| format!("log.level: {error}"))?;
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(Lines::new(std::io::stderr, log.format, service))
        .with_ansi(std::io::stderr().is_terminal());
    let lines = match log.format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    if tracing_subscriber::registry().with(filter).with(recent::Keep).with(lines).try_init().is_err() {
        tracing::debug!("Logs are already set up.");
    }
    Ok(())
}

/// Parses the filter in `level`.
pub fn filter(level: &str) -> Result<EnvFilter, String> {
    if level.trim().is_empty() {
        return Err("must not be empty".to_owned());
    }
    EnvFilter::try_new(level)
        .map_err(|error| format!("{level:?} is not a level or a list such as info,rdkafka=warn: {error}"))
}

#[cfg(test)]
mod tests;
