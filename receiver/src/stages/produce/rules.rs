//! The rules of each topic: the largest batch that it accepts, whether its records need a key, and how many replicas
//! must be in sync. The receiver asks Kafka for them (`DescribeConfigs`), if its user may. So a request with a record
//! that its topic never accepts is refused before any of its records is queued, and batches fit the topic with the
//! smallest limit.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use config::Kafka;
use kafka::{client_config, without_value};
use rdkafka::admin::{AdminClient, AdminOptions, ConfigResource, OwnedResourceSpecifier, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};
use service::backoff::Backoff;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};

use super::CLIENT_ID;
use super::fault::Fault;

/// The bytes of a batch before its records (`RecordBatch` in Kafka's documentation of the message format).
const BATCH_HEAD: usize = 61;

/// The interval of requests for the rules.
const INTERVAL: Duration = Duration::from_secs(60);
/// The waits after requests that Kafka did not answer for each topic. A topic may also be created meanwhile.
const RETRY: Backoff = Backoff { initial: Duration::from_secs(5), max: Duration::from_secs(15) };
/// The age up to which a rule may refuse an event. An older rule is requested again first, so this is also the shortest
/// interval of such requests.
pub(super) const FRESH: Duration = Duration::from_secs(3);
/// How long the event waits for Kafka's answer to such a request.
const PATIENCE: Duration = Duration::from_secs(1);

/// The rule of one topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// The most bytes of a batch (`max.message.bytes`).
    pub(super) max_bytes: usize,
    /// Whether each record needs a key (`cleanup.policy` has `compact`).
    pub(super) compacted: bool,
    /// How many replicas must be in sync (`min.insync.replicas`).
    pub(super) min_in_sync: usize,
}

/// The known rules of all topics.
#[derive(Debug, Default)]
pub(super) struct Rules {
    known: ArcSwap<HashMap<String, Rule>>,
    /// When Kafka was asked last.
    asked: watch::Sender<Option<Instant>>,
    /// How many of the last requests Kafka did not answer for each topic.
    unanswered: AtomicU32,
    /// Notified if a request needs a fresh rule.
    refresh: Notify,
    /// Whether a batch was refused for its size, and none of its records has been accepted alone yet.
    size_refused: AtomicBool,
    /// Whether a batch was refused for its size, and its records were then accepted one by one.
    batch_refused: AtomicBool,
}

/// Kafka's answer to a request for the rules of topics.
#[derive(Debug)]
pub(super) struct Answer {
    /// The rules that it reports.
    pub(super) rules: HashMap<String, Rule>,
    /// Whether it has answered for each topic, even if only that it does not report the rule.
    pub(super) is_complete: bool,
}

impl Rules {
    /// Returns the rule of `topic`, if it is known.
    pub(super) fn of(&self, topic: &str) -> Option<Rule> {
        self.known.load().get(topic).copied()
    }

    /// Notes that a batch was refused and is sent again record by record.
    pub(super) fn note_refused(&self, fault: Fault) {
        if fault == Fault::Size {
            self.size_refused.store(true, Ordering::Relaxed);
        }
    }

    /// Notes that a record of a refused batch was accepted alone. Returns whether this shows that batches are too
    /// large.
    pub(super) fn note_accepted_alone(&self) -> bool {
        let too_large = self.size_refused.swap(false, Ordering::Relaxed);
        if too_large {
            self.batch_refused.store(true, Ordering::Relaxed);
        }
        too_large
    }

    /// Returns whether a batch was too large since the last [`Rules::take_refused_batch`].
    pub(super) fn is_batch_refused(&self) -> bool {
        self.batch_refused.load(Ordering::Relaxed)
    }

    /// Returns the same as [`Rules::is_batch_refused`], and resets it.
    pub(super) fn take_refused_batch(&self) -> bool {
        self.batch_refused.swap(false, Ordering::Relaxed)
    }

    /// Adds the rules that Kafka reports. Topics that are missing in `found` keep their rule.
    pub(super) fn note(&self, found: HashMap<String, Rule>) {
        let mut known = HashMap::clone(&self.known.load());
        known.extend(found);
        self.known.store(std::sync::Arc::new(known));
    }

    /// Returns when Kafka was last asked, if it was.
    pub(super) fn asked(&self) -> Option<Instant> {
        *self.asked.borrow()
    }

    /// Returns how long after the last request Kafka is to be asked again: sooner if it has not answered.
    pub(super) fn interval(&self) -> Duration {
        match self.unanswered.load(Ordering::Relaxed) {
            0 => INTERVAL,
            failures => RETRY.longest(failures),
        }
    }

