//! The indexer: `consume → decode → batch → bulk → settle → commit`.
//!
//! A consumer group reads the events from Kafka, turns each into a document, and bulk-indexes them into Elasticsearch.
//! Offsets are committed only past records that are settled: indexed, or in the dead-letter topic and acknowledged
//! there (P3).
//!
//! A stage is a file: [`consume`] is the thread that reads, [`decode`] and [`document`] make the documents, [`batch`]
//! collects them, [`bulk`] delivers them, [`dead_letter`] takes what can never be delivered, [`settle`] keeps the
//! ledger and [`commit`] moves the offsets. [`tasks`] runs what the thread must not wait for; [`message::report`] is
//! what comes back. [`pipeline`] puts them together.

use std::sync::Arc;

use service::admin::{self, Readiness};
use service::listen::{self, BindError};
use service::metrics::{Declaration, REVISION, Registry, conditions, process};
use service::status::Status;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::config::Config;

use commands::exit::Exit;
use consume::group;

pub mod backing;
pub mod backoff;
pub mod batch;
pub mod bulk;
pub mod commands;
pub mod commit;
pub mod config;
pub mod consume;
pub mod dead_letter;
pub mod decode;
pub mod document;
pub mod elasticsearch;
pub mod fields;
pub mod fuse;
pub mod index;
pub mod message;
pub mod metrics;
pub mod patience;
pub mod pipeline;
pub mod placement;
pub mod settle;
pub mod status_page;
pub mod tasks;

/// Why the indexer stopped, or did not start.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The address of the admin port cannot be used.
    #[error(transparent)]
    Listen(#[from] BindError),
    /// A value of the config, or a file that it names, cannot be used.
    #[error("{0}")]
    Config(::config::ConfigError),
    /// A metric could not be registered.
    #[error("cannot register a metric: {0}")]
    Metrics(#[from] prometheus::Error),
    /// The schema registry's settings cannot be used.
    #[error(transparent)]
    Registry(#[from] registry::RegistrySetupError),
    /// Elasticsearch's settings cannot be used.
    #[error("elasticsearch: {0}")]
    Bulk(#[from] elasticsearch::SettingsError),
    /// Elasticsearch does not answer a command, or refuses.
    #[error("elasticsearch: {0}")]
    Request(#[from] index::RequestError),
    /// A command wants an index that is not there.
    #[error("there is no index, alias or data stream {0} to compare with: `penstock-indexer setup` makes it")]
    NoIndex(String),
    /// The Kafka client cannot be created, or cannot go on.
    #[error("kafka: {0}; if it is about a setting, see kafka.options")]
    Kafka(#[from] rdkafka::error::KafkaError),
    /// The consuming thread panicked: a bug. Nothing is lost; what was not committed is read again.
    #[error("the consuming thread panicked: {0}")]
    Panicked(#[source] tokio::task::JoinError),
}

impl RunError {
    /// Returns what the process exits with. A member of the group that was fenced must not be restarted as it is: it
    /// would fence the other one in turn. It exits with [`Exit::Config`], after which systemd does not restart it; all
    /// other errors give [`Exit::Failed`].
    pub fn exit(&self) -> Exit {
        match self {
            Self::Config(_) => Exit::Config,
            Self::Kafka(error) if group::is_fenced(error) => Exit::Config,
            _ => Exit::Failed,
        }
    }
}

/// Binds the admin port of the config.
///
/// # Errors
/// When the address is taken or not ours; the message names the config key.
pub fn bind(config: &Config) -> Result<TcpListener, RunError> {
    Ok(listen::bind("indexer.admin_listen", config.indexer.admin_listen)?)
}

/// Returns every metric of an indexer, by name.
///
/// # Errors
/// When two have the same name.
pub fn declared_metrics() -> Result<Vec<Declaration>, prometheus::Error> {
    let registry = Registry::new();
    expose(&registry, &Readiness::new())?;
    metrics::Metrics::new(&registry)?;
    Ok(registry.declared())
}

/// Registers what the process and its readiness are.
fn expose(registry: &Registry, readiness: &Arc<Readiness>) -> Result<(), prometheus::Error> {
    process(registry)?;
    conditions(registry, "penstock_indexer_condition_met", Arc::clone(readiness))
}

fn log_start(config: &Config, admin: &TcpListener) {
    let topics: Vec<String> = config.of_topics().into_iter().map(|topic| topic.kafka.topic).collect();
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        revision = REVISION,
        admin_listen = admin.local_addr().map(tracing::field::display).ok(),
        topics = topics.join(","),
        group_id = config.indexer.group_id,
        "Started."
    );
}

/// Runs the indexer until `shutdown` is cancelled: then it stops consuming, drains, commits and comes back.
///
/// # Errors
/// [`RunError`].
pub async fn run(config: Config, admin: TcpListener, shutdown: CancellationToken) -> Result<(), RunError> {
    let (registry, readiness) = (Registry::new(), Readiness::new());
    expose(&registry, &readiness)?;
    log_start(&config, &admin);
    let admin_stop = CancellationToken::new();
    let status = Status::new(&status_page::LAYOUT, registry.clone(), Arc::clone(&readiness));
    let admin = tokio::spawn(admin::serve(status, admin, admin_stop.child_token()));
    let outcome = pipeline::run(&config, &registry, &readiness, &shutdown).await;
    admin_stop.cancel();
    if let Err(error) = admin.await {
        tracing::warn!(%error, "The admin port failed.");
    }
    outcome
}
