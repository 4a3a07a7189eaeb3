//! Keeps the undecided documents and reports on them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use service::admin::Condition;

use crate::bulk::doubt::{Cause, Document};
use crate::bulk::limiter::now;
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
        Self { topic: topic.to_owned(), open: Mutex::default(), condition, metrics }
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
        match oldest.filter(|_| age >= PATIENCE) {
            None => self.condition.met(),
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
