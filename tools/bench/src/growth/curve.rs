//! The curves: what grows, from where to where, and what bends each. A new curve is a variant here and a function in
//! `runs`.

use clap::ValueEnum;

/// A curve: what grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Curve {
    /// Partitions of the topic.
    Partitions,
    /// Bytes of an event.
    Events,
    /// Connections to the receiver.
    Connections,
    /// Documents of a bulk request.
    Batches,
    /// Topics of one indexer.
    Topics,
    /// Indices behind the alias.
    BackingIndices,
    /// Schemas of the events.
    Schemas,
}

impl Curve {
    /// Returns the name, as on the command line and in file names.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Partitions => "partitions",
            Self::Events => "events",
            Self::Connections => "connections",
            Self::Batches => "batches",
            Self::Topics => "topics",
            Self::BackingIndices => "backing-indices",
            Self::Schemas => "schemas",
        }
    }

    /// Returns what the values count.
    pub(super) fn unit(self) -> &'static str {
        match self {
            Self::Partitions => "partitions of the topic",
            Self::Events => "bytes of an event",
            Self::Connections => "connections to the receiver",
            Self::Batches => "indexer.batch.max_documents",
            Self::Topics => "topics of one indexer",
            Self::BackingIndices => "backing indices",
            Self::Schemas => "schemas of the events",
        }
    }

    /// Returns what bends the curve, for the document.
    pub(super) fn hint(self) -> &'static str {
        match self {
            Self::Partitions => {
                "Receiver: librdkafka sends a record batch for each partition, so with more partitions the same events \
                 are more and smaller batches. Indexer: each partition has its own fetch position, commit and entry in \
                 the ledger, and its records arrive in smaller pieces"
            }
            Self::Events => {
                "Small events cost by number: a request, a frame, two lines of a bulk body. Large events cost by byte: \
                 they are checked, copied and sent. From about 10 KB on, a batch has 5 MiB \
                 (`indexer.batch.max_bytes`) before it has 500 documents, and the memory approaches its bound"
            }
            Self::Connections => {
                "With few connections, each request waits alone for Kafka's answer: the rate is the number of \
                 connections divided by that time. With more, requests share wake-ups and requests to Kafka, until the \
                 cores are busy; from there on only the waiting time and the memory grow"
            }
            Self::Batches => {
                "The documents of a bulk request share its fixed cost, until that cost is small compared with theirs. \
                 The age grows with the time that a batch takes to fill, until `indexer.batch.max_age` (500 ms) ends \
                 it: at 10,000 events a second from 5,000 documents on"
            }
            Self::Topics => {
                "Each topic has a consumer of its own, with its threads, connections to Kafka, prefetched records and \
                 batch: a fixed cost in CPU time and memory for each"
            }
            Self::BackingIndices => {
                "Before its first document, the mapping of an older index is read, and completed if it lacks a field: \
                 here always, since the null Elasticsearch keeps none. The list of indices is read every two seconds, \
                 and is as long as there are indices"
            }
            Self::Schemas => {
                "Each schema is read from the registry once; meanwhile its partition or its request waits. Compiled \
                 schemas stay in memory, up to `schema_registry.cache_capacity` (1,000). A receiver finds the 100 that \
                 the events of a source named last the fastest, an indexer the one of the event before"
            }
        }
    }

    /// Returns the values to measure: about `points`, from the smallest to the largest, each the same multiple of the
    /// one before, apart from rounding.
    pub(super) fn values(self, points: u16) -> Vec<u64> {
        let (from, to) = self.range();
        let last = points.max(2) - 1;
        let factor = (to as f64 / from as f64).powf(1.0 / f64::from(last));
        let between = (1..last).map(|number| rounded(from as f64 * factor.powi(number.into())));
        let mut values: Vec<u64> = std::iter::once(from).chain(between).chain([to]).collect();
        values.dedup();
        values
    }

    /// Returns the smallest and the largest value.
    fn range(self) -> (u64, u64) {
        match self {
            Self::Partitions => (1, 64),
            Self::Events => (200, 200_000),
            Self::Connections => (1, 1_024),
            Self::Batches => (100, 10_000),
            Self::Topics => (1, 16),
            Self::BackingIndices | Self::Schemas => (1, 1_000),
        }
    }
}

/// Returns `value` as a whole number with two significant digits.
fn rounded(value: f64) -> u64 {
    let unit = 10_f64.powi(value.log10().floor() as i32 - 1).max(1.0);
    ((value / unit).round() * unit).round() as u64
}

#[cfg(test)]
mod tests;
