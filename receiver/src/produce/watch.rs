//! Looks whether Kafka takes events: at start, and whenever something went wrong, until it does again.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::producer::Producer as _;
use shared::admin::Condition;
use shared::config::Kafka;
use shared::kafka::create_missing_topics;
use tokio_util::sync::CancellationToken;

use super::{CLIENT_ID, Producer};

/// The first wait after a failed look; doubled each time.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest wait after a failed look.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// How long one look may take: less than the cluster may be asked to wait for elsewhere, since another one follows.
const LOOK: Duration = Duration::from_secs(3);

/// Keeps `condition` and the producer's own view of Kafka up to date until `shutdown`: met when the cluster answers and has all
/// of `topics`. Creates them where the config says so, and rebuilds the producer after a fatal error.
pub(crate) async fn watch(
    producer: Arc<Producer>,
    kafka: Kafka,
    topics: Vec<String>,
    condition: Condition,
    shutdown: CancellationToken,
) {
    let mut wait = FIRST_WAIT;
    let mut was_away = true;
    loop {
        let Some(found) = shutdown.run_until_cancelled(look(&producer, &kafka, &topics, &condition)).await else {
            return;
        };
        let away = found.is_err();
        producer.health.set_away(away);
        let next = match found {
            Ok(()) => {
                if was_away {
                    tracing::info!(brokers = %kafka.brokers, "Kafka takes events.");
                }
                condition.met();
                wait = FIRST_WAIT;
                shutdown.run_until_cancelled(trouble(&producer)).await
            }
            Err(reason) => {
                tracing::warn!(brokers = %kafka.brokers, %reason, "Kafka does not take events; looking again.");
                condition.unmet(reason);
                let this = wait;
                wait = LONGEST_WAIT.min(wait * 2);
                shutdown.run_until_cancelled(tokio::time::sleep(this)).await
            }
        };
        was_away = away;
        if next.is_none() {
            return;
        }
    }
}

/// Creates those of `topics` that are missing, where the config asks for it, as soon as the cluster lets it; gives up at `shutdown`.
/// For topics that no event waits for: nothing is unready without them.
pub(crate) async fn create(kafka: Kafka, topics: Vec<String>, shutdown: CancellationToken) {
    let names: Vec<&str> = topics.iter().map(String::as_str).collect();
    let mut told = String::new();
    loop {
        let created = shutdown.run_until_cancelled(create_missing_topics(&kafka, CLIENT_ID, &names)).await;
        let Some(Err(error)) = created else { return };
        let reason = error.to_string();
        if reason != told {
            tracing::warn!(%reason, "A topic is not there yet; trying again.");
            told = reason;
        }
        if shutdown.run_until_cancelled(tokio::time::sleep(LONGEST_WAIT)).await.is_none() {
            return;
        }
    }
}

/// Waits until something goes wrong, and at least for a moment, so that many failures together are one look.
async fn trouble(producer: &Producer) {
    tokio::time::sleep(FIRST_WAIT).await;
    producer.health.troubled().await;
}

/// One look. On the way marks `condition` as not met when it is clear beforehand that it is not.
///
/// # Errors
/// Why Kafka does not take events: in words, for the readiness.
async fn look(producer: &Arc<Producer>, kafka: &Kafka, topics: &[String], condition: &Condition) -> Result<(), String> {
    if producer.health.take_all_brokers_down() {
        condition.unmet(format!("kafka.brokers: no connection to any of {}", kafka.brokers));
    }
    if let Some((code, reason)) = producer.client.load().client().fatal_error() {
        let reason = format!("the producer has failed for good and is being replaced: {code}: {reason}");
        tracing::error!(%reason, "Replacing the producer.");
        condition.unmet(reason);
        blocking(producer, |producer| producer.rebuild().map_err(|error| error.to_string())).await?;
    }
    let brokers = kafka.brokers.clone();
    let wanted = topics.to_vec();
    let timeout = LOOK.min(kafka.timeout);
    let missing = blocking(producer, move |producer| missing(producer, &brokers, &wanted, timeout)).await?;
    if missing.is_empty() {
        return Ok(());
    }
    if kafka.create_topics.is_none() {
        let missing = missing.join(", ");
        return Err(format!("no topic {missing} at {}: create it, or set kafka.create_topics", kafka.brokers));
    }
    let missing: Vec<&str> = missing.iter().map(String::as_str).collect();
    create_missing_topics(kafka, CLIENT_ID, &missing).await.map_err(|error| error.to_string())
}

/// Runs what blocks on a thread where it may.
async fn blocking<T: Send + 'static>(
    producer: &Arc<Producer>,
    work: impl FnOnce(&Producer) -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let producer = Arc::clone(producer);
    match tokio::task::spawn_blocking(move || work(&producer)).await {
        Ok(result) => result,
        Err(error) => Err(format!("the look at Kafka failed: {error}")),
    }
}

/// Those of `topics` that the cluster does not have or that no broker leads any partition of.
///
/// # Errors
/// When the cluster does not answer within `timeout`.
fn missing(producer: &Producer, brokers: &str, topics: &[String], timeout: Duration) -> Result<Vec<String>, String> {
    let client = producer.client.load_full();
    let mut missing = Vec::new();
    for topic in topics {
        let metadata = client
            .client()
            .fetch_metadata(Some(topic), timeout)
            .map_err(|error| format!("kafka.brokers: {brokers} does not answer: {error}"))?;
        let led = metadata.topics().iter().any(|found| {
            found.name() == topic && found.error().is_none() && found.partitions().iter().any(|part| part.leader() >= 0)
        });
        if !led {
            missing.push(topic.clone());
        }
    }
    Ok(missing)
}
