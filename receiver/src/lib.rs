//! The receiver: `receive → authenticate → unframe → validate → produce`.
//!
//! A webhook's events come in over HTTP and go to Kafka as they are; a sender hears 200 only after Kafka has
//! acknowledged them (P1). Each stage is a module of that name; [`run`] puts them together. A new stage is a module and
//! a line in `receive.rs`; a new answer is a row in `reject.rs`.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use config::Config;
use prometheus::PullingGauge;
use rdkafka::error::KafkaError;
use registry::{RegistrySetupError, SchemaRegistry};
use service::admin::{self, Condition, Readiness};
use service::budget::LogBudget;
use service::metrics::{Declaration, Kind, REVISION, Registry, conditions, process};
use service::status::Status;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use crate::stages::authenticate::AuthError;
pub use cxone::CxoneError;
pub use cxone::pull::PullError;
pub use cxone::subjects::SubjectsError;
pub use listeners::Listeners;
pub use server::TlsError;
pub use source::SourceError;

use crate::body_budget::MemoryBudget;
use crate::stages::authenticate::Forwarded;
use crate::stages::produce::Producer;
use crate::workers::Workers;
use cxone::Cxone;
use cxone::pull::Puller;
use cxone::refresh::Refresh;
use cxone::subjects::Subjects;
use metrics::Metrics;
use receive::{Anteroom, Common};
use server::{Settings, Tls};
use source::Source;

mod body_budget;
mod client;
mod cxone;
mod drift;
pub mod ingest_offline;
mod listeners;
mod message;
mod metrics;
mod openapi;
mod proxy_protocol;
mod quarantine;
mod receive;
mod reject;
mod reload;
mod router;
pub mod schema_command;
mod server;
mod source;
mod stages;
mod status_page;
mod workers;

/// Bodies that nobody wants and are let arrive at a time, so that their senders read the answer.
const DISCARDS: usize = 64;
/// Bytes of heads that are not whole, of all connections: never less.
const LEAST_HEADS: usize = 1024 * 1024;
/// The most that a request holds besides its body before its sender is known: its head.
const STRANGER_OVERHEAD: usize = 64 * 1024;

