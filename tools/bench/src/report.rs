//! The results, as a table and as JSON. A line is a variant of [`Line`]; its aims are rows in [`aims`].

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::Serialize;

use super::machine::Machine;
use super::number::short;
use super::output;
use super::sample::{Sample, median};
use aims::Verdict;
use harness::event::now;

mod aims;

/// A line of the table, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    /// librdkafka consuming alone.
    KafkaFloor,
    /// The indexer into an Elasticsearch that does nothing.
    Indexer,
    /// The Elasticsearch that does nothing.
    NullElasticsearch,
    /// librdkafka consuming large events alone.
    KafkaFloorLarge,
    /// The indexer with large events.
    IndexerLarge,
    /// axum answering 200.
    HttpFloor,
    /// The receiver.
    Receiver,
    /// axum answering 200, at the receiver's rate.
    HttpFloorAtRate,
    /// The receiver with eight times as many connections.
    ReceiverCrowd,
    /// The receiver with few requests.
    ReceiverCalm,
    /// The receiver with many events per request.
    ReceiverFiles,
    /// apache-avro to JSON.
    AvroFloor,
    /// Penstock's Avro to JSON.
    Avro,
    /// The indexer into one index of a real Elasticsearch.
    Single,
    /// The same with strategy `rollover`, without a rollover.
    Rollover,
    /// The same while the index rolls over.
    RolloverRolling,
    /// The same as [`Line::Rollover`], into a data stream.
    DataStream,
    /// The same while the data stream rolls over.
    DataStreamRolling,
    /// All events read again by the indexer, without proof of duplicates.
    ReplayNever,
    /// The same with `verify_duplicates: by_timestamp`.
    ReplayByTimestamp,
    /// The same with `verify_duplicates: always`.
    ReplayAlways,
    /// The same by the command `replay`.
    ReplayCommand,
    /// Prepared bulk bodies into a real Elasticsearch.
    Loader,
    /// The indexer into a real Elasticsearch.
    IntoElasticsearch,
    /// From the webhook until readable by id, at one event per second.
    Freshness1,
    /// At 20 per second.
    Freshness20,
    /// At 50 per second.
    Freshness50,
    /// At 200 per second.
    Freshness200,
    /// At 2,000 per second.
    Freshness2000,
    /// At 20,000 per second.
    Freshness20000,
}

/// Holds all samples.
#[derive(Debug)]
pub(super) struct Report {
    started_at: i64,
    machine: Machine,
    rounds: u16,
    samples: BTreeMap<Line, Vec<Sample>>,
}

/// Holds the medians of one line.
#[derive(Clone, Copy, Debug, Serialize)]
struct Summary {
    events_per_second: f64,
    cpu_seconds_per_million: f64,
    peak_mib: Option<f64>,
    p50_ms: Option<f64>,
    p99_ms: Option<f64>,
    max_ms: Option<f64>,
    /// CPU time, as a multiple of the floor's in the same round.
    cpu_ratio: Option<f64>,
    /// The events per second, as a multiple of the floor's in the same round.
    rate_ratio: Option<f64>,
}

/// A line in JSON form.
#[derive(Debug, Serialize)]
struct LineReport<'a> {
    line: Line,
    name: &'static str,
    floor: Option<Line>,
    median: Summary,
    rounds: &'a [Sample],
}

impl Line {
    fn name(self) -> &'static str {
        match self {
            Self::KafkaFloor => "librdkafka consuming alone",
            Self::Indexer => "penstock-indexer, null Elasticsearch",
            Self::NullElasticsearch => "  the null Elasticsearch beside it",
            Self::KafkaFloorLarge => "librdkafka alone, events of 20 KB",
            Self::IndexerLarge => "penstock-indexer, events of 20 KB",
            Self::HttpFloor => "axum reading and answering 200",
            Self::Receiver => "penstock-receiver, Kafka acks=all",
            Self::HttpFloorAtRate => "  axum at the receiver's rate",
            Self::ReceiverCrowd => "  the receiver, 8 times the connections",
            Self::ReceiverCalm => "  the receiver, 200 requests a second",
            Self::ReceiverFiles => "penstock-receiver, files of 1,000",
            Self::AvroFloor => "apache-avro to Value to JSON, a core",
            Self::Avro => "Penstock's Avro to JSON, a core",
            Self::Single => "penstock-indexer, strategy single",
            Self::Rollover => "  rollover, quiet",
            Self::RolloverRolling => "  rollover, every 3 s",
            Self::DataStream => "  data_stream, quiet",
            Self::DataStreamRolling => "  data_stream, rollover every 3 s",
            Self::ReplayNever => "penstock-indexer, a replay, never",
            Self::ReplayByTimestamp => "  by_timestamp",
            Self::ReplayAlways => "  always",
            Self::ReplayCommand => "  always, by the command replay",
            Self::Loader => "Elasticsearch, prepared bulk bodies",
            Self::IntoElasticsearch => "Elasticsearch, from penstock-indexer",
            Self::Freshness1 => "webhook to readable by id, 1/s",
            Self::Freshness20 => "  20/s",
            Self::Freshness50 => "  50/s",
            Self::Freshness200 => "  200/s",
            Self::Freshness2000 => "  2,000/s",
            Self::Freshness20000 => "  20,000/s",
        }
    }

    /// Returns the line to compare with.
    fn floor(self) -> Option<Self> {
        match self {
            Self::Indexer => Some(Self::KafkaFloor),
            Self::IndexerLarge => Some(Self::KafkaFloorLarge),
            Self::IntoElasticsearch => Some(Self::Loader),
            Self::Receiver => Some(Self::HttpFloorAtRate),
            Self::HttpFloorAtRate => Some(Self::HttpFloor),
            Self::Avro => Some(Self::AvroFloor),
            Self::Rollover | Self::RolloverRolling | Self::DataStream | Self::DataStreamRolling => Some(Self::Single),
            Self::ReplayByTimestamp | Self::ReplayAlways => Some(Self::ReplayNever),
            Self::ReplayCommand => Some(Self::ReplayAlways),
            Self::KafkaFloor
            | Self::NullElasticsearch
            | Self::KafkaFloorLarge
            | Self::Loader
            | Self::HttpFloor
            | Self::ReceiverCrowd
            | Self::ReceiverCalm
            | Self::ReceiverFiles
            | Self::AvroFloor
            | Self::Single
            | Self::ReplayNever
            | Self::Freshness1
            | Self::Freshness20
            | Self::Freshness50
            | Self::Freshness200
            | Self::Freshness2000
            | Self::Freshness20000 => None,
        }
    }
}

