//! The config file: one YAML file for both binaries, one struct a section.
//!
//! Here is what both binaries need: loading, checking and showing ([`cli`]), and the sections that both read. The
//! sections of one binary are in its own crate, as is its whole config, a [`BinaryConfig`].
//!
//! The doc comment of each field is its reference: `docs/config.md` says the same, and `deploy/penstock.yaml` is the
//! commented sample. A new key goes into the struct of the section whose concern it is, with a default that is right
//! for production. How file, environment and `${VAR}` come together is in `load`; what a value must fulfil
//! beyond its type is in [`check`](mod@check).

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
