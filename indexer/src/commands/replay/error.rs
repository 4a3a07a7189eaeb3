//! Why there is no replay.

use kafka::position::Partition;
use rdkafka::error::KafkaError;

use crate::RunError;
use crate::commands::CommandError;
use crate::elasticsearch::SettingsError;
use crate::index::RequestError;

/// Why there is no replay.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Kafka does not answer, or refuses.
    #[error("kafka: {0}")]
    Kafka(#[from] KafkaError),
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
    /// The config does not have the topic.
    #[error("the config does not have the topic {0:?}; it has {1}")]
    UnknownTopic(String, String),
    /// There are several topics.
    #[error("which topic? give --topic: {0}")]
    WhichTopic(String),
    /// It runs already.
    #[error("the replay {name:?} is running already ({members}): wait for it, or choose another --name")]
    Busy {
        /// Its name.
        name: String,
        /// Who runs it.
        members: String,
    },
    /// It was asked for something else.
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
    /// Another process took a part of it.
    #[error("another process has joined the replay {0:?} and has some of its partitions: let one of them go on alone")]
    Shared(String),
    /// Only a part would be swapped.
    #[error("--swap puts a whole index in the place of another: leave out --to, --key and --partition")]
    PartSwap,
    /// The index set cannot be replaced.
    #[error("nothing can be put in the place of this index: {0}")]
    NoSwap(String),
    /// The new index is there already.
    #[error("{0} is there already, and no replay that goes on fills it: delete it, or choose another --into")]
    NotFresh(String),
    /// Nothing was swapped.
    #[error("no index behind {0} says that it has replaced others: there is nothing to swap back")]
    NotSwapped(String),
    /// What was noted of a swap cannot be read.
    #[error("the note of the swap cannot be read: {0}")]
    Note(String),
    /// Elasticsearch does not answer, or refuses.
    #[error("elasticsearch: {0}")]
    Request(#[from] RequestError),
    /// The index cannot be used.
    #[error("{0}")]
    Command(#[from] CommandError),
    /// The pipeline cannot run.
    #[error("{0}")]
    Run(#[from] RunError),
    /// Elasticsearch's settings cannot be used.
    #[error("elasticsearch: {0}")]
    Bulk(#[from] SettingsError),
}
