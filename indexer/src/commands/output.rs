//! What a command prints: its report on standard output, as text for people or as JSON for machines; its progress on
//! standard error.
//!
//! A report is a type that is both [`Display`] and [`Serialize`]. Its text ends without a line break; its JSON is one
//! object on one line, so that a command may print several of them.

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressStyle};
use serde::Serialize;

/// How often progress is a new line where standard error is no terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(5);
/// How the bar is drawn (indicatif's templates).
const BAR: &str = "{prefix} [{bar:30}] {human_pos}/{human_len} {msg}";
/// How progress is drawn whose end is not known.
const SPINNER: &str = "{prefix} {spinner} {human_pos} {msg}";

/// How a command prints: the arguments that all of them have.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Output {
    /// Print JSON for machines instead of text: one object on each line.
    #[arg(long)]
    pub json: bool,
}

/// What a command has to say.
pub trait Report: Display + Serialize {}

impl<T: Display + Serialize> Report for T {}

impl Output {
    /// Prints `report` on standard output.
    pub fn print(self, report: &impl Report) {
        let line = self.line(report);
        // The reader may have gone (`| head`).
        if let Err(error) = writeln!(std::io::stdout(), "{line}") {
            tracing::debug!(%error, "Standard output is closed.");
        }
    }

    /// Begins to show the progress of `what`, such as "replay"; `total` is where it ends, if that is known.
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

/// Shows how far a command has come: a bar on a terminal, else a line every few seconds.
#[derive(Debug)]
pub struct Progress {
    what: String,
    total: Option<u64>,
    /// Where it began: what was done before counts for no rate.
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

    /// Shows that `done` of the total are done, and `note` behind it.
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

    /// Sets where it ends.
    pub fn set_total(&mut self, total: u64) {
        self.total = Some(total);
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            bar.set_style(style(BAR));
        }
    }

    /// Takes the bar off the terminal.
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

/// Returns the rate of `done` in `elapsed`, and the time left where `of` says how much of how much is done.
fn pace(done: u64, elapsed: Duration, of: Option<(u64, u64)>) -> String {
    let rate = rate(done, elapsed);
    let left = of.map(|(done, total)| total.saturating_sub(done)).filter(|left| rate > 0 && *left > 0);
    match left {
        Some(left) => format!("{}/s, {} left", HumanCount(rate), HumanDuration(Duration::from_secs(left / rate))),
        None => format!("{}/s", HumanCount(rate)),
    }
}

/// Returns how many a second `done` in `elapsed` are.
pub fn rate(done: u64, elapsed: Duration) -> u64 {
    let millis = elapsed.as_millis().max(1);
    u64::try_from(u128::from(done) * 1_000 / millis).unwrap_or(u64::MAX)
}

fn joined(pace: &str, note: &str) -> String {
    if note.is_empty() { pace.to_owned() } else { format!("{pace}, {note}") }
}

#[cfg(test)]
mod tests;
