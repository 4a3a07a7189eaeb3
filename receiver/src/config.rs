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
