//! Keeps the undecided documents and reports on them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use service::admin::Condition;
use service::budget::MinuteLog;

use crate::bulk::doubt::{Cause, Document};
use crate::bulk::limiter::now;
use crate::bulk::outcome::Block;
use crate::metrics::{BulkMetrics, as_i64};

/// How long a document may be undecided before readiness reports it.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// The undecided documents of one topic.
#[derive(Debug)]
pub(in crate::bulk) struct OpenDocuments {
    topic: String,
    open: Mutex<BTreeMap<Document, Open>>,
    /// Unmet while a document is undecided for long.
    condition: Condition,
    metrics: BulkMetrics,
    /// The lines about documents that an old index blocks.
    blocked: MinuteLog,
}

/// An undecided document.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) since: Instant,
    pub(super) bytes: usize,
    pub(super) index: Arc<str>,
    pub(super) cause: Cause,
}

impl OpenDocuments {
    /// Creates an empty list for `topic`.
    pub(super) fn new(topic: &str, condition: Condition, metrics: BulkMetrics) -> Self {
        condition.met();
        Self { topic: topic.to_owned(), open: Mutex::default(), condition, metrics, blocked: MinuteLog::default() }
    }

    /// Returns the topic.
    pub(super) fn topic(&self) -> &str {
        &self.topic
    }

    /// Notes that `document` is undecided.
    pub(super) fn insert(&self, document: Document, open: Open) {
        self.lock().insert(document, open);
        self.measure();
    }

    /// Logs that `documents` were set aside because of `block`, unless there was a line within the last minute.
    pub(in crate::bulk) fn log_blocked(&self, documents: usize, block: &Block) {
        let Some(documents) = self.blocked.take(documents as u64, Instant::now()) else { return };
        tracing::warn!(
            topic = self.topic,
            documents,
            %block,
            "An old index is blocked: late documents for it wait until an operator fixes the cause, and the offsets of \
             their partitions with them. The other documents go on. This is logged at most once a minute."
        );
    }

    /// Notes that `index` refused `document` again, for `cause`. The document counts as undecided from `since`.
    pub(super) fn renew(&self, document: Document, since: Instant, index: &Arc<str>, cause: Cause) {
        if let Some(open) = self.lock().get_mut(&document) {
            *open = Open { since, bytes: open.bytes, index: Arc::clone(index), cause };
        }
        self.measure();
    }

    /// Notes that `document` is decided or abandoned.
    pub(super) fn remove(&self, document: Document) {
        self.lock().remove(&document);
        self.measure();
    }

    /// Counts a decided document: it was accepted or is at fault.
    pub(in crate::bulk) fn decided(&self, outcome: &str) {
        self.metrics.doubts_decided.with_label_values(&[self.topic.as_str(), outcome]).inc();
    }

    /// Updates the metrics and readiness.
    fn measure(&self) {
        let open = self.lock();
        let bytes = open.values().map(|open| open.bytes).sum();
        let oldest = open.values().min_by_key(|open| open.since);
        let age = oldest.map_or(Duration::ZERO, |oldest| now().saturating_duration_since(oldest.since));
        let topic = [self.topic.as_str()];
        self.metrics.doubtful_documents.with_label_values(&topic).set(as_i64(open.len()));
        self.metrics.doubtful_bytes.with_label_values(&topic).set(as_i64(bytes));
        self.metrics.doubtful_age.with_label_values(&topic).set(age.as_secs_f64());
        match oldest.filter(|oldest| age >= PATIENCE || oldest.cause.is_block()) {
            None => self.condition.met(),
            Some(Open { index, cause, .. }) if cause.is_block() => self.condition.unmet(format!(
                "{} documents wait, one for {} s: the old index {index:?} answers {} {}, which an operator must fix; \
                 the other documents go on",
                open.len(),
                age.as_secs(),
                cause.status,
                cause.error_type,
            )),
            Some(Open { index, cause, .. }) if cause.is_transient() => self.condition.unmet(format!(
                "{} documents wait, one for {} s: {index:?} fails at it again and again ({}); check its shards and its \
                 ingest pipelines",
                open.len(),
                age.as_secs(),
                cause.error_type,
            )),
            Some(Open { index, cause: Cause { status, error_type }, .. }) => self.condition.unmet(format!(
                "{} documents wait, one for {} s: {index:?} answers {status} {error_type}, and no other document shows \
                 whether the document or the index is at fault; see docs/refusals.md",
                open.len(),
                age.as_secs(),
            )),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Document, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
