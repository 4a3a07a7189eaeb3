//! The parts that every service has: ports ([`listen`]), the admin port ([`admin`]) and its status page ([`status`]),
//! metrics, logs ([`telemetry`]), budgets of log lines ([`budget`]), secrets ([`secret`]), the signal to stop
//! ([`shutdown`]), the service manager ([`notify`]) and HTTP clients ([`http`], [`tls`]). It also holds helpers that
//! should exist only once: waits before another attempt ([`backoff`]), rates ([`token_bucket`]) and files that are read
//! again ([`reloaded`]).
//!
//! Code belongs here if both services need it to run a process. This crate knows nothing of Kafka, Avro or the config
//! file.

pub mod admin;
pub mod backoff;
pub mod budget;
pub mod causes;
pub mod http;
pub mod listen;
pub mod metrics;
pub mod notify;
pub mod readiness;
pub mod reloaded;
pub mod secret;
pub mod shutdown;
pub mod status;
pub mod telemetry;
pub mod tls;
pub mod token_bucket;
