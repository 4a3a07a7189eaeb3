//! The report of a redrive, and how it waits for the indexers.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::DeadLetterError;
use super::letter::{Kind, Letter};
use super::marks::{Offsets, Sent, is_mark};
use crate::commands::log::{LogError, LogReader, Part};
use crate::commands::plain::plain;
use crate::config::Config;

/// The interval for checking the committed offsets.
const COMMIT_POLL_INTERVAL: Duration = Duration::from_millis(500);

/// The report of a redrive.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Redriven {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// Whether bodies were posted to a receiver instead of records being written.
    pub posted: bool,
    /// The number of records read from the dead-letter topic, including marks.
    pub read: u64,
    /// The number of open letters that pass the filters.
    pub letters: u64,
    /// The number of records that were written to their topics, or would be in a dry run.
    pub redriven: u64,
    /// The number of letters whose record another letter of this run also has.
    pub repeated: u64,
    /// The letters by error type.
    pub by_type: BTreeMap<String, u64>,
    /// Letters whose record cannot be written, by reason. They stay open.
    pub impossible: BTreeMap<String, u64>,
    /// The outcome of the records; `None` if it was not awaited.
    pub outcome: Option<Outcome>,
}

/// The outcome of redriven records.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Indexed, or already indexed; for bodies, accepted by the receiver.
    pub settled: u64,
    /// Became dead letters again, by error type.
    pub failed_again: BTreeMap<String, u64>,
    /// Not settled when the wait ended.
    pub waiting: u64,
}

impl Redriven {
    /// Notes that the record of a letter cannot be written. Returns no error, so that the others continue.
    pub(super) fn refuse(&mut self, why: String) -> Result<(), DeadLetterError> {
        *self.impossible.entry(why).or_default() += 1;
        Ok(())
    }

    /// Returns whether something is left for an operator.
    pub fn is_incomplete(&self) -> bool {
        let outcome = self.outcome.as_ref();
        !self.impossible.is_empty()
            || outcome.is_some_and(|outcome| outcome.waiting > 0 || !outcome.failed_again.is_empty())
    }
}

/// Waits up to `patience` until the groups of `config` have committed past all records of `sent`. Counts those that
/// became dead letters again after `letters_from`, the end of the dead-letter topic before the redrive.
///
/// # Errors
/// [`LogError`].
pub(super) fn wait(
    config: &Config,
    sent: &Sent,
    letters_from: &[Part],
    patience: Duration,
) -> Result<Outcome, LogError> {
    let until = Instant::now() + patience;
    let waiting = loop {
        let waiting = waiting(config, sent)?;
        if waiting == 0 || Instant::now() >= until {
            break waiting;
        }
        std::thread::sleep(COMMIT_POLL_INTERVAL.min(until.saturating_duration_since(Instant::now())));
    };
    let failed_again = failed_again(config, sent, letters_from)?;
    let failed: u64 = failed_again.values().sum();
    let all: u64 = sent.values().map(Offsets::count).sum();
    Ok(Outcome { settled: all.saturating_sub(waiting).saturating_sub(failed), failed_again, waiting })
}

/// Returns how many records of `sent` the groups have not committed yet.
fn waiting(config: &Config, sent: &Sent) -> Result<u64, LogError> {
    let mut waiting = 0;
    for of_topic in config.of_topics() {
        let topic = &of_topic.kafka.topic;
        let own =
            || sent.iter().filter(|((name, _), _)| name == topic).map(|((_, partition), sent)| (*partition, sent));
        if own().next().is_none() {
            continue;
        }
        let committed = LogReader::new(&of_topic)?.committed(topic, own().map(|(partition, _)| partition))?;
        for (partition, offsets) in own() {
            waiting += offsets.count_from(committed.get(&partition).copied().flatten().unwrap_or(0));
        }
    }
    Ok(waiting)
}

fn failed_again(config: &Config, sent: &Sent, from: &[Part]) -> Result<BTreeMap<String, u64>, LogError> {
    let (reader, topic) = (LogReader::new(config)?, &config.kafka.dead_letter_topic);
    let ends: BTreeMap<i32, i64> = reader.parts(topic)?.iter().map(|part| (part.partition, part.to)).collect();
    let to = |part: &Part| ends.get(&part.partition).copied().unwrap_or(part.to);
    let parts: Vec<Part> = from.iter().map(|part| Part { from: part.to, to: to(part), ..*part }).collect();
    let mut failed = BTreeMap::new();
    reader.scan::<LogError>(topic, &parts, |record| {
        let letter = Letter::of(topic, Kind::DeadLetter, record);
        let position = letter.record_position().filter(|_| !is_mark(record));
        let is_ours =
            position.is_some_and(|at| sent.get(&(at.topic, at.partition)).is_some_and(|sent| sent.contains(at.offset)));
        if is_ours {
            *failed.entry(letter.error_type().to_owned()).or_default() += 1;
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(failed)
}

impl fmt::Display for Redriven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let would = if self.dry_run { "would be redriven (dry run)" } else { "redriven" };
        write!(f, "{} of {} letters {would}", self.redriven, self.letters)?;
        if self.repeated > 0 {
            write!(f, ", {} more are letters of the same records", self.repeated)?;
        }
        for (error_type, count) in &self.by_type {
            write!(f, "\n{count:>8}  {}", plain(error_type))?;
        }
        for (why, count) in &self.impossible {
            write!(f, "\n{count:>8}  cannot be redriven: {}", plain(why))?;
        }
        let Some(Outcome { settled, failed_again, waiting }) = &self.outcome else { return Ok(()) };
        let settled_as = if self.posted { "accepted by the receiver" } else { "indexed" };
        write!(f, "\n{settled:>8}  {settled_as}")?;
        for (error_type, count) in failed_again {
            write!(f, "\n{count:>8}  dead letters again: {}", plain(error_type))?;
        }
        if *waiting > 0 {
            write!(f, "\n{waiting:>8}  not settled yet: check again with list, or use a longer --wait")?;
        }
        Ok(())
    }
}
