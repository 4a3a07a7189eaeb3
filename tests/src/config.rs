//! The combined config of both services.

use std::path::PathBuf;

use ::config::check::Problems;
use ::config::{BinaryConfig, Kafka, SchemaRegistry, Tracing};
use indexer::config::{Elasticsearch, Indexer};
use receiver::config::{Cxone, Receiver};
use serde::{Deserialize, Serialize};
use service::telemetry::Log;

/// The whole config file, with the sections of both services.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `log`.
    pub log: Log,
    /// `tracing`.
    pub tracing: Tracing,
    /// `kafka`.
    pub kafka: Kafka,
    /// `schema_registry`.
    pub schema_registry: SchemaRegistry,
    /// `elasticsearch`: the indexer's.
    pub elasticsearch: Elasticsearch,
    /// `receiver`: the receiver's.
    pub receiver: Receiver,
    /// `indexer`: the indexer's.
    pub indexer: Indexer,
    /// `cxone`: the receiver's.
    pub cxone: Cxone,
    /// `ilm_config_path`: the indexer's.
    pub ilm_config_path: Option<PathBuf>,
}

impl Config {
    /// Returns the receiver's part of the config.
    pub fn of_receiver(&self) -> receiver::config::Config {
        receiver::config::Config {
            log: self.log.clone(),
            tracing: self.tracing.clone(),
            kafka: self.kafka.clone(),
            schema_registry: self.schema_registry.clone(),
            receiver: self.receiver.clone(),
            cxone: self.cxone.clone(),
        }
    }

    /// Returns the indexer's part of the config.
    pub fn of_indexer(&self) -> indexer::config::Config {
        indexer::config::Config {
            log: self.log.clone(),
            tracing: self.tracing.clone(),
            kafka: self.kafka.clone(),
            schema_registry: self.schema_registry.clone(),
            elasticsearch: self.elasticsearch.clone(),
            indexer: self.indexer.clone(),
            ilm_config_path: self.ilm_config_path.clone(),
        }
    }
}

/// Behaves like the config of a service that reads the whole file.
impl BinaryConfig for Config {
    const OTHER: &'static str = "";
    const LEFT: &'static [&'static str] = &[];

    fn check(&self, problems: &mut Problems) {
        self.of_receiver().check(problems);
        self.of_indexer().check(problems);
    }
}

#[cfg(test)]
mod tests;
