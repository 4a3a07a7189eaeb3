//! The parts that every service has: ports ([`listen`]), the admin port ([`admin`]) and its status page ([`status`]),
//! metrics, logs ([`telemetry`]), budgets of log lines ([`budget`]), secrets ([`secret`]), the signal to stop
//! ([`shutdown`]), the service manager ([`notify`]), HTTP clients ([`http`], [`tls`]); and what there should be one of:
//! waits before another attempt ([`backoff`]), rates ([`token_bucket`]), files that are read again ([`reloaded`]).
//!
//! A thing belongs here when both services need it and it is about running a process. It knows no Kafka, no Avro and no
//! config file.

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
