//! The state of Kafka as the receiver knows it, shared by the requests, librdkafka's callbacks and the watch.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use rdkafka::error::RDKafkaErrorCode;
use tokio::sync::Notify;

use super::ProduceError;

/// The interval of log lines about a topic that accepts no records.
const REMINDER: Duration = Duration::from_secs(60);

/// Whether Kafka accepts events.
#[derive(Debug)]
pub(crate) struct Health {
    away: AtomicBool,
    all_brokers_down: AtomicBool,
    /// The topics that cannot be written to although Kafka is reachable, and why.
    without: ArcSwap<HashMap<String, Without>>,
    /// The topics whose last record was refused until an operator makes a change: the error, and when it was logged.
    refusing: Mutex<BTreeMap<String, (RDKafkaErrorCode, Instant)>>,
    any_refusing: AtomicBool,
    trouble: Notify,
}

/// A topic that cannot be written to.
#[derive(Clone, Debug)]
pub(crate) struct Without {
    /// The reason, for people.
    pub(crate) why: String,
    /// The error for events of the topic.
    pub(crate) error: ProduceError,
}

impl Default for Health {
    /// Starts as away, until Kafka is seen.
    fn default() -> Self {
        Self {
            away: AtomicBool::new(true),
            all_brokers_down: AtomicBool::new(false),
            without: ArcSwap::default(),
            refusing: Mutex::default(),
            any_refusing: AtomicBool::new(false),
            trouble: Notify::new(),
        }
    }
}

impl Health {
    /// Returns whether events must be refused at once.
    pub(crate) fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }

    /// Sets whether Kafka is away, as the watch found.
    pub(crate) fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::Relaxed);
    }

    /// Returns why events for `topic` must be refused at once although Kafka is reachable, or `None` if they need not.
    pub(crate) fn without(&self, topic: &str) -> Option<ProduceError> {
        self.without.load().get(topic).map(|without| without.error)
    }

    /// Sets the topics that cannot be written to, as the watch found.
    pub(crate) fn set_without(&self, topics: HashMap<String, Without>) {
        self.without.store(Arc::new(topics));
    }

    /// Notes that Kafka refused a record of `topic` with `code` until an operator makes a change. Logs it, at most once
    /// a minute.
    pub(crate) fn refused(&self, topic: &str, code: RDKafkaErrorCode) {
        let now = Instant::now();
        let mut refusing = self.refusing.lock().unwrap_or_else(PoisonError::into_inner);
        let logged = refusing.get(topic).filter(|(known, _)| *known == code).map(|(_, logged)| *logged);
        if logged.is_none_or(|logged| now.saturating_duration_since(logged) >= REMINDER) {
            tracing::error!(
                topic,
                error = %code,
                "Kafka refuses the records of this topic until an operator fixes the cause; events are answered 503."
            );
            refusing.insert(topic.to_owned(), (code, now));
        }
        self.any_refusing.store(true, Ordering::Relaxed);
        drop(refusing);
        self.trouble();
    }

    /// Notes that Kafka accepted a record of `topic`.
    pub(crate) fn taken(&self, topic: &str) {
        if !self.any_refusing.load(Ordering::Relaxed) {
            return;
        }
        let mut refusing = self.refusing.lock().unwrap_or_else(PoisonError::into_inner);
        if refusing.remove(topic).is_some() {
            tracing::info!(topic, "Kafka accepts the records of this topic again.");
            self.any_refusing.store(!refusing.is_empty(), Ordering::Relaxed);
            drop(refusing);
            self.trouble();
        }
    }

    /// Returns the topics whose records Kafka refuses, with the error.
    pub(crate) fn refusing(&self) -> Vec<(String, RDKafkaErrorCode)> {
        let refusing = self.refusing.lock().unwrap_or_else(PoisonError::into_inner);
        refusing.iter().map(|(topic, (code, _))| (topic.clone(), *code)).collect()
    }

    /// Notes that librdkafka has no connection to any broker, and asks the watch to check.
    pub(crate) fn note_all_brokers_down(&self) {
        self.all_brokers_down.store(true, Ordering::Relaxed);
        self.trouble();
    }

    /// Asks the watch to check.
    pub(crate) fn trouble(&self) {
        self.trouble.notify_one();
    }

    /// Waits until the watch is asked to check.
    pub(crate) async fn troubled(&self) {
        self.trouble.notified().await;
    }

    /// Returns whether librdkafka has reported no connection to any broker since the last call.
    pub(crate) fn take_all_brokers_down(&self) -> bool {
        self.all_brokers_down.swap(false, Ordering::Relaxed)
    }
}
