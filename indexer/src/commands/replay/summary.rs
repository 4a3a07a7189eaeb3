//! The summary of a replay.

use std::fmt;
use std::ops::AddAssign;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{HumanCount, HumanDuration};
use serde::Serialize;

use super::checkpoint::Checkpoint;
use super::{Done, as_offsets, total};
use crate::bulk::dry_run::DryRun;
use crate::commands::output;
use crate::config::Config;
use crate::index::swap::Comparison;
use crate::metrics::Metrics;

/// The outcome of the records that one run has read.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Tally {
    /// Records that were read.
    read: u64,
    /// Documents that were written.
    indexed: u64,
    /// Documents that already existed for the same event.
    duplicates: u64,
    /// Events whose id belongs to another event; they are also counted in `dead`.
    conflicts: u64,
    /// Records that went to the dead-letter topic.
    dead: u64,
    /// Documents that an ingest pipeline dropped.
    dropped: u64,
    /// Records that were not indexed: tombstones, and records that `--key` does not name.
    skipped: u64,
}

/// The findings of a dry run.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct DryRunFindings {
    /// Documents that would be written.
    new: u64,
    /// Documents that already exist for the same event.
    same: u64,
    /// Documents whose id belongs to another event.
    conflicts: u64,
    /// Records that cannot become a document.
    undecodable: u64,
}

/// The result for the new index.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Filled {
    /// The new index.
    pub(super) into: String,
    /// The result of the comparison.
    pub(super) compared: Comparison,
    /// Whether the alias points to the new index.
    pub(super) is_swapped: bool,
    /// The indices that the alias led to before.
    pub(super) replaced: Vec<String>,
    /// The command that undoes the swap.
    pub(super) way_back: Option<String>,
}

/// The outcome of a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    /// Everything is settled.
    Done,
    /// The replay was stopped before its end.
    Interrupted,
    /// The replay was a dry run and wrote nothing.
    DryRun,
}

/// The summary as printed.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    name: String,
    topic: String,
    index: String,
    pub(super) outcome: Outcome,
    /// The first offset of each partition.
    from: String,
    /// The end offset of each partition.
    to: String,
    /// The total number of offsets.
    offsets: u64,
    /// The number of offsets that earlier runs had settled.
    settled_before: u64,
    #[serde(flatten)]
    tally: Tally,
    #[serde(skip_serializing_if = "Option::is_none")]
    dry_run: Option<DryRunFindings>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) filled: Option<Filled>,
    seconds: f64,
    records_per_second: u64,
}

impl Tally {
    /// Reads the counts of `metrics` for `topic`.
    pub(super) fn of(metrics: &Metrics, topic: &str) -> Self {
        let documents = |outcome| metrics.documents.with_label_values(&[outcome]).get();
        let (read, indexed, duplicates) = (metrics.consumed.get(), documents("indexed"), documents("duplicate"));
        let (dead, dropped) = (metrics.letters.of(topic), documents("dropped"));
        Self {
            read,
            indexed,
            duplicates,
            conflicts: metrics.verify.conflicts.with_label_values(&[topic]).get(),
            dead,
            dropped,
            skipped: read.saturating_sub(indexed + duplicates + dead + dropped),
        }
    }

    /// Corrects the number of skipped records for a dry run, which settles nothing.
    fn of_dry_run(self, found: &DryRunFindings) -> Self {
        let kept = found.new + found.same + found.conflicts + found.undecodable;
        Self { skipped: self.read.saturating_sub(kept), ..self }
    }
}

impl DryRunFindings {
    fn of(dry_run: &DryRun) -> Self {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Self {
            new: get(&dry_run.new),
            same: get(&dry_run.same),
            conflicts: get(&dry_run.conflicts),
            undecodable: get(&dry_run.undecodable),
        }
    }
}

