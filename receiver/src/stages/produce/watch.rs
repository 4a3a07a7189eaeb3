//! Checks whether Kafka accepts events: at the start, and after each failure until it accepts them again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use config::{Kafka, SaslMechanism};
use kafka::create_missing_topics;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::Producer as _;
use service::admin::Condition;
use service::backoff::Backoff;
use tokio_util::sync::CancellationToken;

use super::fault::{self, Fault};
use super::health::Without;
use super::topics::without;
use super::{CLIENT_ID, ProduceError, Producer, rules};

/// The waits after failed checks.
const BACKOFF: Backoff = Backoff { initial: Duration::from_millis(250), max: Duration::from_secs(2) };
/// The time limit of one check. It is shorter than other waits for the cluster, because another check follows.
const LOOK: Duration = Duration::from_secs(3);

/// The interval of requests for the rules of the topics.
const RULES: Duration = Duration::from_secs(60);

/// Kafka's error for which a producer has failed permanently, and librdkafka's reason.
type FatalError = (RDKafkaErrorCode, String);

/// Keeps `condition` and the producer's view of Kafka up to date until `shutdown`. The condition is met when the
/// cluster answers and has at least one of `topics`. Readiness names the missing topics, and only their events are
/// refused. Creates missing topics if the config says so, and rebuilds the producer after a fatal error.
pub(crate) async fn watch(
    producer: Arc<Producer>,
    kafka: Kafka,
    topics: Vec<String>,
    condition: Condition,
    shutdown: CancellationToken,
) {
    let mut failures = 0;
    let mut logged = Some(String::new());
    let mut doubted = false;
    loop {
        let Some(found) = shutdown.run_until_cancelled(look(&producer, &kafka, &topics, &condition)).await else {
            return;
        };
        if found.is_ok() {
            let asking = learn(&producer, &kafka, &topics, doubted);
            if shutdown.run_until_cancelled(asking).await.is_none() {
                return;
            }
        }
        let reason = note(&producer, &topics, found, &condition);
        if reason != logged {
            match &reason {
                None => tracing::info!(brokers = %kafka.brokers, "Kafka accepts events."),
                Some(reason) => {
                    tracing::warn!(brokers = %kafka.brokers, %reason, "Kafka does not accept all events; checking again.")
                }
            }
            logged.clone_from(&reason);
        }
        let next = match reason {
            None => {
                failures = 0;
                let pause = async {
                    tokio::select! {
                        () = producer.shared.rules.doubted() => true,
                        _ = tokio::time::timeout(RULES, trouble(&producer)) => false,
                    }
                };
                shutdown.run_until_cancelled(pause).await.map(|is| doubted = is)
            }
            Some(_) => {
                failures += 1;
                doubted = is_short(&producer, &topics);
                shutdown.run_until_cancelled(tokio::time::sleep(BACKOFF.longest(failures))).await
            }
        };
        if next.is_none() {
            return;
        }
    }
}

/// Returns whether a topic accepts no records for now. A setting of the topic may be the reason, and an operator may
/// change it.
fn is_short(producer: &Producer, topics: &[String]) -> bool {
    topics.iter().any(|topic| producer.shared.health.without(topic) == Some(ProduceError::Unavailable))
}

/// Records the result of a check. Returns what is wrong, if anything is.
fn note(
    producer: &Producer,
    topics: &[String],
    found: Result<HashMap<String, Without>, String>,
    condition: &Condition,
) -> Option<String> {
    let health = &producer.shared.health;
    let without = match found {
        Ok(without) => without,
        Err(reason) => {
            health.set_away(true);
            condition.unmet(reason.clone());
            return Some(reason);
        }
    };
    let mut wrong: Vec<String> = without.values().map(|without| without.why.clone()).collect();
    wrong.sort_unstable();
    wrong.dedup();
    let all = without.len() == topics.len();
    health.set_without(without);
    health.set_away(false);
    let refused =
        health.refusing().into_iter().map(|(topic, code)| format!("topic {topic} accepts no records: {code}"));
    let missing = (!wrong.is_empty()).then(|| wrong.join("; "));
    wrong.extend(refused);
    match wrong.join("; ") {
        reason if all => condition.unmet(reason),
        reason if reason.is_empty() => condition.met(),
        reason => condition.met_but(reason),
    }
    missing
}

