//! Why a command cannot be carried out.

use std::path::PathBuf;

use config::ConfigError;
use kafka::position::Partition;
use rdkafka::error::KafkaError;
use registry::{RegistryError, RegistrySetupError};

use crate::RunError;
use crate::elasticsearch::SettingsError;
use crate::index::RequestError;

/// Why `setup`, `mapping`, `explain` or `replay` cannot be carried out.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// Elasticsearch's settings cannot be used.
    #[error("elasticsearch: {0}")]
    Elasticsearch(#[from] SettingsError),
    /// Elasticsearch does not answer, or refuses.
    #[error("elasticsearch: {0}")]
    Request(#[from] RequestError),
    /// Elasticsearch does not list the backing indices in time.
    #[error("elasticsearch does not give the list of backing indices of {0}")]
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
    /// A part of the pipeline cannot be set up, or cannot go on.
    #[error("{0}")]
    Run(#[from] RunError),
    /// Kafka does not answer, or refuses.
    #[error("kafka: {0}")]
    Kafka(#[from] KafkaError),

    /// A file cannot be read, or does not hold what it should.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Nothing says which schema.
    #[error("no schema: give --schema FILE or --subject SUBJECT, or set elasticsearch.mapping.subject")]
    NoSchema,
    /// The config does not have the topic.
    #[error("the config does not have the topic {0:?}; it has {1}")]
    UnknownTopic(String, String),
    /// There are several topics.
    #[error("which topic? give --topic: {0}")]
    WhichTopic(String),

    /// What is to be explained is neither a file nor a record.
    #[error("{0} is neither a file nor TOPIC:PARTITION:OFFSET")]
    NotARecord(String),
    /// The record to be explained is not there.
    #[error("{0}")]
    NoRecord(String),

    /// The topic is not there.
    #[error("kafka has no topic {0}")]
    NoTopic(String),
    /// The offsets are not known.
    #[error("kafka does not say where the partitions of {0} begin and end: is it reachable?")]
    NoEnds(String),
    /// A partition is not there.
    #[error("the topic has no partition {0}")]
    NoPartition(Partition),
    /// Beginning and end are of different partitions.
    #[error("--from, --to and --partition name different partitions")]
    Partitions,
    /// The replay runs already.
    #[error("the replay {name:?} is running already ({members}): wait for it, or choose another --name")]
    Busy {
        /// Its name.
        name: String,
        /// Who runs it.
        members: String,
    },
    /// A replay of this name was asked for something else.
    #[error(
        "a replay {name:?} that was asked for something else is not done ({settled} of {total} offsets): give its arguments again to go on, \
         choose another --name, or give --restart to begin anew"
    )]
    Unfinished {
        /// Its name.
        name: String,
        /// Offsets that are settled.
        settled: u64,
        /// All its offsets.
        total: u64,
    },
    /// The topic is another one.
    #[error("the topic was deleted and created again since the replay {0:?} began: give --restart to begin anew")]
    OtherTopic(String),
    /// Another process took a part of the replay.
    #[error("another process has joined the replay {0:?} and has some of its partitions: let one of them go on alone")]
    Shared(String),
    /// Only a part would be swapped.
    #[error("--swap puts a whole index in the place of another: leave out --to, --key and --partition")]
    PartSwap,
    /// The index set cannot be replaced.
    #[error("nothing can be put in the place of this index: {0}")]
    NoSwap(String),
    /// The topic has several index sets.
    #[error(
        "--into fills one index, and elasticsearch.routes sends the documents of {0} to several: name new indices in \
         routes and index_name, and replay without --into (docs/routing.md)"
    )]
    RoutedInto(String),
    /// The new index is there already.
    #[error("{0} is there already, and no replay that goes on fills it: delete it, or choose another --into")]
    NotFresh(String),
    /// Nothing was swapped.
    #[error("no index behind {0} says that it has replaced others: there is nothing to swap back")]
    NotSwapped(String),
    /// What was noted of a swap cannot be read.
    #[error("the note of the swap cannot be read: {0}")]
    Note(String),
}
