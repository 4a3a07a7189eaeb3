//! The receiver: `receive → authenticate → unframe → validate → produce`.
//!
//! A webhook's events come in over HTTP and go to Kafka unchanged. A sender gets 200 only after Kafka has acknowledged
//! them (P1). Each stage is a module of that name. [`run`] puts the stages together, with the parts that `setup` makes
//! from the config and the tasks of `background`. A new stage is a module and a line in `receive.rs`; a new answer is a
//! row in `reject/table.rs`.

use std::sync::Arc;

use axum::Router;
use prometheus::PullingGauge;
use rdkafka::error::KafkaError;
use registry::RegistrySetupError;
use service::admin::{self, Readiness};
use service::metrics::{Declaration, Kind, REVISION, Registry, conditions, process};
use service::status::Status;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use crate::stages::authenticate::AuthError;
pub use cxone::CxoneError;
pub use cxone::pull::PullError;
pub use cxone::subjects::SubjectsError;
pub use listeners::Listeners;
pub use server::TlsError;
pub use source::SourceError;

use crate::config::Config;
use crate::stages::produce::Producer;
use metrics::Metrics;
use source::Source;

mod background;
mod body_budget;
mod client;
pub mod config;
mod cxone;
mod drift;
pub mod ingest_offline;
mod listeners;
mod message;
mod metrics;
mod openapi;
mod proxy_protocol;
mod quarantine;
mod quoted;
mod receive;
mod reject;
mod reload;
mod request_trace;
mod router;
pub mod schema_command;
mod server;
mod setup;
mod source;
mod stages;
mod status_page;
mod workers;

/// Says why the receiver cannot run.
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
    /// The section `tracing` of the config cannot be used.
    #[error(transparent)]
    Traces(#[from] ::config::ConfigError),
    /// librdkafka refuses the config.
    #[error("kafka.options: cannot create the producer: {0}")]
    Kafka(#[from] KafkaError),
    /// A metric cannot be registered.
    #[error("cannot register the metrics: {0}")]
    Metrics(#[from] prometheus::Error),
}

/// Runs a receiver on `listeners` until `shutdown`, then finishes the requests in flight within
/// `receiver.shutdown_timeout`. Starts without Kafka and without the registry; until both are reachable, it is not
/// ready and answers 503.
///
/// # Errors
/// When the config cannot be used. A failure that may pass by itself is not an error.
pub async fn run(config: Config, listeners: Listeners, shutdown: CancellationToken) -> Result<(), RunError> {
    let (exposition, readiness) = (Registry::new(), Readiness::new());
    let metrics = Metrics::new(&exposition)?;
    expose(&exposition, &readiness)?;
    log_start(&config, &listeners);
    let sources = Source::compile_all(&config, &metrics)?;
    let tls = setup::tls(&config, &metrics)?;
    let common = Arc::new(setup::common(&config, &sources, metrics, shutdown.clone())?);
    let (producer, traces) = (Arc::clone(&common.producer), common.traces.clone());
    register_queue_len(&exposition, &producer)?;

    let mut tasks = JoinSet::new();
    let closing = CancellationToken::new();
    tasks.spawn(background::close(
        readiness.condition("stopping"),
        config.receiver.shutdown_delay,
        shutdown,
        closing.clone(),
    ));
    background::spawn_watches(&mut tasks, &config, &sources, &common, &readiness, &closing);
    // The status page needs all conditions of readiness, so it starts here. The admin port outlives `shutdown`, so that
    // an operator can watch the stop.
    let stopped = CancellationToken::new();
    let status = Status::new(&status_page::LAYOUT, exposition, readiness);
    tasks.spawn(admin::serve_with(openapi::router(&config), status, listeners.admin, stopped.clone()));
    if let Some(refresh) = background::refresh(&config, &sources, &common)? {
        tasks.spawn(refresh.run(closing.clone()));
    }
    tasks.spawn(reload::watch(sources.clone(), tls.clone(), closing.clone()));

    let receiver = &config.receiver;
    let openapi = if receiver.publish_openapi { openapi::router(&config) } else { Router::new() };
    let router = router::router(&sources, &common, receiver.trailing_slash, openapi);
    let settings = setup::settings(receiver, tls, &common.metrics);
    let all_finished = server::serve(listeners.http, router, settings, closing).await;
    if !all_finished {
        tracing::warn!(
            timeout_ms = receiver.shutdown_timeout.as_millis(),
            "Stopped before all requests were answered."
        );
    }
    drop(common);
    background::flush(producer).await;
    if let Some(traces) = traces {
        traces.stop().await;
    }
    stopped.cancel();
    while tasks.join_next().await.is_some() {}
    tracing::info!("Stopped.");
    Ok(())
}

/// Returns every metric of a receiver, sorted by name.
///
/// # Errors
/// When two metrics have the same name.
pub fn declared_metrics() -> Result<Vec<Declaration>, prometheus::Error> {
    let exposition = Registry::new();
    expose(&exposition, &Readiness::new())?;
    Metrics::new(&exposition)?;
    queue_len(&exposition, || 0.0)?;
    Ok(exposition.declared())
}

/// Registers the metrics of the process and of its readiness.
fn expose(exposition: &Registry, readiness: &Arc<Readiness>) -> Result<(), prometheus::Error> {
    process(exposition)?;
    conditions(exposition, "penstock_receiver_condition_met", Arc::clone(readiness))
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

fn register_queue_len(exposition: &Registry, producer: &Arc<Producer>) -> Result<(), prometheus::Error> {
    let producer = Arc::downgrade(producer);
    queue_len(exposition, move || producer.upgrade().map_or(0.0, |producer| producer.queue_len() as f64))
}

fn queue_len(exposition: &Registry, len: impl Fn() -> f64 + Send + Sync + 'static) -> Result<(), prometheus::Error> {
    let help = "Records in the producer's queue or on their way to Kafka.";
    let gauge = PullingGauge::new("penstock_receiver_kafka_queue_records", help, Box::new(len))?;
    exposition.declare(Kind::Gauge, gauge)
}
