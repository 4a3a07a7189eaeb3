//! What a child does: the floors, and what stands in for Elasticsearch.

use super::{child, http_floor, kafka_floor, null_elasticsearch};

/// What a child does. Not for people.
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
    /// An Elasticsearch that says yes.
    #[command(hide = true)]
    NullElasticsearch,
}

impl Part {
    /// Does it, in this process.
    ///
    /// # Errors
    /// When it cannot.
    pub fn run(&self) -> anyhow::Result<()> {
        child::end_with_parent();
        match self {
            Self::KafkaFloor { brokers, topic, events } => kafka_floor::run(brokers, topic, *events),
            Self::HttpFloor => http_floor::run(),
            Self::NullElasticsearch => null_elasticsearch::run(),
        }
    }

    /// The name under which [`Part::run`] of a child is asked for.
    pub(super) const KAFKA_FLOOR: &str = "kafka-floor";
    /// As [`Part::KAFKA_FLOOR`].
    pub(super) const HTTP_FLOOR: &str = "http-floor";
    /// As [`Part::KAFKA_FLOOR`].
    pub(super) const NULL_ELASTICSEARCH: &str = "null-elasticsearch";
}
