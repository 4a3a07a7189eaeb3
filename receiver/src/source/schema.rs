//! Keeps the current schema of each source up to date. Readiness shows which source has no schema, or an older one.

use std::sync::Arc;
use std::time::Duration;

use avro::SchemaError;
use futures::future::{join_all, select_all};
use registry::{RegisteredSchema, RegistryError, SchemaRegistry};
use service::admin::Condition;
use service::backoff::Backoff;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Source;
use crate::message::Writer;

#[cfg(test)]
mod tests;

/// The waits after failures.
const BACKOFF: Backoff = Backoff { initial: Duration::from_millis(500), max: Duration::from_secs(2) };

/// Fetches the latest schema of each source's subject now and every `refresh`, and sooner after a failure or when
/// events no longer fit it, until `shutdown`.
/// `condition` is met once every source has a usable schema, and after that as long as one of them has.
pub(crate) async fn watch(
    sources: Vec<Arc<Source>>,
    registry: SchemaRegistry,
    refresh: Duration,
    condition: Condition,
    shutdown: CancellationToken,
) {
    let mut failures = 0;
    let mut report = Report { condition, logged: String::new(), was_ready: false };
    let mut suspicions: Vec<_> = sources.iter().map(|source| source.drift.suspected()).collect();
    loop {
        let round = join_all(sources.iter().map(|source| update(source, &registry)));
        let Some(results) = shutdown.run_until_cancelled(round).await else {
            return;
        };
        let wait = if report.round(results) {
            failures = 0;
            refresh
        } else {
            failures += 1;
            BACKOFF.longest(failures).min(refresh)
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

/// Reports the state of the sources in readiness and in the log.
struct Report {
    condition: Condition,
    /// The last logged text, which is not logged twice in a row.
    logged: String,
    /// Whether all sources have had a schema at the same time.
    was_ready: bool,
}

impl Report {
    /// Reports the results of one round of [`update`]. Returns whether each source has a schema.
    fn round(&mut self, results: Vec<Result<Option<String>, String>>) -> bool {
        let sources = results.len();
        let (mut failures, mut remarks) = (Vec::new(), Vec::new());
        for result in results {
            match result {
                Ok(remark) => remarks.extend(remark),
                Err(failure) => failures.push(failure),
            }
        }
        let failed = failures.len();
        failures.append(&mut remarks);
        let text = failures.join("; ");
        self.log(&text);
        self.was_ready |= failed == 0;
        // At first a failure stops a rollout; later, one source must not take the others out of service.
        if failed > 0 && !(self.was_ready && failed < sources) {
            self.condition.unmet(text);
        } else if text.is_empty() {
            self.condition.met();
        } else {
            self.condition.met_but(text);
        }
        failed == 0
    }

    fn log(&mut self, text: &str) {
        if !text.is_empty() && text != self.logged {
            tracing::warn!(reason = text, "The latest schema of a source cannot be used; trying again.");
        }
        text.clone_into(&mut self.logged);
    }
}

/// Waits until the events of a source no longer fit its schema, and returns the number of the source.
async fn drifting(suspicions: &mut [watch::Receiver<u64>]) -> usize {
    // A receiver ends only when its source is dropped, and the caller holds all sources.
    select_all(suspicions.iter_mut().map(|suspicion| Box::pin(suspicion.changed()))).await.1
}

/// Requests the latest schema of the source before the next refresh. The round that follows makes it current.
async fn renew(source: &Source, registry: &SchemaRegistry) {
    let (name, subject) = (source.name.as_str(), source.subject.as_str());
    let known = source.current.load().as_ref().map(|current| current.id);
    match registry.latest_now(subject).await {
        Ok(latest) if Some(latest.id) == known => {
            tracing::warn!(source = name, subject, schema_id = latest.id.0, "The registry has no later schema.");
        }
        // The log says so when the schema becomes current.
        Ok(_) => {}
        Err(error) => tracing::warn!(source = name, subject, %error, "Cannot load the latest schema."),
    }
}

/// Makes the latest schema of the source's subject current, and the versions before it the older ones. Returns a remark
/// for operators if the latest cannot be used and an older version stays in use.
///
/// # Errors
/// Why the source has no usable schema, in words, for readiness.
pub(crate) async fn update(source: &Source, registry: &SchemaRegistry) -> Result<Option<String>, String> {
    let remark = update_current(source, registry).await?;
    update_older(source, registry).await;
    Ok(remark)
}

/// Updates the newest versions of the source's subject except the current one. While the registry is unavailable, the
/// known ones stay.
async fn update_older(source: &Source, registry: &SchemaRegistry) {
    if source.older_versions == 0 {
        return;
    }
    let current = source.current.load().as_ref().map(|current| current.id);
    let Ok(versions) = registry.newest_versions(&source.subject).await else { return };
    let mut older: Vec<Arc<Writer>> = Vec::new();
    // Some of them may be deleted by now, unusable, or repeat a schema.
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
    let names =
        |writers: &[Arc<Writer>]| writers.iter().map(|writer| (writer.id, writer.schema.meaning())).collect::<Vec<_>>();
    if names(&source.older.load()) != names(&older) {
        source.older.store(Arc::new(older));
        source.changed();
    }
}

async fn update_current(source: &Source, registry: &SchemaRegistry) -> Result<Option<String>, String> {
    let (name, subject) = (source.name.as_str(), source.subject.as_str());
    let unusable = match registry.latest(subject).await {
        Ok(latest) => match use_as_current(source, &latest) {
            Ok(()) => {
                source.metrics.schema_outdated.set(0);
                return Ok(None);
            }
            Err(error) => {
                let key_field = source.key_field.as_deref().unwrap_or_default();
                format!(".key_field: {key_field} in schema id {}, the latest of subject {subject}: {error}", latest.id)
            }
        },
        Err(error @ RegistryError::Unusable { .. }) => format!(": subject {subject}: {error}"),
        Err(error) if source.current.load().is_some() => {
            // The known schema stays in use, even if the subject was deleted: it still validates events.
            tracing::warn!(source = name, subject, %error, "Cannot refresh the schema; the known one stays in use.");
            return Ok(None);
        }
        Err(error) => return Err(format!("receiver.sources.{name}: subject {subject}: {error}")),
    };
    let unusable = format!("receiver.sources.{name}{unusable}");
    fall_back(source, registry).await.map_err(|why| format!("{unusable}; {why}"))?;
    source.metrics.schema_outdated.set(1);
    let id = source.current.load().as_ref().map_or(0, |current| current.id.0);
    Ok(Some(format!("{unusable}; schema id {id} stays in use")))
}

/// Makes `latest` the current schema of the source, if it is not yet.
///
/// # Errors
/// When it lacks the key field.
fn use_as_current(source: &Source, latest: &RegisteredSchema) -> Result<(), SchemaError> {
    let known = source.current.load_full().filter(|current| current.id == latest.id);
    if known.as_ref().is_some_and(|known| known.schema.meaning() == latest.schema.meaning()) {
        return Ok(());
    }
    let writer = source.writer(latest.id, Arc::clone(&latest.schema))?;
    source.current.store(Some(Arc::new(writer)));
    if known.is_some() {
        // The registry has given the id to another schema, and so perhaps other ids.
        source.named.invalidate_all();
    }
    source.changed();
    source.metrics.schema_info.set(latest.id.0);
    let (name, subject) = (source.name.as_str(), source.subject.as_str());
    tracing::info!(source = name, subject, schema_id = latest.id.0, "Loaded the current schema of the source.");
    Ok(())
}

/// Makes the newest usable version current, so that all receivers use the same one, however long they have run. While
/// the registry is unavailable, the current one stays.
///
/// # Errors
/// When the source then has no schema, in words.
async fn fall_back(source: &Source, registry: &SchemaRegistry) -> Result<(), String> {
    let fits = |found: &RegisteredSchema| source.writer(found.id, Arc::clone(&found.schema)).is_ok();
    let failure = match registry.last_usable(&source.subject, fits).await {
        Ok(Some(found)) => return use_as_current(source, &found).map_err(|error| error.to_string()),
        Ok(None) => "no older version can be used either".to_owned(),
        Err(error) => error.to_string(),
    };
    if source.current.load().is_some() { Ok(()) } else { Err(failure) }
}
