//! The tasks that run beside the requests: the watches of Kafka and of the schemas, the pulls from CXone, and the steps
//! of a stop.

use std::sync::Arc;
use std::time::Duration;

use service::admin::{Condition, Readiness};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::RunError;
use crate::config::Config;
use crate::cxone::Cxone;
use crate::cxone::pull::Puller;
use crate::cxone::refresh::Refresh;
use crate::cxone::subjects::Subjects;
use crate::receive::Common;
use crate::source::{self, Source};
use crate::stages::produce::{Producer, watch};

/// Starts the tasks that watch Kafka and the schemas.
pub(crate) fn spawn_watches(
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
    tasks.spawn(watch::watch(
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
    tasks.spawn(watch::create(config.kafka.clone(), quarantine_topics, shutdown.clone()));
    tasks.spawn(source::schema::watch(
        sources.to_vec(),
        common.registry.clone(),
        config.schema_registry.refresh,
        readiness.condition("schema"),
        shutdown.clone(),
    ));
}

/// Returns the task that pulls schemas from CXone in the background, if the config asks for it.
pub(crate) fn refresh(config: &Config, sources: &[Arc<Source>], common: &Common) -> Result<Option<Refresh>, RunError> {
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

/// Turns readiness red at `shutdown`, waits `delay` so that load balancers notice, and then starts closing.
pub(crate) async fn close(
    stopping: Condition,
    delay: Duration,
    shutdown: CancellationToken,
    closing: CancellationToken,
) {
    stopping.met();
    shutdown.cancelled().await;
    stopping.unmet("stopping");
    tokio::time::sleep(delay).await;
    closing.cancel();
}

/// Sends the records that abandoned requests have left in the queue, then closes the producer.
pub(crate) async fn flush(producer: Arc<Producer>) {
    const PATIENCE: Duration = Duration::from_secs(5);
    let flushed = tokio::task::spawn_blocking(move || producer.flush(PATIENCE)).await;
    match flushed {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "Some records were not acknowledged; their senders got 503."),
        Err(error) => tracing::error!(%error, "The flush of the producer failed."),
    }
}
