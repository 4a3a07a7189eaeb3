//! What the receiver and the indexer must agree on.
//!
//! A thing belongs here when both binaries would otherwise have to write it twice and agree by luck: where a record stands
//! ([`position`]), how an event is framed in Kafka ([`wire`]), how Avro bytes are read ([`avro`]), where schemas come from
//! ([`registry`]), the config file ([`config`]) and the parts every service has ([`cli`], [`listen`], [`admin`], [`telemetry`], [`shutdown`]).
//! Nothing here knows of HTTP requests from senders or of Elasticsearch.

pub mod admin;
pub mod avro;
pub mod causes;
pub mod cli;
pub mod config;
pub mod http;
pub mod kafka;
pub mod listen;
pub mod metrics;
pub mod position;
pub mod registry;
pub mod secret;
pub mod shutdown;
pub mod telemetry;
pub mod tls;
pub mod wire;
