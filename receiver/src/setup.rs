//! Makes the parts of a running receiver from the config: the settings of the listener, and what all sources share.

use std::sync::Arc;

use registry::SchemaRegistry;
use tokio_util::sync::CancellationToken;
use traces::{Sampling, Traces};

use crate::RunError;
use crate::body_budget::MemoryBudget;
use crate::config::Config;
use crate::metrics::Metrics;
use crate::receive::{Admission, Common, Discards, Proxies};
use crate::server::{Settings, Tls, TlsError};
use crate::source::Source;
use crate::stages::produce::Producer;
use crate::workers::Workers;

/// The least budget for incomplete heads of all connections, in bytes.
const LEAST_HEADS: usize = 1024 * 1024;

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
        shutdown_timeout: receiver.shutdown_timeout,
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
    let largest_body = sources.iter().map(|source| source.max_body).max().unwrap_or_default();
    let largest = sources.iter().map(|source| source.max_body.max(source.max_decompressed)).max().unwrap_or_default();
    Ok(Common {
        registry: SchemaRegistry::measured(&config.schema_registry, metrics.registry_requests.clone())?,
        producer: Arc::new(Producer::new(&config.kafka, largest, receiver.request_timeout)?),
        request_timeout: receiver.request_timeout,
        admission: Admission::new(receiver, largest_body),
        proxies: Proxies::new(receiver),
        discards: Discards::default(),
        stopping,
        traces: Traces::start(&config.tracing, "penstock-receiver", Sampling::Ratio, &metrics.spans)?,
        metrics,
        workers: Workers::default(),
        log_budget: Arc::default(),
    })
}