/// Asks Kafka now and then what the topics take, sooner where it is `doubted`, and makes batches fit. That it does not
/// say is no reason not to go on.
async fn learn(producer: &Arc<Producer>, kafka: &Kafka, topics: &[String], doubted: bool) {
    let every = if doubted { rules::FRESH } else { RULES };
    let asked = producer.shared.rules.asked();
    if !producer.shared.rules.is_batch_refused() && asked.is_some_and(|asked| asked.elapsed() < every) {
        return;
    }
    let first = asked.is_none();
    let mut said = false;
    // rdkafka's admin client cannot request tokens.
    let has_tokens = kafka.security.as_ref().is_some_and(|it| it.mechanism == Some(SaslMechanism::OAuthBearer));
    if !has_tokens {
        match rules::ask(kafka, topics, LOOK.min(kafka.timeout)).await {
            Ok(found) => {
                said = found.len() == topics.len();
                producer.shared.rules.note(found);
            }
            Err(error) if first => {
                tracing::info!(%error, "Kafka does not report its topics' limits; batches that are too large are detected when they are refused.");
            }
            Err(_) => {}
        }
    }
    producer.shared.rules.note_asked();
    let producer = Arc::clone(producer);
    // This runs on its own, because the old client may take as long as a request.
    tokio::task::spawn_blocking(move || {
        if let Err(error) = producer.client.fit_batches(said) {
            tracing::warn!(%error, "Not all records were acknowledged before the producer was replaced; their senders got 503.");
        }
    });
}

/// Creates the missing ones of `topics` as soon as the cluster allows it, if the config asks for it. Stops at
/// `shutdown`. These topics hold no events, so readiness does not depend on them.
pub(crate) async fn create(kafka: Kafka, topics: Vec<String>, shutdown: CancellationToken) {
    let names: Vec<&str> = topics.iter().map(String::as_str).collect();
    let mut reported = String::new();
    loop {
        let created = shutdown.run_until_cancelled(create_missing_topics(&kafka, CLIENT_ID, &names)).await;
        let Some(Err(error)) = created else { return };
        let reason = error.to_string();
        if reason != reported {
            tracing::warn!(%reason, "A topic does not exist yet; trying again.");
            reported = reason;
        }
        if shutdown.run_until_cancelled(tokio::time::sleep(BACKOFF.max)).await.is_none() {
            return;
        }
    }
}

/// Waits until something goes wrong, and at least for a moment, so that many failures together cause one check.
async fn trouble(producer: &Producer) {
    tokio::time::sleep(BACKOFF.initial).await;
    producer.shared.health.troubled().await;
}

/// Checks Kafka once. Returns the topics that cannot be written to, and why. Sets `condition` to not met as soon as
/// that is clear.
///
/// # Errors
/// Why Kafka accepts no events, in words, for readiness.
async fn look(
    producer: &Arc<Producer>,
    kafka: &Kafka,
    topics: &[String],
    condition: &Condition,
) -> Result<HashMap<String, Without>, String> {
    if producer.shared.health.take_all_brokers_down() {
        condition.unmet(format!("kafka.brokers: no connection to any of {}", kafka.brokers));
    }
    if let Some(failed) = replace_failed(producer, condition).await?
        && fault::of(failed.0) == Fault::Operator
    {
        // The next producer fails in the same way until an operator acts, but needs a moment to find out.
        producer.shared.health.set_without(refused(topics, &failed));
        tokio::time::sleep(BACKOFF.max).await;
        if let Some(failed) = fatal_error(producer) {
            return Ok(refused(topics, &failed));
        }
    }
    let brokers = kafka.brokers.clone();
    let wanted = topics.to_vec();
    let timeout = LOOK.min(kafka.timeout);
    let mut without = blocking(producer, move |producer| without(producer, &brokers, &wanted, timeout)).await?;
    if without.is_empty() || kafka.create_topics.is_none() {
        return Ok(without);
    }
    for (topic, Without { why, error }) in std::mem::take(&mut without) {
        if let Err(refused) = create_missing_topics(kafka, CLIENT_ID, &[&topic]).await {
            without.insert(topic, Without { why: format!("{why}; {refused}"), error });
        }
    }
    Ok(without)
}

/// Replaces the producer if it has failed permanently. Returns its error.
///
/// # Errors
/// Why there is no new producer, in words.
async fn replace_failed(producer: &Arc<Producer>, condition: &Condition) -> Result<Option<FatalError>, String> {
    let Some(failed) = fatal_error(producer) else { return Ok(None) };
    let reason = format!("the producer has failed permanently and is being replaced: {}: {}", failed.0, failed.1);
    tracing::error!(%reason, "Replacing the producer.");
    condition.unmet(reason);
    blocking(producer, |producer| producer.client.rebuild().map_err(|error| error.to_string())).await?;
    Ok(Some(failed))
}

/// Returns why the producer has failed permanently, if it has.
fn fatal_error(producer: &Producer) -> Option<FatalError> {
    producer.client.load_full().client().fatal_error()
}

/// Returns `topics` as those that cannot be written to because each producer fails in this way.
fn refused(topics: &[String], (code, reason): &FatalError) -> HashMap<String, Without> {
    let without =
        Without { why: format!("each producer fails: {code}: {reason}"), error: ProduceError::Blocked(*code) };
    topics.iter().map(|topic| (topic.clone(), without.clone())).collect()
}

/// Runs blocking work on a thread where it may block.
async fn blocking<T: Send + 'static>(
    producer: &Arc<Producer>,
    work: impl FnOnce(&Producer) -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let producer = Arc::clone(producer);
    match tokio::task::spawn_blocking(move || work(&producer)).await {
        Ok(result) => result,
        Err(error) => Err(format!("cannot query Kafka: {error}")),
    }
}
