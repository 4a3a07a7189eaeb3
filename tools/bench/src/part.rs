//! The parts that a child process can run: the floors, and the stand-in for Elasticsearch.

use super::null_elasticsearch::Backing;
use super::{child, http_floor, kafka_floor, null_elasticsearch};

/// A part to run in a child process. Not for use by hand.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Part {
    /// librdkafka consuming alone.
    #[command(hide = true)]
    KafkaFloor {
        /// `host:port`.
        brokers: String,
        /// The topic.
        topic: String,
        /// How many records to consume.
        events: u64,
    },
    /// A server that reads bodies and answers 200.
    #[command(hide = true)]
    HttpFloor,
    /// An Elasticsearch that accepts everything.
    #[command(hide = true)]
    NullElasticsearch {
        /// How many backing indices each alias has.
        indices: u32,
        /// When the first of them was created, in milliseconds since the Unix epoch.
        first: i64,
        /// The time between two creations, in milliseconds.
        interval: i64,
    },
}

impl Part {
    /// Runs the part in this process.
    ///
    /// # Errors
    /// If the part fails.
    pub fn run(&self) -> anyhow::Result<()> {
        child::end_with_parent();
        match self {
            Self::KafkaFloor { brokers, topic, events } => kafka_floor::run(brokers, topic, *events),
            Self::HttpFloor => http_floor::run(),
            Self::NullElasticsearch { indices, first, interval } => {
                null_elasticsearch::run(Backing { count: *indices, first: *first, interval: *interval })
            }
        }
    }

    /// The command-line name of [`Part::KafkaFloor`].
    pub(super) const KAFKA_FLOOR: &str = "kafka-floor";
    /// The command-line name of [`Part::HttpFloor`].
    pub(super) const HTTP_FLOOR: &str = "http-floor";
    /// The command-line name of [`Part::NullElasticsearch`].
    pub(super) const NULL_ELASTICSEARCH: &str = "null-elasticsearch";
}
