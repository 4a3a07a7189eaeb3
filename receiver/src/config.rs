//! The config file as the receiver reads it: its own sections, and those that it shares with the indexer (crate
//! `config`).

use ::config::check::{Problems, check_common};
use ::config::{BinaryConfig, Kafka, SchemaRegistry, Tracing};
use serde::{Deserialize, Serialize};
use service::telemetry::Log;

pub use self::auth::{Auth, HmacAlgorithm, HmacEncoding, Preset, SecretsError, SignedPart, standard_webhooks_key};
pub use self::cxone::{Cxone, CxoneCredentials, SUBJECT_PLACE};
pub use self::network::{CertificateFormat, ForwardedCertificate, Network, ProxyProtocol};
pub use self::receiver::{Receiver, Tls, TrailingSlash};
pub use self::source::{IdScope, Limits, Quarantine, Source};
pub use self::verification::{Vendor, Verification};

mod auth;
mod check;
mod cxone;
mod network;
mod receiver;
mod source;
mod verification;

/// The config file as the receiver reads it.
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
    /// `receiver`: the HTTP side.
    pub receiver: Receiver,
    /// `cxone`: where the receiver takes new schemas from.
    pub cxone: Cxone,
}

impl Config {
    /// Returns where the ids of the source `name` are unique: its `id_scope`, or what follows from the other sources of
    /// its topic. A source without a `key_field` has no ids and gets the topic.
    pub fn id_scope(&self, name: &str) -> IdScope {
        let sources = &self.receiver.sources;
        let Some(source) = sources.get(name).filter(|source| source.key_field.is_some()) else { return IdScope::Topic };
        let topic = |source: &Source| source.topic.clone().unwrap_or_else(|| self.kafka.topic.clone());
        let shares = sources.iter().any(|(other_name, other)| {
            other_name != name && other.key_field.is_some() && topic(other) == topic(source)
        });
        source.id_scope.unwrap_or(if shares { IdScope::Source } else { IdScope::Topic })
    }

    /// Returns the subjects whose schemas come from CXone: `cxone.subjects`, or else those of all sources, without
    /// duplicates.
    pub fn cxone_subjects(&self) -> Vec<String> {
        if !self.cxone.subjects.is_empty() {
            return self.cxone.subjects.clone();
        }
        let mut subjects: Vec<String> = self.receiver.sources.values().map(|source| source.subject.clone()).collect();
        subjects.sort_unstable();
        subjects.dedup();
        subjects
    }
}

impl BinaryConfig for Config {
    const OTHER: &'static str = "penstock-indexer";
    const LEFT: &'static [&'static str] = &["elasticsearch", "indexer", "ilm_config_path"];

    fn check(&self, problems: &mut Problems) {
        check_common(&self.log, &self.tracing, &self.kafka, &self.schema_registry, problems);
        check::check(self, problems);
    }
}

#[cfg(test)]
mod tests;
