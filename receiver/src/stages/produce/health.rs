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
    unreachable: AtomicBool,
    all_brokers_down: AtomicBool,
    /// The topics that cannot be written to although Kafka is reachable, and why.
    unwritable: ArcSwap<HashMap<String, UnwritableTopic>>,
    /// The topics whose last record was refused until an operator makes a change: the error, and when it was logged.
    refusing: Mutex<BTreeMap<String, (RDKafkaErrorCode, Instant)>>,
    any_refusing: AtomicBool,
    /// The partitions whose records run out of time.
    stuck: Mutex<BTreeMap<(String, i32), Stuck>>,
    any_stuck: AtomicBool,
    check: Notify,
}

/// When records of a partition ran out of time, since one was last accepted.
#[derive(Clone, Copy, Debug)]
struct Stuck {
    first: Instant,
    last: Instant,
}

/// A topic that cannot be written to.
#[derive(Clone, Debug)]
pub(crate) struct UnwritableTopic {
    /// The reason, for people.
    pub(crate) why: String,
    /// The error for events of the topic.
    pub(crate) error: ProduceError,
}

impl Default for Health {
    /// Kafka counts as unreachable until the first successful check.
    fn default() -> Self {
        Self {
            unreachable: AtomicBool::new(true),
            all_brokers_down: AtomicBool::new(false),
            unwritable: ArcSwap::default(),
            refusing: Mutex::default(),
            any_refusing: AtomicBool::new(false),
            stuck: Mutex::default(),
            any_stuck: AtomicBool::new(false),
            check: Notify::new(),
        }
    }
}

impl Health {
    /// Returns whether Kafka is unreachable, so that all events must be refused immediately.
    pub(crate) fn is_unreachable(&self) -> bool {
        self.unreachable.load(Ordering::Relaxed)
    }

    /// Sets whether Kafka is unreachable, as the watch found.
    pub(crate) fn set_unreachable(&self, unreachable: bool) {
        self.unreachable.store(unreachable, Ordering::Relaxed);
    }

    /// Returns why events for `topic` must be refused immediately although Kafka is reachable; `None` if the topic can
    /// be written to.
    pub(crate) fn topic_error(&self, topic: &str) -> Option<ProduceError> {
        self.unwritable.load().get(topic).map(|topic| topic.error)
    }

    /// Sets the topics that cannot be written to, as the watch found.
    pub(crate) fn set_unwritable(&self, topics: HashMap<String, UnwritableTopic>) {
        self.unwritable.store(Arc::new(topics));
    }

    /// Notes that Kafka refused a record of `topic` with `code` until an operator makes a change. Logs it, at most once
    /// a minute.
    pub(crate) fn note_refused(&self, topic: &str, code: RDKafkaErrorCode) {
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
        self.request_check();
    }

    /// Notes that a record of this partition ran out of time at `now`.
    pub(crate) fn note_timed_out(&self, topic: &str, partition: i32, now: Instant) {
        let mut stuck = self.stuck.lock().unwrap_or_else(PoisonError::into_inner);
        stuck.entry((topic.to_owned(), partition)).or_insert(Stuck { first: now, last: now }).last = now;
        self.any_stuck.store(true, Ordering::Relaxed);
    }

    /// Returns a partition whose records have run out of time for at least `time`, although Kafka is reachable and has
    /// the topic. Then begins anew for all partitions.
    pub(crate) fn take_stuck(&self, time: Duration) -> Option<(String, i32)> {
        if !self.any_stuck.load(Ordering::Relaxed) || self.is_unreachable() {
            return None;
        }
        let mut stuck = self.stuck.lock().unwrap_or_else(PoisonError::into_inner);
        let is_long = |stuck: &Stuck| stuck.last.saturating_duration_since(stuck.first) >= time;
        let mut all = stuck.iter().filter(|(_, times)| is_long(times)).map(|(partition, _)| partition);
        let found = all.find(|(topic, _)| self.topic_error(topic).is_none()).cloned()?;
        stuck.clear();
        self.any_stuck.store(false, Ordering::Relaxed);
        Some(found)
    }

    /// Notes that Kafka accepted a record of this partition.
    pub(crate) fn note_accepted(&self, topic: &str, partition: i32) {
        if self.any_stuck.load(Ordering::Relaxed) {
            let mut stuck = self.stuck.lock().unwrap_or_else(PoisonError::into_inner);
            stuck.retain(|(of, number), _| of != topic || *number != partition);
            self.any_stuck.store(!stuck.is_empty(), Ordering::Relaxed);
        }
        if !self.any_refusing.load(Ordering::Relaxed) {
            return;
        }
        let mut refusing = self.refusing.lock().unwrap_or_else(PoisonError::into_inner);
        if refusing.remove(topic).is_some() {
            tracing::info!(topic, "Kafka accepts the records of this topic again.");
            self.any_refusing.store(!refusing.is_empty(), Ordering::Relaxed);
            drop(refusing);
            self.request_check();
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
        self.request_check();
    }

    /// Asks the watch to check.
    pub(crate) fn request_check(&self) {
        self.check.notify_one();
    }

    /// Waits until the watch is asked to check.
    pub(crate) async fn check_requested(&self) {
        self.check.notified().await;
    }

    /// Returns whether librdkafka has reported no connection to any broker since the last call.
    pub(crate) fn take_all_brokers_down(&self) -> bool {
        self.all_brokers_down.swap(false, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests;
