//! The commands of the indexer apart from running the service; this file holds `setup` and `mapping`.

use std::path::PathBuf;
use std::sync::Arc;

use avro::Schema;
use registry::SchemaRegistry;
use service::admin::Readiness;
use service::backoff::Backoff;

use crate::config::Config;
use crate::elasticsearch::Client;
use crate::index::mapping::compare::Difference;
use crate::index::mapping::{self, Generated};
use crate::index::{Index, IndexSettings, Requests};
use crate::metrics::Metrics;
use crate::placement::router;

pub use error::CommandError;

pub mod dead_letters;
pub mod doctor;
mod error;
pub mod exit;
pub mod explain;
pub mod find;
pub mod log;
pub mod output;
pub mod plain;
pub mod position;
pub mod replay;
pub mod status;
pub mod times;
pub mod topics;

/// The options of `setup`.
#[derive(Clone, Copy, Debug, Default)]
pub struct SetUp {
    /// Change nothing, and return the requests that would be sent.
    pub dry_run: bool,
    /// Overwrite manual changes.
    pub force: bool,
}

/// Creates what is missing in Elasticsearch: policy, templates and the first index. For a dry run, returns the
/// requests that would have been sent.
///
/// # Errors
/// [`CommandError`] for the first request that is refused, with Elasticsearch's reason.
pub async fn set_up(config: &Config, how: SetUp) -> Result<Vec<String>, CommandError> {
    let schema = match &config.elasticsearch.mapping.subject {
        Some(subject) => Some(latest(config, subject).await?),
        None => None,
    };
    router::announce(&config.kafka.topic, &config.elasticsearch);
    let mut requests = Vec::new();
    for of_set in config.of_index_sets() {
        let client = Arc::new(Client::new(&of_set.elasticsearch)?);
        let sent = if how.dry_run { Requests::dry_run(client) } else { Requests::new(client) };
        let index = index_of(&of_set, sent.overwriting(how.force))?;
        schema.iter().for_each(|schema| index.fields.learn(schema));
        requests.append(&mut index.set_up().await?);
    }
    Ok(requests)
}

/// Returns the schema of the file, or of the subject, or of `elasticsearch.mapping.subject`, in this order.
///
/// # Errors
/// [`CommandError`].
pub async fn schema(
    config: &Config,
    file: Option<PathBuf>,
    subject: Option<String>,
) -> Result<Arc<Schema>, CommandError> {
    if let Some(path) = file {
        let wrong = |reason: String| CommandError::File { path: path.clone(), reason };
        let text = std::fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
        return Schema::parse(&text).map(Arc::new).map_err(|error| wrong(error.to_string()));
    }
    let subject = subject.or_else(|| config.elasticsearch.mapping.subject.clone()).ok_or(CommandError::NoSchema)?;
    latest(config, &subject).await
}

/// Returns the mapping of the documents of `schema`.
///
/// # Errors
/// If the file of the lifecycle policy cannot be used.
pub fn mapping(config: &Config, schema: &Schema) -> Result<Generated, CommandError> {
    Ok(mapping::generate(schema, &IndexSettings::of(config)?.mapping))
}

/// Returns what the template and each index lack of `schema`, and where they contradict it.
///
/// # Errors
/// [`CommandError`].
pub async fn differences(config: &Config, schema: &Schema) -> Result<Vec<(String, Difference)>, CommandError> {
    let mut differences = Vec::new();
    for of_set in config.of_index_sets() {
        let index = index(&of_set)?;
        index.fields.learn(schema);
        index.bootstrap.identify().await?;
        differences.append(&mut index.evolution.differences().await?);
    }
    Ok(differences)
}

async fn latest(config: &Config, subject: &str) -> Result<Arc<Schema>, CommandError> {
    let registry = SchemaRegistry::new(&config.schema_registry)?;
    Ok(registry.latest(subject).await?.schema)
}

/// Returns the index of the topic of `config`.
///
/// # Errors
/// If the config cannot be used.
pub(crate) fn index(config: &Config) -> Result<Index, CommandError> {
    index_of(config, Requests::new(Arc::new(Client::new(&config.elasticsearch)?)))
}

/// Returns the index of the single topic of `config`, which is read and changed by `requests`.
///
/// # Errors
/// If the file of the lifecycle policy cannot be used.
pub(crate) fn index_of(config: &Config, requests: Requests) -> Result<Index, CommandError> {
    let settings = IndexSettings::of(config)?;
    let backoff = Backoff { initial: config.indexer.retry.initial, max: config.indexer.retry.max };
    let condition = Readiness::new().condition("index");
    let metrics = Metrics::new(&service::metrics::Registry::new())?;
    Ok(Index::new(requests, settings, backoff, condition, metrics))
}
