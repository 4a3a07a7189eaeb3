//! Keeps the current schema of each source up to date, and says in the readiness which one is not to be had.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{join_all, select_all};
use shared::admin::Condition;
use shared::registry::{RegistryError, SchemaRegistry};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Source, Writer};

/// The first wait after a failure; doubled each time.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest wait after a failure.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Fetches the latest schema of each source's subject now and every `refresh`, sooner after a failure or when events
/// do not fit it any more, until `shutdown`.
/// `condition` is met when every source has a schema it can use; after that, as long as one of them has.
pub(crate) async fn watch(
    sources: Vec<Arc<Source>>,
    registry: SchemaRegistry,
    refresh: Duration,
    condition: Condition,
    shutdown: CancellationToken,
) {
    let mut failed_wait = FIRST_WAIT;
    let mut told = String::new();
    let mut was_ready = false;
    let mut suspicions: Vec<_> = sources.iter().map(|source| source.drift.suspected()).collect();
    loop {
        let round = join_all(sources.iter().map(|source| update(source, &registry)));
        let Some(results) = shutdown.run_until_cancelled(round).await else {
            return;
        };
        let failures: Vec<String> = results.into_iter().filter_map(Result::err).collect();
        let wait = if failures.is_empty() {
            was_ready = true;
            condition.met();
            told.clear();
            failed_wait = FIRST_WAIT;
            refresh
        } else {
            let reason = failures.join("; ");
            if reason != told {
                tracing::warn!(%reason, "A source has no schema; trying again.");
                told.clone_from(&reason);
            }
            // Before the first time this stops a rollout; later, one source must not take the others out of service.
            if was_ready && failures.len() < sources.len() {
                condition.met_but(reason);
            } else {
                condition.unmet(reason);
            }
            let wait = failed_wait;
            failed_wait = LONGEST_WAIT.min(failed_wait * 2);
            wait.min(refresh)
        };
        let pause = async {
            tokio::select! {
                () = tokio::time::sleep(wait) => None,
                number = drifting(&mut suspicions) => sources.get(number),
            }
        };
        match shutdown.run_until_cancelled(pause).await {
            None => return,
            Some(None) => {}
            Some(Some(source)) => renew(source, &registry).await,
        }
    }
}

/// Waits until the events of a source no longer fit its schema, and gives its number.
async fn drifting(suspicions: &mut [watch::Receiver<u64>]) -> usize {
    // They end with the sources only, and those are alive.
    select_all(suspicions.iter_mut().map(|suspicion| Box::pin(suspicion.changed()))).await.1
}

/// Asks for the latest schema of the source before its time. The round that follows makes it the current one.
async fn renew(source: &Source, registry: &SchemaRegistry) {
    let (name, subject) = (source.name.as_str(), source.subject.as_str());
    let known = source.current.load().as_ref().map(|current| current.id);
    match registry.latest_now(subject).await {
        Ok(latest) if Some(latest.id) == known => {
            tracing::warn!(source = name, subject, schema_id = latest.id.0, "The registry has no later schema.");
        }
        // Said when it becomes the current one.
        Ok(_) => {}
        Err(error) => tracing::warn!(source = name, subject, %error, "Cannot ask for the latest schema."),
    }
}

/// Makes the latest schema of the source's subject its current one, and the versions before it its older ones.
///
/// # Errors
/// Why the source has none it can use: in words, for the readiness.
pub(crate) async fn update(source: &Source, registry: &SchemaRegistry) -> Result<(), String> {
    update_current(source, registry).await?;
    update_older(source, registry).await;
    Ok(())
}

/// Finds the newest versions of the source's subject but the current one. What is unavailable now stays as it was until
/// the next time.
async fn update_older(source: &Source, registry: &SchemaRegistry) {
    if source.older_versions == 0 {
        return;
    }
    let current = source.current.load().as_ref().map(|current| current.id);
    let Ok(versions) = registry.newest_versions(&source.subject).await else { return };
    let mut older: Vec<Arc<Writer>> = Vec::new();
    // Some of them may be deleted meanwhile, of no use, or the same schema again.
    for version in versions.iter().take(2 * source.older_versions + 2) {
        if older.len() == source.older_versions {
            break;
        }
        let found = match registry.by_version(&source.subject, *version).await {
            Ok(found) => found,
            Err(RegistryError::Unavailable { .. }) => return,
            Err(_) => continue,
        };
        let known = Some(found.id) == current || older.iter().any(|writer| writer.id == found.id);
        if let (false, Ok(writer)) = (known, source.writer(found.id, found.schema)) {
            older.push(Arc::new(writer));
        }
    }
    let ids = |writers: &[Arc<Writer>]| writers.iter().map(|writer| writer.id).collect::<Vec<_>>();
    if ids(&source.older.load()) != ids(&older) {
        source.older.store(Arc::new(older));
        source.changed();
    }
}

async fn update_current(source: &Source, registry: &SchemaRegistry) -> Result<(), String> {
    let (name, subject) = (source.name.as_str(), source.subject.as_str());
    let latest = match registry.latest(subject).await {
        Ok(latest) => latest,
        Err(error) if source.current.load().is_some() => {
            // What is known stays in use, also when the subject was deleted: events are still valid by it.
            tracing::warn!(source = name, subject, %error, "Cannot refresh the schema; the known one stays in use.");
            return Ok(());
        }
        Err(error) => return Err(format!("receiver.sources.{name}: subject {subject}: {error}")),
    };
    if source.current.load().as_ref().is_some_and(|current| current.id == latest.id) {
        return Ok(());
    }
    let id = latest.id;
    match source.writer(id, latest.schema) {
        Ok(writer) => {
            source.current.store(Some(Arc::new(writer)));
            source.changed();
            source.metrics.schema_id.set(i64::from(id.0));
            tracing::info!(source = name, subject, schema_id = id.0, "The current schema of the source is known.");
            Ok(())
        }
        Err(error) => {
            // Events are written with this schema now, and none of them has a key that could be found.
            source.current.store(None);
            let key_field = source.key_field.as_deref().unwrap_or_default();
            Err(format!("receiver.sources.{name}.key_field: {key_field} in subject {subject}, schema id {id}: {error}"))
        }
    }
}
