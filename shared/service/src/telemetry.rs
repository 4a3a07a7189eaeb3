//! Logs: one line an occurrence, on standard error, as text or JSON. How much may be written is in `lines`.

use std::io::IsTerminal as _;

use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

use lines::Lines;

mod lines;

/// `log`: how to log.
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
    /// For machines: one object a line.
    Json,
}

/// Sends the logs of this process to standard error, from `log.level` on, in `log.format`; each JSON object says that
/// it is of `service`. A second call changes nothing, so that tests can start several services in one process.
///
/// # Errors
/// When `log.level` is not a filter that `tracing` understands.
pub fn init(log: &Log, service: &'static str) -> Result<(), String> {
    let filter = filter(&log.level).map_err(|error| format!("log.level: {error}"))?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Lines::new(std::io::stderr, log.format, service))
        .with_ansi(std::io::stderr().is_terminal());
    let installed = match log.format {
        LogFormat::Text => subscriber.try_init(),
        LogFormat::Json => subscriber.json().flatten_event(true).try_init(),
    };
    if installed.is_err() {
        tracing::debug!("Logs are already set up.");
    }
    Ok(())
}

/// Returns the filter that `level` is.
pub fn filter(level: &str) -> Result<EnvFilter, String> {
    if level.trim().is_empty() {
        return Err("must not be empty".to_owned());
    }
    EnvFilter::try_new(level)
        .map_err(|error| format!("{level:?} is not a level or a list such as info,rdkafka=warn: {error}"))
}

#[cfg(test)]
mod tests;
