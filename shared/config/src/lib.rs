//! The config file: one YAML file for both binaries, one struct per section.
//!
//! This crate holds what both binaries need: loading, checking and showing ([`cli`]), and the sections that both read.
//! The sections of one binary are in that binary's crate, as is its whole config, a [`BinaryConfig`].
//!
//! The doc comment of each field is its reference: `docs/config.md` says the same, and `deploy/penstock.yaml` is the
//! commented sample. A new key goes into the struct of its section, with a default that suits production. The module
//! `load` merges file, environment and `${VAR}`. The module [`check`](mod@check) has the rules for values beyond their
//! types.

pub use binary::{BinaryConfig, check};
pub use check::Problem;
pub use error::ConfigError;
pub use kafka::{CreateTopics, Kafka};
pub use kafka_security::{KafkaSecurity, OAuth, SaslMechanism, SecurityProtocol};
pub use kafka_security::{read_text, secret as read_secret};
pub(crate) use load::load_unchecked;
pub use load::{load_from, load_other};
pub use schema_registry::{SchemaRegistry, SchemaRegistryAuth};
pub use tracing::Tracing;
pub use whole::load;
pub(crate) use whole::refuse_problems;

mod binary;
pub mod check;
pub mod cli;
mod error;
mod kafka;
mod kafka_security;
mod load;
pub mod redact;
#[cfg(test)]
mod sample;
mod schema_registry;
mod tracing;
pub mod units;
mod whole;
