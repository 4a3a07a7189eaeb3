//! The config file: one YAML file for both binaries, one struct a section.
//!
//! The doc comment of each field is its reference: `docs/config.md` says the same, and `deploy/penstock.yaml` is the
//! commented sample. A new key goes into the struct of the section whose concern it is, with a default that is right
//! for production. How file, environment and `${VAR}` come together is in [`load`]; what a value must fulfil beyond its
//! type is in [`check`].

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use service::telemetry::Log;

pub use auth::{Auth, HmacAlgorithm, HmacEncoding, Preset, SecretsError, SignedPart, standard_webhooks_key};
pub use check::{Problem, check};
pub use cxone::{Cxone, CxoneCredentials, SUBJECT_PLACE};
pub use documents::Documents;
pub use elasticsearch::{Compression, Elasticsearch, ElasticsearchAuth, OnDuplicate, Strategy, VerifyDuplicates};
pub use indexer::{Batch, Fuse, GroupProtocol, Indexer, Retry};
pub use kafka::{CreateTopics, Kafka};
pub use kafka_security::secret as read_secret;
pub use kafka_security::{KafkaSecurity, OAuth, SaslMechanism, SecurityProtocol};
pub use lifecycle::{Cold, Delete, Hot, Lifecycle, LifecyclePolicy, Warm, age, load_lifecycle};
pub(crate) use load::load_unchecked;
pub use load::{ConfigError, load_from};
pub use mapping::{Dynamic, FieldOverride, Mapping, Maps};
pub use network::{CertificateFormat, ForwardedCertificate, Network, ProxyProtocol};
pub use part::Part;
pub use placement::{Expired, Placement, PlacementTime, TimeUnit};
pub use receiver::{IdScope, Limits, Quarantine, Receiver, Source, Tls, TrailingSlash, Verification};
pub use schema_registry::{SchemaRegistry, SchemaRegistryAuth};
pub use topics::Topic;
pub(crate) use whole::refuse_problems;
pub use whole::{load, load_for};

mod auth;
mod check;
pub mod cli;
mod cxone;
mod documents;
mod elasticsearch;
mod indexer;
mod kafka;
mod kafka_security;
mod lifecycle;
mod load;
mod mapping;
mod network;
mod part;
mod placement;
mod receiver;
pub mod redact;
mod schema_registry;
mod topics;
mod units;
mod whole;

/// The whole config file.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `log`: how to log.
    pub log: Log,
    /// `kafka`: the cluster and the topics.
    pub kafka: Kafka,
    /// `schema_registry`: where schemas come from.
    pub schema_registry: SchemaRegistry,
    /// `elasticsearch`: where documents go.
    pub elasticsearch: Elasticsearch,
    /// `receiver`: the HTTP side.
    pub receiver: Receiver,
    /// `indexer`: the consumer group.
    pub indexer: Indexer,
    /// `cxone`: where the receiver takes new schemas from.
    pub cxone: Cxone,
    /// `ilm_config_path`: the file with the index lifecycle policy; `docs/lifecycle.md` lists its keys.
    pub ilm_config_path: Option<PathBuf>,
}

impl Config {
    /// Who lets the indices age: `elasticsearch.lifecycle`, or what follows from the other keys when it is not given.
    pub fn lifecycle(&self) -> Lifecycle {
        let ages = self.ilm_config_path.is_some() && self.elasticsearch.strategy != Strategy::Single;
        let default = if ages { Lifecycle::Ilm } else { Lifecycle::None };
        self.elasticsearch.lifecycle.unwrap_or(default)
    }
}

#[cfg(test)]
mod tests;
