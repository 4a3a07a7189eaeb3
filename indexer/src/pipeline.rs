//! The stages put together.

use std::sync::mpsc::sync_channel;

use prometheus::Registry;
use shared::admin::Readiness;
use shared::config::Config;
use shared::registry::SchemaRegistry;
use std::sync::Arc;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use crate::RunError;
use crate::bulk::Bulk;
use crate::consume::{Conditions, Consumer};
use crate::dead_letter::DeadLetters;
use crate::decode::Decoder;
use crate::metrics::Metrics;
use crate::place::Placer;
use crate::tasks::Tasks;

/// Reports that may wait for the consuming thread. More tasks than this never run at a time: one a batch under way
/// (`indexer.max_in_flight_requests`, and at a revoke one more), and one a schema that is asked for.
const MAX_REPORTS: usize = 4_096;

/// Runs the pipeline until `shutdown` is cancelled and all is drained.
///
/// # Errors
/// [`RunError`], when a part cannot be set up or the consumer cannot go on.
pub async fn run(
    config: &Config,
    registry: &Registry,
    readiness: &Arc<Readiness>,
    shutdown: &CancellationToken,
) -> Result<(), RunError> {
    let metrics = Metrics::new(registry)?;
    let conditions =
        Conditions { kafka: readiness.condition("kafka"), schemas: readiness.condition("schema_registry") };
    let schemas = SchemaRegistry::new(&config.schema_registry)?;
    let bulk = Bulk::new(config, metrics.clone(), readiness)?;
    let dead_letters = DeadLetters::new(config, readiness.condition("dead_letters"), metrics.clone())?;

    let set_up = async {
        create_topics(config, &conditions).await;
        learn_latest(config, &schemas, &bulk).await;
        bulk.ensure_index().await;
        if bulk.keeper().is_needed() {
            bulk.keeper().renewed().await;
        }
    };
    if shutdown.run_until_cancelled(set_up).await.is_none() {
        return Ok(());
    }

    let keeper = Arc::clone(bulk.keeper());
    let placer = Placer::new(&config.elasticsearch, &keeper);
    let decoder = Decoder::new(config, placer, metrics.place.clone());
    let keeping = tokio::spawn(async move { keeper.run().await });
    let (sender, reports) = sync_channel(MAX_REPORTS);
    let tasks = Tasks::new(bulk, dead_letters, schemas, sender);
    let consumer = Consumer::new(config, decoder, tasks, reports, metrics, conditions)?;
    let shutdown = shutdown.clone();
    let consumed = spawn_blocking(move || consumer.run(&shutdown)).await;
    keeping.abort();
    consumed.map_err(RunError::Panicked)??;
    Ok(())
}

/// Has the index made with the fields of the subject's latest schema, where the config names one. A registry that is away is not waited
/// for: the schema of the first event comes as well.
async fn learn_latest(config: &Config, schemas: &SchemaRegistry, bulk: &Bulk) {
    let Some(subject) = &config.elasticsearch.mapping.subject else { return };
    match schemas.latest(subject).await {
        Ok(latest) => bulk.learn(&latest.schema),
        Err(error) => {
            tracing::warn!(subject, %error, "The mapping begins without the subject's latest schema.");
        }
    }
}

/// Creates missing topics if the config asks for it; tries until the cluster answers.
async fn create_topics(config: &Config, conditions: &Conditions) {
    let topics = [config.kafka.topic.as_str(), config.kafka.dead_letter_topic.as_str()];
    while let Err(error) = shared::kafka::create_missing_topics(&config.kafka, "penstock-indexer", &topics).await {
        tracing::warn!(%error, "The topics are not there yet.");
        conditions.kafka.unmet(error.to_string());
        tokio::time::sleep(config.indexer.retry.max.min(std::time::Duration::from_secs(2))).await;
    }
}
