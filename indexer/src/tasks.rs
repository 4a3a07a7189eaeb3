//! The work that the consuming thread delegates: delivering a batch, fetching a schema. Each task ends with one
//! report.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use avro::Schema;
use kafka::position::Partition;
use registry::wire::SchemaId;
use registry::{RegistryError, SchemaRegistry};
use service::admin::Condition;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::backing::ServerClock;
use crate::batch::Batch;
use crate::bulk::Bulk;
use crate::bulk::dry_run::DryRun;
use crate::dead_letter::DeadLetters;
use crate::message::progress::Epoch;
use crate::message::report::{Report, Settled};
use crate::message::target::Route;
use crate::patience::Patience;
use rest::{Rest, Revoked};

mod rest;

/// The wait between requests to a registry that is down.
const REGISTRY_RETRY: Duration = Duration::from_secs(1);

/// Starts tasks on the runtime.
pub struct Tasks {
    runtime: Handle,
    bulk: Arc<Bulk>,
    dead_letters: Arc<DeadLetters>,
    registry: SchemaRegistry,
    patience: Arc<Patience>,
    reports: SyncSender<Report>,
    stopped: CancellationToken,
    revoked: Revoked,
    /// Counts what would be written. If set, nothing is written.
    dry_run: Option<Arc<DryRun>>,
    /// Finds out whether a record is ahead, or this host's clock is behind.
    clock: Option<Arc<ServerClock>>,
}

impl Tasks {
    /// Creates tasks that run on the caller's runtime and report to `reports`.
    pub fn new(bulk: Bulk, dead_letters: DeadLetters, registry: SchemaRegistry, reports: SyncSender<Report>) -> Self {
        Self {
            runtime: Handle::current(),
            bulk: Arc::new(bulk),
            dead_letters: Arc::new(dead_letters),
            patience: Arc::new(Patience::new(registry.patience())),
            registry,
            reports,
            stopped: CancellationToken::new(),
            revoked: Revoked::default(),
            dry_run: None,
            clock: None,
        }
    }

    /// Returns the tasks with `clock`, by which records that are dated ahead wait.
    #[must_use]
    pub fn with_clock(self, clock: Arc<ServerClock>) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// Prevents all writes if `dry_run` is set: batches and schemas change neither indices nor topics, and `dry_run`
    /// counts what would be written.
    #[must_use]
    pub fn with_dry_run(self, dry_run: Option<Arc<DryRun>>) -> Self {
        Self { dry_run, ..self }
    }

    /// Returns the most bytes that a bulk body should have, by what Elasticsearch accepts at the moment.
    pub fn target_bytes(&self) -> usize {
        self.bulk.target_bytes()
    }

    /// Delivers `batch` to Elasticsearch and its dead letters to their topic, then reports it as settled. If
    /// documents are set aside, it reports that and continues with those alone.
    pub fn deliver(&self, batch: Batch) {
        if let Some(dry_run) = &self.dry_run {
            return self.compare(Arc::clone(dry_run), batch);
        }
        let bulk = Arc::clone(&self.bulk);
        let dead_letters = Arc::clone(&self.dead_letters);
        let rest = Rest { reports: self.reports.clone(), revoked: self.revoked.clone() };
        self.start(async move {
            let delivered = bulk.deliver(&batch).await;
            dead_letters.write(&bulk, &batch, delivered.refused).await;
            if !delivered.set_aside.is_empty() {
                return rest.settle(&bulk, &dead_letters, batch, delivered.set_aside).await;
            }
            Report::Settled(Settled {
                held_bytes: batch.held_bytes(),
                id: batch.id,
                progress: batch.progress,
                was_set_aside: false,
            })
        });
    }

    fn compare(&self, dry_run: Arc<DryRun>, batch: Batch) {
        self.start(async move {
            dry_run.compare(&batch).await;
            let held_bytes = batch.held_bytes();
            Report::Settled(Settled { held_bytes, id: batch.id, progress: batch.progress, was_set_aside: false })
        });
    }