impl Summary {
    pub(super) fn new(name: String, config: &Config, checkpoint: &Checkpoint, done: Done) -> Self {
        let (from, to) = as_offsets(&checkpoint.ranges);
        let found = done.dry_run.as_deref().map(DryRunFindings::of);
        let outcome = match (done.is_complete, &found) {
            (false, _) => Outcome::Interrupted,
            (true, Some(_)) => Outcome::DryRun,
            (true, None) => Outcome::Done,
        };
        Self {
            name,
            topic: config.kafka.topic.clone(),
            index: config.elasticsearch.index_names().join(","),
            outcome,
            from,
            to,
            offsets: total(&checkpoint.ranges),
            settled_before: checkpoint.settled,
            tally: found.map_or(done.tally, |found| done.tally.of_dry_run(&found)),
            dry_run: found,
            filled: None,
            seconds: done.elapsed.as_secs_f64(),
            records_per_second: output::rate(done.tally.read, done.elapsed),
        }
    }

    /// Sets the number of offsets that were settled before this run.
    pub(super) fn after(self, settled: u64) -> Self {
        Self { settled_before: settled, ..self }
    }

    /// Returns whether a dry run has found differences between the index and the topic.
    pub(super) fn differs(&self) -> bool {
        self.dry_run.is_some_and(|found| found.new + found.conflicts + found.undecodable > 0)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = HumanCount;
        let head = match self.outcome {
            Outcome::Done => "is done",
            Outcome::Interrupted => "was stopped; to continue it, give the same command again",
            Outcome::DryRun => "is a dry run: nothing was written",
        };
        writeln!(f, "The replay {:?} of {} into {} {head}.", self.name, self.topic, self.index)?;
        writeln!(f, "from        {}", self.from)?;
        writeln!(f, "to          {}", self.to)?;
        if self.settled_before > 0 {
            writeln!(f, "done before {} of {} offsets", count(self.settled_before), count(self.offsets))?;
        }
        writeln!(f, "read        {}", count(self.tally.read))?;
        match &self.dry_run {
            Some(found) => {
                writeln!(f, "new         {} (would be written)", count(found.new))?;
                writeln!(f, "same        {} (already indexed)", count(found.same))?;
                writeln!(f, "conflicts   {} (another event has the id: dead letters)", count(found.conflicts))?;
                writeln!(f, "undecodable {} (dead letters)", count(found.undecodable))?;
            }
            None => {
                writeln!(f, "indexed     {}", count(self.tally.indexed))?;
                writeln!(f, "duplicates  {} (already indexed)", count(self.tally.duplicates))?;
                writeln!(f, "conflicts   {} (another event has the id)", count(self.tally.conflicts))?;
                writeln!(f, "dead        {} (dead letters, conflicts included)", count(self.tally.dead))?;
                if self.tally.dropped > 0 {
                    writeln!(f, "dropped     {} (by an ingest pipeline of the index)", count(self.tally.dropped))?;
                }
            }
        }
        writeln!(f, "skipped     {} (tombstones, other keys)", count(self.tally.skipped))?;
        let time = HumanDuration(std::time::Duration::from_secs_f64(self.seconds));
        write!(f, "rate        {} records/s in {time}", count(self.records_per_second))?;
        self.filled.as_ref().map_or(Ok(()), |filled| write!(f, "\n{filled}"))
    }
}

impl fmt::Display for Filled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Comparison { old, new, sample, missing, different } = self.compared;
        writeln!(f, "compared    {} documents in {}", HumanCount(old), self.replaced.join(", "))?;
        writeln!(f, "with        {} documents in {}", HumanCount(new), self.into)?;
        write!(f, "sample      {sample}, of which {missing} are missing and {different} have other fields")?;
        if self.compared.lacks() {
            write!(f, "\n{} lacks documents; --accept-fewer swaps nevertheless", self.into)?;
        }
        if self.is_swapped {
            write!(f, "\nThe alias now points to {}.", self.into)?;
        }
        self.way_back.as_ref().map_or(Ok(()), |way_back| write!(f, "\nTo undo the swap: {way_back}"))
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.read += other.read;
        self.indexed += other.indexed;
        self.duplicates += other.duplicates;
        self.conflicts += other.conflicts;
        self.dead += other.dead;
        self.dropped += other.dropped;
        self.skipped += other.skipped;
    }
}
