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
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::fault::{self, Fault};
use super::health::UnwritableTopic;
use super::topics::unwritable_topics;
use super::{CLIENT_ID, ProduceError, Producer, rules};

/// The waits after failed checks.
const BACKOFF: Backoff = Backoff { initial: Duration::from_millis(250), max: Duration::from_secs(2) };
/// The time limit of one check. It is shorter than other waits for the cluster, because another check follows.
const CHECK_TIMEOUT: Duration = Duration::from_secs(3);

/// The shortest interval of replacing a producer whose records run out of time.
const REPLACING_INTERVAL: Duration = Duration::from_secs(60);

/// The log line about records that a replaced producer could not finish.
const UNACKNOWLEDGED: &str =
    "Not all records were acknowledged before the producer was replaced; their senders got 503.";

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
    let mut rules_requested = false;
    let mut replaced = None;
    loop {
        let Some(found) = shutdown.run_until_cancelled(check(&producer, &kafka, &topics, &condition)).await else {
            return;
        };
        if found.is_ok() {
            let asking = ask_for_rules(&producer, &kafka, &topics, rules_requested);
            if shutdown.run_until_cancelled(asking).await.is_none() {
                return;
            }
        }
        let reason = note(&producer, &topics, found, &condition);
        replace_stuck(&producer, &mut replaced);
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
                        () = producer.shared.rules.refresh_requested() => true,
                        _ = tokio::time::timeout(producer.shared.rules.interval(), check_requested(&producer)) => false,
                    }
                };
                shutdown.run_until_cancelled(pause).await.map(|requested| rules_requested = requested)
            }
            Some(_) => {
                failures += 1;
                rules_requested = is_any_unavailable(&producer, &topics);
                shutdown.run_until_cancelled(tokio::time::sleep(BACKOFF.longest(failures))).await
            }
        };
        if next.is_none() {
            return;
        }
    }
}

/// Replaces the producer if the records of a partition run out of time although its topic accepts records, at most once
/// per [`REPLACING_INTERVAL`]. `replaced` is when it was replaced last.
///
/// librdkafka ignores metadata whose leader epoch is lower than the one that it knows, and epochs start again when a
/// topic is created again. Then it sends the records to a broker that no longer leads the partition, until it is
/// restarted (confluentinc/librdkafka#4898).
fn replace_stuck(producer: &Arc<Producer>, replaced: &mut Option<Instant>) {
    if replaced.is_some_and(|replaced| replaced.elapsed() < REPLACING_INTERVAL) {
        return;
    }
    let Some((topic, partition)) = producer.shared.health.take_stuck(producer.client.delivery_timeout()) else {
        return;
    };
    *replaced = Some(Instant::now());
    tracing::warn!(
        topic,
        partition,
        "No record of this partition was acknowledged in time, although its topic accepts records; replacing the \
         producer."
    );
    let producer = Arc::clone(producer);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = producer.client.renew() {
            tracing::warn!(%error, "{UNACKNOWLEDGED}");
        }
    });
}

/// Returns whether a topic accepts no records for now. A setting of the topic may be the reason, and an operator may
/// change it.
fn is_any_unavailable(producer: &Producer, topics: &[String]) -> bool {
    topics.iter().any(|topic| producer.shared.health.topic_error(topic) == Some(ProduceError::Unavailable))
}