/// Why the receiver cannot run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A source of the config cannot be served.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The certificates of the config cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The registry of the config cannot be used.
    #[error(transparent)]
    Registry(#[from] RegistrySetupError),
    /// The section `cxone` of the config cannot be used.
    #[error(transparent)]
    Cxone(#[from] CxoneError),
    /// librdkafka refuses the config.
    #[error("kafka.options: cannot create the producer: {0}")]
    Kafka(#[from] KafkaError),
    /// A metric cannot be registered.
    #[error("cannot register the metrics: {0}")]
    Metrics(#[from] prometheus::Error),
}

/// Runs a receiver on `listeners` until `shutdown`, then finishes the requests in flight, for
/// `receiver.shutdown_timeout` at most. Needs neither Kafka nor the registry to start: until they are there it is not
/// ready, and answers 503.
///
/// # Errors
/// When the config cannot be used; never for what may come back by itself.
pub async fn run(config: Config, listeners: Listeners, shutdown: CancellationToken) -> Result<(), RunError> {
    let (exposition, readiness) = (Registry::new(), Readiness::new());
    let metrics = Metrics::new(&exposition)?;
    expose(&exposition, &readiness)?;
    log_start(&config, &listeners);
    let sources = Source::compile_all(&config, &metrics)?;
    let tls = tls(&config, &metrics)?;
    let common = Arc::new(common(&config, &sources, metrics, shutdown.clone())?);
    let producer = Arc::clone(&common.producer);
    register_queue_len(&exposition, &producer)?;

    let mut tasks = JoinSet::new();
    let closing = CancellationToken::new();
    tasks.spawn(close(readiness.condition("stopping"), config.receiver.shutdown_delay, shutdown, closing.clone()));
    spawn_watches(&mut tasks, &config, &sources, &common, &readiness, &closing);
    // Only now, when all conditions of the readiness are there. The admin port outlives `shutdown`, so that the stop
    // itself can be watched.
    let stopped = CancellationToken::new();
    let status = Status::new(&status_page::LAYOUT, exposition, readiness);
    tasks.spawn(serve_admin(openapi::router(&config), status, listeners.admin, stopped.clone()));
    if let Some(refresh) = refresh(&config, &sources, &common)? {
        tasks.spawn(refresh.run(closing.clone()));
    }
    tasks.spawn(reload::watch(sources.clone(), tls.clone(), closing.clone()));

    let receiver = &config.receiver;
    let openapi = if receiver.publish_openapi { openapi::router(&config) } else { Router::new() };
    let router = router::router(&sources, &common, receiver.trailing_slash, openapi);
    let settings = settings(receiver, tls, &common.metrics);
    let all_finished = server::serve(listeners.http, router, settings, closing).await;
    if !all_finished {
        tracing::warn!(
            timeout_ms = receiver.shutdown_timeout.as_millis(),
            "Stopped before all requests were answered."
        );
    }
    drop(common);
    flush(producer).await;
    stopped.cancel();
    while tasks.join_next().await.is_some() {}
    tracing::info!("Stopped.");
    Ok(())
}

/// Returns every metric of a receiver, by name.
///
/// # Errors
/// When two have the same name.
pub fn declared_metrics() -> Result<Vec<Declaration>, prometheus::Error> {
    let exposition = Registry::new();
    expose(&exposition, &Readiness::new())?;
    Metrics::new(&exposition)?;
    queue_len(&exposition, || 0.0)?;
    Ok(exposition.declared())
}

/// Registers what the process and its readiness are.
fn expose(exposition: &Registry, readiness: &Arc<Readiness>) -> Result<(), prometheus::Error> {
    process(exposition)?;
    conditions(exposition, "penstock_receiver_condition_met", Arc::clone(readiness))
}

fn tls(config: &Config, metrics: &Metrics) -> Result<Option<Arc<Tls>>, TlsError> {
    let Some(files) = &config.receiver.tls else { return Ok(None) };
    Ok(Some(Arc::new(Tls::load(files)?.measured(metrics.certificate_expiry.clone())?)))
}

fn log_start(config: &Config, listeners: &Listeners) {
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        revision = REVISION,
        listen = listeners.http.local_addr().map(tracing::field::display).ok(),
        admin_listen = listeners.admin.local_addr().map(tracing::field::display).ok(),
        tls = config.receiver.tls.is_some(),
        sources = config.receiver.sources.len(),
        "Started."
    );
}

/// Turns the readiness red at `shutdown`, and after `delay`, in which load balancers notice, closes.
async fn close(stopping: Condition, delay: Duration, shutdown: CancellationToken, closing: CancellationToken) {
    stopping.met();
    shutdown.cancelled().await;
    stopping.unmet("stopping");
    tokio::time::sleep(delay).await;
    closing.cancel();
}

/// Returns what the listener for webhooks needs.
fn settings(receiver: &config::Receiver, tls: Option<Arc<Tls>>, metrics: &Metrics) -> Settings {
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

fn common(
    config: &Config,
    sources: &[Arc<Source>],
    metrics: Metrics,
    stopping: CancellationToken,
) -> Result<Common, RunError> {
    let receiver = &config.receiver;
    let bytes = usize::try_from(receiver.max_in_flight_bytes.as_u64()).unwrap_or(usize::MAX);
    let largest_body = sources.iter().map(|source| source.max_body).max().unwrap_or_default();
    // A quarter of all, and always as much as one body with its head.
    let of_strangers = (bytes / 4).max(largest_body.saturating_add(STRANGER_OVERHEAD)).min(bytes);
    let largest = sources.iter().map(|source| source.max_body.max(source.max_decompressed)).max().unwrap_or_default();
    Ok(Common {
        registry: SchemaRegistry::measured(&config.schema_registry, metrics.registry_requests.clone())?,
        producer: Arc::new(Producer::new(&config.kafka, largest, receiver.request_timeout)?),
        request_timeout: receiver.request_timeout,
        // An eighth is for small requests, unless the largest body needs it.
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
        request_permits: Semaphore::new(receiver.max_in_flight_requests.min(Semaphore::MAX_PERMITS)),
        metrics,
        workers: Workers::default(),
        log_budget: LogBudget::default(),
    })
}

fn register_queue_len(exposition: &Registry, producer: &Arc<Producer>) -> Result<(), prometheus::Error> {
    let producer = Arc::downgrade(producer);
    queue_len(exposition, move || producer.upgrade().map_or(0.0, |producer| producer.queue_len() as f64))
}

fn queue_len(exposition: &Registry, len: impl Fn() -> f64 + Send + Sync + 'static) -> Result<(), prometheus::Error> {
    let help = "Records in the producer's queue or on their way to Kafka.";
    let gauge = PullingGauge::new("penstock_receiver_kafka_queue_records", help, Box::new(len))?;
    exposition.declare(Kind::Gauge, gauge)
}

async fn serve_admin(openapi: Router, status: Status, listener: tokio::net::TcpListener, stopped: CancellationToken) {
    if let Err(error) = admin::serve_with(openapi, status, listener, stopped).await {
        tracing::error!(%error, "The admin port has failed; the receiver continues.");
    }
}

/// Starts what looks after Kafka and the schemas.
fn spawn_watches(
    tasks: &mut JoinSet<()>,
    config: &Config,
    sources: &[Arc<Source>],
    common: &Common,
    readiness: &Arc<Readiness>,
    shutdown: &CancellationToken,
) {
    let mut topics: Vec<String> = sources.iter().map(|source| source.topic.clone()).collect();
    topics.sort_unstable();
    topics.dedup();
    tasks.spawn(stages::produce::watch::watch(
        Arc::clone(&common.producer),
        config.kafka.clone(),
        topics,
        readiness.condition("kafka"),
        shutdown.clone(),
    ));
    let mut quarantine_topics: Vec<String> =
        sources.iter().filter_map(|source| source.quarantine.as_ref()).map(|it| it.topic.clone()).collect();
    quarantine_topics.sort_unstable();
    quarantine_topics.dedup();
    tasks.spawn(stages::produce::watch::create(config.kafka.clone(), quarantine_topics, shutdown.clone()));
    tasks.spawn(source::schema::watch(
        sources.to_vec(),
        common.registry.clone(),
        config.schema_registry.refresh,
        readiness.condition("schema"),
        shutdown.clone(),
    ));
}

/// Returns what pulls schemas from CXone in the background, where the config asks for it.
fn refresh(config: &Config, sources: &[Arc<Source>], common: &Common) -> Result<Option<Refresh>, RunError> {
    let Some(every) = config.cxone.refresh else {
        return Ok(None);
    };
    let subjects = Subjects::new(&config.schema_registry)?;
    Ok(Some(Refresh {
        puller: Puller::new(Cxone::new(&config.cxone)?, subjects, common.registry.clone()),
        subjects: config.cxone_subjects(),
        every,
        sources: sources.to_vec(),
        registry: common.registry.clone(),
        pulls: common.metrics.cxone_pulls.clone(),
    }))
}

/// Sends what requests that nobody waits for any more have left in the queue, then closes the producer.
async fn flush(producer: Arc<Producer>) {
    const PATIENCE: Duration = Duration::from_secs(5);
    let flushed = tokio::task::spawn_blocking(move || producer.flush(PATIENCE)).await;
    match flushed {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "Some records were not acknowledged; their senders got 503."),
        Err(error) => tracing::error!(%error, "The flush of the producer failed."),
    }
}
