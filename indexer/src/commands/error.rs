//! The reasons for which commands fail.

use std::path::PathBuf;

use config::ConfigError;
use kafka::position::Partition;
use rdkafka::error::KafkaError;
use registry::{RegistryError, RegistrySetupError};

use crate::RunError;
use crate::elasticsearch::SettingsError;
use crate::index::RequestError;

/// Why `setup`, `mapping`, `explain` or `replay` failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// Elasticsearch's settings cannot be used.
    #[error("elasticsearch: {0}")]
    Elasticsearch(#[from] SettingsError),
    /// Elasticsearch does not answer, or refuses.
    #[error("elasticsearch: {0}")]
    Request(#[from] RequestError),
    /// Elasticsearch did not list the backing indices in time.
    #[error("elasticsearch did not list the backing indices of {0} in time")]
    NoTable(String),
    /// The file of the lifecycle policy cannot be used.
    #[error("{0}")]
    Lifecycle(#[from] ConfigError),
    /// The schema registry's settings cannot be used.
    #[error(transparent)]
    RegistrySetup(#[from] RegistrySetupError),
    /// The registry does not give the schema.
    #[error("{0}")]
    Registry(#[from] RegistryError),
    /// The metrics could not be set up.
    #[error("cannot register a metric: {0}")]
    Metrics(#[from] prometheus::Error),
    /// A part of the pipeline cannot be set up, or cannot continue.
    #[error("{0}")]
    Run(#[from] RunError),
    /// Kafka does not answer, or refuses.
    #[error("kafka: {0}")]
    Kafka(#[from] KafkaError),

    /// A file cannot be read, or has the wrong content.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The problem.
        reason: String,
    },
    /// No schema is named.
    #[error("no schema: name it with --schema FILE or --subject SUBJECT, or set elasticsearch.mapping.subject")]
    NoSchema,
    /// The config does not have the topic.
    #[error("the config does not have the topic {0:?}; it has {1}")]
    UnknownTopic(String, String),
    /// The config has several topics.
    #[error("the config has several topics: choose one with --topic: {0}")]
    WhichTopic(String),

    /// The argument is neither a file nor a record.
    #[error("{0} is neither a file nor TOPIC:PARTITION:OFFSET")]
    NotARecord(String),
    /// The record to explain does not exist.
    #[error("{0}")]
    NoRecord(String),

    /// The topic does not exist.
    #[error("kafka has no topic {0}")]
    NoTopic(String),
    /// The ends of the partitions are unknown.
    #[error("kafka does not report where the partitions of {0} begin and end: check that it is reachable")]
    NoEnds(String),
    /// The partition does not exist.
    #[error("the topic has no partition {0}")]
    NoPartition(Partition),
    /// The arguments name different partitions.
    #[error("--from, --to and --partition name different partitions")]
    Partitions,
    /// The replay is already running.
    #[error("the replay {name:?} is running already ({members}): wait for it, or choose another --name")]
    Busy {
        /// Its name.
        name: String,
        /// Its members.
        members: String,
    },
    /// A replay of this name with other arguments is unfinished.
    #[error(
        "a replay {name:?} with other arguments is unfinished ({settled} of {total} offsets): repeat those arguments to continue it, \
         choose another --name, or use --restart to start over"
    )]
    Unfinished {
        /// Its name.
        name: String,
        /// The number of settled offsets.
        settled: u64,
        /// The number of all its offsets.
        total: u64,
    },
    /// The topic has been re-created.
    #[error("the topic was deleted and created again since the replay {0:?} began: use --restart to start over")]
    OtherTopic(String),
    /// Another process has taken a part of the replay.
    #[error("another process has joined the replay {0:?} and has some of its partitions: stop one of the two")]
    Shared(String),
    /// Only a part of the index would be swapped.
    #[error("--swap replaces a whole index: omit --to, --key and --partition")]
    PartSwap,
    /// The index set cannot be replaced.
    #[error("this index cannot be replaced: {0}")]
    NoSwap(String),
    /// The topic has several index sets.
    #[error(
        "--into fills one index, and elasticsearch.routes sends the documents of {0} to several: name new indices in \
         routes and index_name, and replay without --into (docs/routing.md)"
    )]
    RoutedInto(String),
    /// The new index already exists.
    #[error("index {0} already exists, and no unfinished replay fills it: delete it, or choose another --into")]
    NotFresh(String),
    /// No swap can be undone.
    #[error("no index behind {0} has replaced others: there is nothing to swap back")]
    NotSwapped(String),
    /// The note of a swap cannot be read.
    #[error("cannot read what the mapping of the new index records about the swap: {0}")]
    Note(String),
}