    /// Notes that Kafka was asked, and whether it answered for each topic.
    pub(super) fn note_asked(&self, is_answered: bool) {
        let failures = if is_answered { 0 } else { self.unanswered.load(Ordering::Relaxed).saturating_add(1) };
        self.unanswered.store(failures, Ordering::Relaxed);
        self.asked.send_replace(Some(Instant::now()));
    }

    /// Requests the rule of `topic` again before it refuses an event, because an operator may have changed it. Does
    /// nothing if the rule is unknown or fresh. Returns whether Kafka was asked in time.
    pub(super) async fn refresh(&self, topic: &str) -> bool {
        let mut asked = self.asked.subscribe();
        let is_fresh = |asked: &Option<Instant>| asked.is_some_and(|asked| asked.elapsed() < FRESH);
        if self.of(topic).is_none() || is_fresh(&asked.borrow()) {
            return false;
        }
        self.refresh.notify_one();
        let answered = async { asked.wait_for(is_fresh).await.is_ok() };
        timeout(PATIENCE, answered).await.unwrap_or(false)
    }

    /// Waits until a request needs a fresh rule.
    pub(super) async fn refresh_requested(&self) {
        self.refresh.notified().await;
    }

    /// Returns the size of the smallest limit on batches of all topics.
    pub(super) fn smallest(&self) -> Option<usize> {
        self.known.load().values().map(|rule| rule.max_bytes).min()
    }
}

/// Returns the bytes of a batch with a single record that has these bytes of key (`None`: no key), value and headers
/// ([`headers_len`]).
pub(super) fn batch_len(key: Option<usize>, value: usize, headers: usize) -> usize {
    // Attributes and the differences to the batch's timestamp and offset, which are 0, take a byte each. A missing key
    // is written as the length -1.
    let key = key.map_or(1, |len| varint_len(len) + len);
    let record = 3 + key + varint_len(value) + value + headers;
    BATCH_HEAD + varint_len(record) + record
}

/// Returns the bytes of headers in a record. Each pair holds the lengths of name and value.
pub(super) fn headers_len(headers: impl ExactSizeIterator<Item = (usize, usize)>) -> usize {
    let count = varint_len(headers.len());
    count + headers.map(|(name, value)| varint_len(name) + name + varint_len(value) + value).sum::<usize>()
}

/// Returns the bytes of `number` as a zigzag varint.
fn varint_len(number: usize) -> usize {
    let bits = usize::BITS - (number << 1).leading_zeros();
    usize::try_from(bits.div_ceil(7)).unwrap_or(usize::MAX).max(1)
}

/// Asks Kafka what `topics` accept, for at most `timeout`.
///
/// # Errors
/// When the request to Kafka fails.
pub(super) async fn ask(kafka: &Kafka, topics: &[String], timeout: Duration) -> KafkaResult<Answer> {
    let admin: AdminClient<DefaultClientContext> = client_config(kafka, CLIENT_ID)?.create().map_err(without_value)?;
    let options = AdminOptions::new().request_timeout(Some(timeout));
    let wanted: Vec<ResourceSpecifier<'_>> = topics.iter().map(|topic| ResourceSpecifier::Topic(topic)).collect();
    let answers = admin.describe_configs(&wanted, &options).await?;
    let is_complete = answers.iter().all(|answer| answer.as_ref().err().is_none_or(|code| is_answer(*code)));
    let rules = answers.into_iter().filter_map(|answer| rule(&answer.ok()?)).collect();
    Ok(Answer { rules, is_complete })
}

/// Returns whether `code` says that Kafka does not report rules to this client. Any other error may be over soon.
pub(super) fn is_answer(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::ClusterAuthorizationFailed
            | RDKafkaErrorCode::UnsupportedVersion
            | RDKafkaErrorCode::UnsupportedFeature
    )
}

fn rule(resource: &ConfigResource) -> Option<(String, Rule)> {
    let OwnedResourceSpecifier::Topic(topic) = &resource.specifier else { return None };
    let value = |name| resource.get(name).and_then(|entry| entry.value.as_deref());
    let max_bytes = value("max.message.bytes")?.parse().ok()?;
    let compacted = value("cleanup.policy")?.split(',').any(|policy| policy.trim() == "compact");
    let min_in_sync = value("min.insync.replicas").and_then(|number| number.parse().ok()).unwrap_or(1);
    Some((topic.clone(), Rule { max_bytes, compacted, min_in_sync }))
}

#[cfg(test)]
mod tests;