impl Report {
    /// Creates an empty report. It describes the machine's state, so create it before anything runs.
    pub(super) fn new(rounds: u16) -> Self {
        Self { started_at: now(), machine: Machine::look(), rounds, samples: BTreeMap::new() }
    }

    /// Adds a round's sample. A line and its floor are measured alternately, so the samples of one round have the same
    /// index.
    pub(super) fn add(&mut self, line: Line, sample: Sample) {
        self.samples.entry(line).or_default().push(sample);
    }

    /// Writes the report as JSON.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(super) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let lines = self.samples.iter().filter_map(|(line, rounds)| {
            let median = self.summary(*line)?;
            Some(LineReport { line: *line, name: line.name().trim(), floor: line.floor(), median, rounds })
        });
        let report = serde_json::json!({
            "started_at_ms": self.started_at,
            "machine": self.machine,
            "rounds": self.rounds,
            "lines": lines.collect::<Vec<_>>(),
            "aims": self.verdicts(),
        });
        output::write(path, &(serde_json::to_string_pretty(&report)? + "\n"))
    }

    fn summary(&self, line: Line) -> Option<Summary> {
        let samples = self.samples.get(&line)?;
        let floors = line.floor().and_then(|floor| self.samples.get(&floor));
        let pairs = || floors.into_iter().flat_map(|floors| samples.iter().zip(floors));
        Some(Summary {
            events_per_second: median(samples.iter().map(Sample::rate))?,
            cpu_seconds_per_million: median(samples.iter().map(Sample::cpu_per_million))?,
            peak_mib: median(samples.iter().filter_map(Sample::peak_mib)),
            p50_ms: median(samples.iter().filter_map(|sample| sample.p50_ms)),
            p99_ms: median(samples.iter().filter_map(|sample| sample.p99_ms)),
            max_ms: median(samples.iter().filter_map(|sample| sample.max_ms)),
            cpu_ratio: median(pairs().map(|(sample, floor)| sample.cpu_per_million() / floor.cpu_per_million())),
            rate_ratio: median(pairs().map(|(sample, floor)| sample.rate() / floor.rate())),
        })
    }

    fn verdicts(&self) -> Vec<Verdict> {
        self.samples
            .keys()
            .filter_map(|line| Some((*line, self.summary(*line)?)))
            .flat_map(|(line, summary)| aims::verdicts(line, &summary))
            .collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}; medians of {} rounds", self.machine, self.rounds)?;
        writeln!(f, "Absolute figures depend on the machine and are noisy; compare only ratios within one run.\n")?;
        let head = ["events/s", "CPU-s per M", "× floor", "peak MiB", "p50 ms", "p99 ms", "max ms"];
        let head: String = head.iter().map(|title| format!("{title:>13}")).collect();
        writeln!(f, "{:<38}{head}", "")?;
        for line in self.samples.keys() {
            let Some(summary) = self.summary(*line) else { continue };
            let cells = [
                Some(summary.events_per_second),
                Some(summary.cpu_seconds_per_million),
                summary.cpu_ratio,
                summary.peak_mib,
                summary.p50_ms,
                summary.p99_ms,
                summary.max_ms,
            ];
            let cells: String =
                cells.iter().map(|value| format!("{:>13}", value.map_or("-".to_owned(), short))).collect();
            writeln!(f, "{:<38}{cells}", line.name())?;
        }
        writeln!(f, "\n{:<38}{:<34}{:>13}{:>13}", "aims", "", "aim", "measured")?;
        for verdict in self.verdicts() {
            writeln!(f, "{verdict}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
