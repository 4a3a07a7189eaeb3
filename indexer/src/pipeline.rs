//! Connects the stages into a pipeline.

use std::collections::HashSet;
use std::sync::mpsc::sync_channel;

use futures::future::join_all;
use registry::SchemaRegistry;
use service::admin::Readiness;
use service::metrics::Registry;
use std::sync::Arc;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;
use traces::{Sampling, Traces};

use crate::RunError;
use crate::backing::{Lists, Placer, ServerClock};
use crate::bulk::Bulk;
use crate::bulk::dry_run::DryRun;
use crate::bulk::traced::BulkTraces;
use crate::config::Config;
use crate::consume::reading::Reading;
use crate::consume::{Conditions, Consumer};
use crate::dead_letter::DeadLetters;
use crate::decode::Decoder;
use crate::elasticsearch::Client;
use crate::metrics::Metrics;
use crate::placement::router;
use crate::tasks::Tasks;

/// How many reports may wait for the consuming thread. There are never more tasks than this: one for each batch in
/// flight (`indexer.max_in_flight_requests`, plus one during a revocation), and one for each schema being fetched.
const MAX_REPORTS: usize = 4_096;

/// What all topics of one process share.
pub(crate) struct Shared<'a> {
    metrics: Metrics,
    schemas: SchemaRegistry,
    lists: Arc<Lists>,
    /// Traces bulk requests. None if tracing is off.
    traces: Option<Arc<Traces>>,
    /// Cancelled from outside, or when the pipeline of one topic fails.
    shutdown: &'a CancellationToken,
}

/// What a pipeline does with its topic.
pub(crate) struct Job {
    /// Which records are read.
    pub(crate) reading: Reading,
    /// The ids of the wanted documents. Empty: all.
    pub(crate) only: HashSet<String>,
    /// Counts what would be written. If set, nothing is written.
    pub(crate) dry_run: Option<Arc<DryRun>>,
}

impl<'a> Shared<'a> {
    /// Creates the shared parts and registers the metrics with `registry`.
    ///
    /// # Errors
    /// [`RunError`], when a part of the config is invalid.
    pub(crate) fn new(config: &Config, registry: &Registry, shutdown: &'a CancellationToken) -> Result<Self, RunError> {
        let metrics = Metrics::new(registry)?;
        let schemas = SchemaRegistry::measured(&config.schema_registry, metrics.registry_requests.clone())?;
        // Topics have their own indices, but one cluster.
        let lists = Arc::new(Lists::new(Arc::new(Client::new(&config.elasticsearch)?)));
        Ok(Self { metrics, schemas, lists, traces: None, shutdown })
    }

    /// Starts the export of traces if the config enables it.
    ///
    /// # Errors
    /// When the `tracing` config is invalid.
    fn traced(self, config: &Config) -> Result<Self, RunError> {
        let traces = Traces::start(&config.tracing, "penstock-indexer", Sampling::Links, &self.metrics.spans);
        Ok(Self { traces: traces.map_err(RunError::Config)?, ..self })
    }