/// Records the result of a check. Returns what is wrong, if anything is.
fn note(
    producer: &Producer,
    topics: &[String],
    found: Result<HashMap<String, UnwritableTopic>, String>,
    condition: &Condition,
) -> Option<String> {
    let health = &producer.shared.health;
    let unwritable = match found {
        Ok(unwritable) => unwritable,
        Err(reason) => {
            health.set_unreachable(true);
            condition.unmet(reason.clone());
            return Some(reason);
        }
    };
    let mut wrong: Vec<String> = unwritable.values().map(|topic| topic.why.clone()).collect();
    wrong.sort_unstable();
    wrong.dedup();
    let all = unwritable.len() == topics.len();
    health.set_unwritable(unwritable);
    health.set_unreachable(false);
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

/// Asks Kafka from time to time which records the topics accept, and limits batches accordingly. Asks sooner if a
/// refresh was `requested`, or if Kafka did not answer. If Kafka does not report it, events are sent nevertheless.
async fn ask_for_rules(producer: &Arc<Producer>, kafka: &Kafka, topics: &[String], requested: bool) {
    let known = &producer.shared.rules;
    let every = if requested { rules::FRESH } else { known.interval() };
    let asked = known.asked();
    if !known.is_batch_refused() && asked.is_some_and(|asked| asked.elapsed() < every) {
        return;
    }
    let (mut is_answered, mut reported) = (true, false);
    // rdkafka's admin client cannot request tokens.
    let has_tokens = kafka.security.as_ref().is_some_and(|it| it.mechanism == Some(SaslMechanism::OAuthBearer));
    if !has_tokens {
        match rules::ask(kafka, topics, CHECK_TIMEOUT.min(kafka.timeout)).await {
            Ok(answer) => {
                is_answered = answer.is_complete;
                reported = answer.rules.len() == topics.len();
                known.note(answer.rules);
            }
            Err(error) => {
                is_answered = error.rdkafka_error_code().is_some_and(rules::is_answer);
                if asked.is_none() {
                    tracing::info!(%error, "Kafka does not report its topics' limits; batches that are too large are detected when they are refused.");
                }
            }
        }
    }
    known.note_asked(is_answered);
    let producer = Arc::clone(producer);
    // This runs on its own, because the old client may take as long as a request.
    tokio::task::spawn_blocking(move || {
        if let Err(error) = producer.client.fit_batches(reported) {
            tracing::warn!(%error, "{UNACKNOWLEDGED}");
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

/// Waits until a check is requested, and at least for a moment, so that many failures together cause one check.
async fn check_requested(producer: &Producer) {
    tokio::time::sleep(BACKOFF.initial).await;
    producer.shared.health.check_requested().await;
}

/// Checks Kafka once. Returns the topics that cannot be written to, and why. Sets `condition` to not met as soon as
/// that is clear.
///
/// # Errors
/// Why Kafka accepts no events, in words, for readiness.
async fn check(
    producer: &Arc<Producer>,
    kafka: &Kafka,
    topics: &[String],
    condition: &Condition,
) -> Result<HashMap<String, UnwritableTopic>, String> {
    if producer.shared.health.take_all_brokers_down() {
        condition.unmet(format!("kafka.brokers: no connection to any of {}", kafka.brokers));
    }
    if let Some(failed) = replace_failed(producer, condition).await?
        && fault::of(failed.0) == Fault::Operator
    {
        // The next producer fails in the same way until an operator acts, but needs a moment to find out.
        producer.shared.health.set_unwritable(refused(topics, &failed));
        tokio::time::sleep(BACKOFF.max).await;
        if let Some(failed) = fatal_error(producer) {
            return Ok(refused(topics, &failed));
        }
    }
    let brokers = kafka.brokers.clone();
    let wanted = topics.to_vec();
    let timeout = CHECK_TIMEOUT.min(kafka.timeout);
    let mut unwritable =
        blocking(producer, move |producer| unwritable_topics(producer, &brokers, &wanted, timeout)).await?;
    if unwritable.is_empty() || kafka.create_topics.is_none() {
        return Ok(unwritable);
    }
    for (topic, UnwritableTopic { why, error }) in std::mem::take(&mut unwritable) {
        if let Err(refused) = create_missing_topics(kafka, CLIENT_ID, &[&topic]).await {
            unwritable.insert(topic, UnwritableTopic { why: format!("{why}; {refused}"), error });
        }
    }
    Ok(unwritable)
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
fn refused(topics: &[String], (code, reason): &FatalError) -> HashMap<String, UnwritableTopic> {
    let why = format!("each producer fails: {code}: {reason}");
    let unwritable = UnwritableTopic { why, error: ProduceError::Blocked(*code) };
    topics.iter().map(|topic| (topic.clone(), unwritable.clone())).collect()
}

/// Runs `work` on a thread that may block.
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
