//! The config file as the indexer reads it: its own sections, and those that it shares with the receiver (crate
//! `config`).

use std::path::PathBuf;

use ::config::check::{Problems, check_common};
use ::config::{BinaryConfig, Kafka, SchemaRegistry, Tracing};
use serde::{Deserialize, Serialize};
use service::telemetry::Log;

pub use self::documents::Documents;
pub use self::elasticsearch::{Compression, Elasticsearch, ElasticsearchAuth, OnDuplicate, Strategy, VerifyDuplicates};
pub use self::indexer::{Batch, Fuse, GroupProtocol, Indexer, Retry};
pub use self::lifecycle::{Cold, Delete, Hot, Lifecycle, LifecyclePolicy, Warm, age, load_lifecycle};
pub use self::mapping::{Dynamic, FieldOverride, Mapping, Maps};
pub use self::placement::{Expired, Placement, PlacementTime, TimeUnit};
pub use self::routes::Routes;
pub use self::topics::Topic;

mod check;
mod documents;
mod elasticsearch;
mod indexer;
mod lifecycle;
mod mapping;
mod placement;
mod routes;
mod topics;

/// The config as the indexer reads it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `log`: how to log.
    pub log: Log,
    /// `tracing`: traces of requests and events, to a collector.
    pub tracing: Tracing,
    /// `kafka`: the cluster and the topics.
    pub kafka: Kafka,
    /// `schema_registry`: where schemas come from.
    pub schema_registry: SchemaRegistry,
    /// `elasticsearch`: where documents go.
    pub elasticsearch: Elasticsearch,
    /// `indexer`: the consumer group.
    pub indexer: Indexer,
    /// `ilm_config_path`: the file with the index lifecycle policy; `docs/lifecycle.md` lists its keys.
    pub ilm_config_path: Option<PathBuf>,
}

impl BinaryConfig for Config {
    const OTHER: &'static str = "penstock-receiver";
    const LEFT: &'static [&'static str] = &["receiver", "cxone"];

    fn check(&self, problems: &mut Problems) {
        check_common(&self.log, &self.tracing, &self.kafka, &self.schema_registry, problems);
        check::check(self, problems);
    }
}

impl Config {
    /// Returns what applies the lifecycle policy: `elasticsearch.lifecycle`, or its default, which follows from the
    /// other keys.
    pub fn lifecycle(&self) -> Lifecycle {
        let ages = self.ilm_config_path.is_some() && self.elasticsearch.strategy != Strategy::Single;
        let default = if ages { Lifecycle::Ilm } else { Lifecycle::None };
        self.elasticsearch.lifecycle.unwrap_or(default)
    }

    /// Returns the config of each topic that the indexer consumes, as if it were the only one. Common limits are
    /// divided among the topics. Without `indexer.topics`, returns this config, for `kafka.topic`.
    pub fn of_topics(&self) -> Vec<Self> {
        if self.indexer.topics.is_empty() {
            return vec![self.clone()];
        }
        self.indexer.topics.iter().map(|(name, topic)| topics::of_topic(self, name, topic)).collect()
    }

    /// Returns the config of each index set of the one topic of this config, as if it were the only one, in the order
    /// of `Elasticsearch::index_names`.
    pub fn of_index_sets(&self) -> Vec<Self> {
        let names = self.elasticsearch.index_names();
        let of = |name: &&str| {
            let mut config = self.clone();
            config.elasticsearch.routes = None;
            (*name).clone_into(&mut config.elasticsearch.index_name);
            config.elasticsearch.siblings = names.iter().map(|name| (*name).to_owned()).collect();
            config
        };
        names.iter().map(of).collect()
    }
}

#[cfg(test)]
mod tests;