    /// Gives up the documents of `partition` that were set aside under the assignment of `epoch`: the next owner
    /// reads them again.
    pub fn revoke(&self, partition: Partition, epoch: Epoch) {
        self.revoked.note(partition, epoch);
    }

    /// Fetches the schema of `id`, adds its fields to the index, then reports. While the registry is down, the
    /// request is repeated and `condition` is not met. While Elasticsearch is down, the task waits.
    pub fn fetch_schema(&self, id: SchemaId, condition: Condition) {
        let (registry, patience) = (self.registry.clone(), Arc::clone(&self.patience));
        let bulk = self.dry_run.is_none().then(|| Arc::clone(&self.bulk));
        self.start(async move {
            let answer = fetch(&registry, id, &condition, &patience).await;
            if let (Ok(schema), Some(bulk)) = (&answer, bulk) {
                bulk.adopt(schema).await;
            }
            Report::Schema(id, answer)
        });
    }

    /// Has the schema in memory of `id` compared with the registry's.
    pub fn check_schema(&self, id: SchemaId) {
        let (registry, stopped) = (self.registry.clone(), self.stopped.clone());
        self.runtime.spawn(async move { stopped.run_until_cancelled(registry.check(id)).await });
    }

    /// Returns how often all schemas in memory were forgotten, because the registry was emptied or restored.
    pub fn forgotten_schemas(&self) -> u64 {
        self.registry.forgotten()
    }

    /// Reads the table of backing indices of the index set `route` until it can place a record of placement time
    /// `time`, then reports.
    pub fn renew_table(&self, route: Route, time: i64) {
        let (index_cache, clock) = (self.bulk.index_cache(route).map(Arc::clone), self.clock.clone());
        self.start(async move {
            if let Some(clock) = clock {
                clock.settle(time).await;
            }
            if let Some(index_cache) = index_cache {
                index_cache.until_valid(time).await;
            }
            Report::Table(route, time)
        });
    }

    /// Runs `ask`, which waits for Kafka, on a thread of its own, and reports its result.
    pub fn wait_for_kafka(&self, ask: impl FnOnce() -> Report + Send + 'static) {
        let reports = self.reports.clone();
        self.runtime.spawn_blocking(move || {
            if reports.send(ask()).is_err() {
                tracing::debug!("A report arrived after the consuming thread had ended.");
            }
        });
    }

    /// Abandons all tasks in flight: nothing waits for their reports any more.
    pub fn stop(&self) {
        self.stopped.cancel();
    }

    fn start(&self, task: impl Future<Output = Report> + Send + 'static) {
        let reports = self.reports.clone();
        let stopped = self.stopped.clone();
        self.runtime.spawn(async move {
            if let Some(report) = stopped.run_until_cancelled(task).await
                && reports.send(report).is_err()
            {
                tracing::debug!("A report arrived after the consuming thread had ended.");
            }
        });
    }
}

/// Requests the schema of `id` until there is an answer. Waits as long as `patience` allows for a schema that the
/// registry does not have yet.
async fn fetch(
    registry: &SchemaRegistry,
    id: SchemaId,
    condition: &Condition,
    patience: &Patience,
) -> Result<Arc<Schema>, RegistryError> {
    let begin = Instant::now();
    let mut waited = false;
    loop {
        match registry.by_id(id).await {
            Err(error @ RegistryError::Unavailable { .. }) => {
                tracing::warn!(schema_id = id.0, %error, "Records wait for their schema.");
                condition.unmet(error.to_string());
            }
            Err(error @ RegistryError::NotYet { .. }) if begin.elapsed() < patience.left(Instant::now()) => {
                if !waited {
                    tracing::warn!(schema_id = id.0, %error, "Records wait for their schema.");
                }
                waited = true;
            }
            Err(RegistryError::NotFound { url, what } | RegistryError::NotYet { url, what }) => {
                patience.spent(Instant::now());
                return Err(RegistryError::NotFound { url, what });
            }
            answer => {
                if waited && answer.is_ok() {
                    patience.rewarded();
                }
                return answer;
            }
        }
        tokio::time::sleep(REGISTRY_RETRY).await;
    }
}
