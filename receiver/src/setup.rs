//! Makes the parts of a running receiver from the config: the settings of the listener, and what all sources share.

use std::sync::Arc;

use registry::SchemaRegistry;
use service::budget::LogBudget;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use traces::{Sampling, Traces};

use crate::RunError;
use crate::body_budget::MemoryBudget;
use crate::config::Config;
use crate::metrics::Metrics;
use crate::receive::{Anteroom, Common};
use crate::server::{Settings, Tls, TlsError};
use crate::source::Source;
use crate::stages::authenticate::Forwarded;
use crate::stages::produce::Producer;
use crate::workers::Workers;

/// How many unwanted bodies are read at a time, so that their senders read the answer.
const DISCARDS: usize = 64;
/// The least budget for incomplete heads of all connections, in bytes.
const LEAST_HEADS: usize = 1024 * 1024;
/// The most bytes that a request of an unknown sender holds in addition to its body: its head.
const STRANGER_OVERHEAD: usize = 64 * 1024;

/// Loads the certificates of the listener, if it has any.
///
/// # Errors
/// [`TlsError`], naming the key.
pub(crate) fn tls(config: &Config, metrics: &Metrics) -> Result<Option<Arc<Tls>>, TlsError> {
    let Some(files) = &config.receiver.tls else { return Ok(None) };
    Ok(Some(Arc::new(Tls::load(files)?.measured(metrics.certificate_expiry.clone())?)))
}

/// Returns the settings of the listener for webhooks.
pub(crate) fn settings(receiver: &crate::config::Receiver, tls: Option<Arc<Tls>>, metrics: &Metrics) -> Settings {
    let heads = usize::try_from(receiver.max_in_flight_bytes.as_u64() / 8).unwrap_or(usize::MAX).max(LEAST_HEADS);
    Settings {
        max_connections: receiver.max_connections,
        max_connections_per_address: receiver.max_connections_per_address(),
        trusted_proxies: receiver.trusted_proxies.clone(),
        proxy_protocol: receiver.proxy_protocol,
        head_timeout: receiver.head_timeout,
        idle_timeout: receiver.idle_timeout,
        write_timeout: receiver.write_timeout,
        heads: MemoryBudget::new(heads),
        patience: receiver.shutdown_timeout,
        tls,
        connections: metrics.connections.clone(),
        refused: metrics.refused_connections.clone(),
        not_proxied: metrics.proxy_protocol_refusals.clone(),
    }
}

/// Returns the parts that all sources share.
///
/// # Errors
/// When the config does not yield a registry client, a producer or traces.
pub(crate) fn common(
    config: &Config,
    sources: &[Arc<Source>],
    metrics: Metrics,
    stopping: CancellationToken,
) -> Result<Common, RunError> {
    let receiver = &config.receiver;
    let bytes = usize::try_from(receiver.max_in_flight_bytes.as_u64()).unwrap_or(usize::MAX);
    let largest_body = sources.iter().map(|source| source.max_body).max().unwrap_or_default();
    // A quarter of the budget, but always enough for one body with its head.
    let of_strangers = (bytes / 4).max(largest_body.saturating_add(STRANGER_OVERHEAD)).min(bytes);
    let largest = sources.iter().map(|source| source.max_body.max(source.max_decompressed)).max().unwrap_or_default();
    Ok(Common {
        registry: SchemaRegistry::measured(&config.schema_registry, metrics.registry_requests.clone())?,
        producer: Arc::new(Producer::new(&config.kafka, largest, receiver.request_timeout)?),
        request_timeout: receiver.request_timeout,
        // An eighth is reserved for small requests, unless the largest body needs it.
        memory_budget: MemoryBudget::with_reserve(
            bytes,
            (bytes / 8).min(bytes.saturating_sub(largest_body + STRANGER_OVERHEAD)),
        ),
        anteroom: Anteroom::new(receiver.max_unauthenticated_requests, of_strangers),
        unauthenticated_timeout: receiver.unauthenticated_timeout,
        trusted_proxies: receiver.trusted_proxies.clone(),
        forwarded_certificate: receiver.forwarded_certificate.as_ref().and_then(Forwarded::new),
        discards: Semaphore::new(DISCARDS),
        stopping,
        traces: Traces::start(&config.tracing, "penstock-receiver", Sampling::Ratio, &metrics.spans)?,
        request_permits: Semaphore::new(receiver.max_in_flight_requests.min(Semaphore::MAX_PERMITS)),
        metrics,
        workers: Workers::default(),
        log_budget: LogBudget::default(),
    })
}