    /// Returns the metrics of all topics.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}

impl Job {
    /// Returns the service's job: index all records, without end.
    fn service() -> Self {
        Self { reading: Reading::service(), only: HashSet::new(), dry_run: None }
    }
}

/// Runs a pipeline for each topic until `shutdown` is cancelled and all are drained.
///
/// # Errors
/// [`RunError`], when a part cannot be set up or a consumer fails. All pipelines are then drained and stopped.
pub async fn run(
    config: &Config,
    registry: &Registry,
    readiness: &Arc<Readiness>,
    shutdown: &CancellationToken,
) -> Result<(), RunError> {
    let shutdown = shutdown.child_token();
    let shared = Shared::new(config, registry, &shutdown)?.traced(config)?;
    let topics = config.of_topics();
    let is_alone = topics.len() == 1;
    let running = topics.iter().map(|topic| {
        let readiness = if is_alone { Arc::clone(readiness) } else { readiness.part(&topic.kafka.topic) };
        let shared = &shared;
        async move {
            let outcome = run_topic(topic, shared, &readiness, Job::service()).await;
            if outcome.is_err() {
                shared.shutdown.cancel();
            }
            outcome
        }
    });
    let outcomes = join_all(running).await;
    if let Some(traces) = &shared.traces {
        traces.stop().await;
    }
    outcomes.into_iter().collect()
}

/// Runs the pipeline for the only topic of `config` until its `job` is done or it is shut down.
///
/// # Errors
/// As [`run`].
pub(crate) async fn run_topic(
    config: &Config,
    shared: &Shared<'_>,
    readiness: &Arc<Readiness>,
    job: Job,
) -> Result<(), RunError> {
    router::announce(&config.kafka.topic, &config.elasticsearch);
    let metrics = shared.metrics.clone().of_topic(&config.kafka.topic);
    let schemas = shared.schemas.clone();
    let conditions =
        Conditions { kafka: readiness.condition("kafka"), schemas: readiness.condition("schema_registry") };
    let bulk = Bulk::with_lists(config, metrics.clone(), readiness, Arc::clone(&shared.lists))?;
    let traces = shared.traces.as_ref().map(Arc::clone);
    let bulk = bulk.traced(traces.map(|it| BulkTraces::new(it, &config.kafka.topic, &config.indexer.group_id)));
    let dead_letters = DeadLetters::new(config, readiness.condition("dead_letters"), metrics.clone())?;

    let is_dry = job.dry_run.is_some();
    let set_up = async {
        if !is_dry {
            create_topics(config, &conditions).await;
            learn_latest(config, &schemas, &bulk).await;
            bulk.ensure_index().await;
        }
        if is_dry && let Some(missing) = bulk.missing_index().await? {
            return Err(RunError::NoIndex(missing.to_owned()));
        }
        join_all(bulk.index_caches().map(|index_cache| index_cache.begin())).await;
        Ok(())
    };
    match shared.shutdown.run_until_cancelled(set_up).await {
        Some(done) => done?,
        None => return Ok(()),
    }

    let index_caches: Vec<_> = bulk.index_caches().map(Arc::clone).collect();
    let clock = Arc::new(ServerClock::new(config, readiness.condition("clock"))?);
    let placer = Placer::new(&config.elasticsearch, &index_caches).confirmed_by(Arc::clone(&clock));
    let decoder = Decoder::new(config, placer, &metrics).map_err(RunError::Config)?;
    let decoder = decoder.for_server(bulk.server()).only(job.only);
    let (sender, reports) = sync_channel(MAX_REPORTS);
    let tasks = Tasks::new(bulk, dead_letters, schemas, sender).with_dry_run(job.dry_run).with_clock(clock);
    let consumer = Consumer::new(config, decoder, tasks, reports, metrics, conditions, job.reading)?;
    let keeping = tokio::spawn(async move {
        // It may add fields to a new index.
        if !is_dry {
            join_all(index_caches.iter().map(|index_cache| index_cache.run())).await;
        }
    });
    let shutdown = shared.shutdown.clone();
    let consumed = spawn_blocking(move || consumer.run(&shutdown)).await;
    keeping.abort();
    consumed.map_err(RunError::Panicked)??;
    Ok(())
}

/// Adds the fields of the subject's latest schema to the mapping before the index is created, if the config names a
/// subject. Does not wait for a registry that is down: the schema of the first event brings its fields anyway.
async fn learn_latest(config: &Config, schemas: &SchemaRegistry, bulk: &Bulk) {
    let Some(subject) = &config.elasticsearch.mapping.subject else { return };
    match schemas.latest(subject).await {
        Ok(latest) => bulk.learn(&latest.schema),
        Err(error) => {
            tracing::warn!(subject, %error, "Cannot fetch the subject's latest schema; the mapping starts without it.");
        }
    }
}

/// Creates missing topics if the config enables it. Retries until the cluster answers.
async fn create_topics(config: &Config, conditions: &Conditions) {
    let topics = [config.kafka.topic.as_str(), config.kafka.dead_letter_topic.as_str()];
    while let Err(error) = kafka::create_missing_topics(&config.kafka, "penstock-indexer", &topics).await {
        tracing::warn!(%error, "Cannot create the missing topics yet.");
        conditions.kafka.unmet(error.to_string());
        tokio::time::sleep(config.indexer.retry.max.min(std::time::Duration::from_secs(2))).await;
    }
}
