//! Prints the report of a command on standard output, as text for people or as JSON for machines, and its progress on
//! standard error.
//!
//! A report is a type that is both [`Display`] and [`Serialize`]. Its text ends without a line break. Its JSON is one
//! object on one line, so that a command may print several of them.

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressStyle};
use serde::Serialize;

/// How often a new progress line is printed if standard error is not a terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(5);
/// The template of the progress bar (indicatif).
const BAR: &str = "{prefix} [{bar:30}] {human_pos}/{human_len} {msg}";
/// The template for progress without a known end.
const SPINNER: &str = "{prefix} {spinner} {human_pos} {msg}";

/// How a command prints: the arguments that all commands share.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Output {
    /// Print JSON for machines instead of text: one object on each line.
    #[arg(long)]
    pub json: bool,
}

/// The report of a command.
pub trait Report: Display + Serialize {}

impl<T: Display + Serialize> Report for T {}

impl Output {
    /// Prints `report` on standard output.
    pub fn print(self, report: &impl Report) {
        let line = self.line(report);
        // The reader may have ended (`| head`).
        if let Err(error) = writeln!(std::io::stdout(), "{line}") {
            tracing::debug!(%error, "Standard output is closed.");
        }
    }

    /// Starts to show the progress of `what`, for example "replay". `total` is the end, if it is known.
    pub fn progress(self, what: &str, total: Option<u64>) -> Progress {
        Progress::new(what, total, std::io::stderr().is_terminal())
    }

    fn line(self, report: &impl Report) -> String {
        if !self.json {
            return report.to_string();
        }
        serde_json::to_string(report).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"))
    }
}

/// Shows the progress of a command: a bar on a terminal, or else a line every few seconds.
#[derive(Debug)]
pub struct Progress {
    what: String,
    total: Option<u64>,
    /// The progress at the start. What was done before does not count towards the rate.
    begin: Option<u64>,
    since: Instant,
    last_line: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    fn new(what: &str, total: Option<u64>, is_terminal: bool) -> Self {
        let now = Instant::now();
        let bar = is_terminal.then(|| bar(what, total));
        Self { what: what.to_owned(), total, begin: None, since: now, last_line: now, bar }
    }

    /// Shows that `done` of the total are done, followed by `note`.
    pub fn show(&mut self, done: u64, note: &str) {
        let begin = *self.begin.get_or_insert(done);
        let pace = pace(done.saturating_sub(begin), self.since.elapsed(), self.total.map(|total| (done, total)));
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            bar.set_message(joined(&pace, note));
            return;
        }
        if self.last_line.elapsed() >= LINE_INTERVAL {
            self.last_line = Instant::now();
            let of = self.total.map_or_else(String::new, |total| format!(" of {}", HumanCount(total)));
            log_line(&format!("{}: {}{of}, {}", self.what, HumanCount(done), joined(&pace, note)));
        }
    }

    /// Sets the end.
    pub fn set_total(&mut self, total: u64) {
        self.total = Some(total);
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            bar.set_style(style(BAR));
        }
    }

    /// Removes the bar from the terminal.
    pub fn finish(self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(what: &str, total: Option<u64>) -> ProgressBar {
    let bar = match total {
        Some(total) => ProgressBar::new(total).with_style(style(BAR)),
        None => ProgressBar::new_spinner().with_style(style(SPINNER)),
    };
    bar.with_prefix(what.to_owned())
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn log_line(line: &str) {
    if let Err(error) = writeln!(std::io::stderr(), "{line}") {
        tracing::debug!(%error, "Standard error is closed.");
    }
}

/// Returns the rate of `done` in `elapsed`, and the remaining time if `of` gives the progress and the total.
fn pace(done: u64, elapsed: Duration, of: Option<(u64, u64)>) -> String {
    let rate = rate(done, elapsed);
    let left = of.map(|(done, total)| total.saturating_sub(done)).filter(|left| rate > 0 && *left > 0);
    match left {
        Some(left) => format!("{}/s, {} left", HumanCount(rate), HumanDuration(Duration::from_secs(left / rate))),
        None => format!("{}/s", HumanCount(rate)),
    }
}

/// Returns the rate per second for `done` in `elapsed`.
pub fn rate(done: u64, elapsed: Duration) -> u64 {
    let millis = elapsed.as_millis().max(1);
    u64::try_from(u128::from(done) * 1_000 / millis).unwrap_or(u64::MAX)
}

fn joined(pace: &str, note: &str) -> String {
    if note.is_empty() { pace.to_owned() } else { format!("{pace}, {note}") }
}

#[cfg(test)]
mod tests;
