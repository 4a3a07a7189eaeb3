//! The indexer: `consume → decode → batch → bulk → settle → commit`.
//!
//! A consumer group reads the events from Kafka, turns each into a document, and indexes the documents into
//! Elasticsearch in bulk. An offset is committed only when all records before it are settled: indexed, or
//! acknowledged by the dead-letter topic (P3).
//!
//! Each stage has its own file: [`consume`] is the thread that reads, [`decode`] and [`document`] create the
//! documents, [`batch`] collects them, [`bulk`] delivers them, [`dead_letter`] handles what can never be delivered,
//! [`settle`] keeps the ledger and [`commit`] commits the offsets. [`tasks`] runs the work that the thread must not
//! wait for; [`message::report`] is how the results come back. [`pipeline`] connects them.

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

/// Why the indexer stopped or did not start.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The admin port cannot listen on its address.
    #[error(transparent)]
    Listen(#[from] BindError),
    /// A config value, or a file that the config names, is invalid.
    #[error("{0}")]
    Config(::config::ConfigError),
    /// A metric could not be registered.
    #[error("cannot register a metric: {0}")]
    Metrics(#[from] prometheus::Error),
    /// The settings of the schema registry are invalid.
    #[error(transparent)]
    Registry(#[from] registry::RegistrySetupError),
    /// The settings of Elasticsearch are invalid.
    #[error("elasticsearch: {0}")]
    Bulk(#[from] elasticsearch::SettingsError),
    /// Elasticsearch does not answer a command's request, or refuses it.
    #[error("elasticsearch: {0}")]
    Request(#[from] index::RequestError),
    /// A command needs an index that does not exist.
    #[error("there is no index, alias or data stream {0} to compare with: `penstock-indexer setup` creates it")]
    NoIndex(String),
    /// The Kafka client cannot be created, or failed for good.
    #[error("kafka: {0}; if it is about a setting, see kafka.options")]
    Kafka(#[from] rdkafka::error::KafkaError),
    /// The consuming thread panicked, which is a bug. Nothing is lost: what was not committed is read again.
    #[error("the consuming thread panicked: {0}")]
    Panicked(#[source] tokio::task::JoinError),
}

impl RunError {
    /// Returns the exit code of the process. A fenced member of the group must not be restarted with the same config,
    /// as it would fence the other one in turn. It exits with [`Exit::Config`], after which systemd does not restart
    /// it; all other errors give [`Exit::Failed`].
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
/// When the address is in use or does not belong to this host; the message names the config key.
pub fn bind(config: &Config) -> Result<TcpListener, RunError> {
    Ok(listen::bind("indexer.admin_listen", config.indexer.admin_listen)?)
}

/// Returns every metric of the indexer, by name.
///
/// # Errors
/// When two metrics have the same name.
pub fn declared_metrics() -> Result<Vec<Declaration>, prometheus::Error> {
    let registry = Registry::new();
    expose(&registry, &Readiness::new())?;
    metrics::Metrics::new(&registry)?;
    Ok(registry.declared())
}

/// Registers the metrics of the process and of its readiness conditions.
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

/// Runs the indexer until `shutdown` is cancelled. It then stops consuming, drains, commits and returns.
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
