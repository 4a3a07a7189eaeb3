//! Counts and logs what became of requests and their documents.

use super::delivered::Refused;
use super::progress::{Counts, Progress};
use crate::batch::Batch;
use crate::metrics::Metrics;

/// Counts the outcome of a request of `bytes`.
pub(super) fn request(metrics: &Metrics, progress: &Progress, bytes: usize) {
    metrics.bulk.requests.with_label_values(&[progress.outcome()]).inc();
    metrics.bulk.sent_bytes.inc_by(bytes as u64);
    metrics.bulk.retried_documents.inc_by(progress.counts.failed as u64);
    metrics.bulk.failure_store.inc_by(progress.counts.in_failure_store as u64);
    documents(metrics, &progress.counts);
    if let Some(failure) = &progress.failure {
        tracing::debug!(
            trouble = failure.trouble.as_str(),
            detail = failure.detail,
            documents = progress.counts.failed,
            "Documents failed for now; they are sent again."
        );
    }
}

/// Logs the first of the `refused` documents of `batch`. The reasons may quote documents, so only the dead letters
/// contain them.
pub(super) fn log_refused(metrics: &Metrics, batch: &Batch, refused: &[Refused]) {
    let Some(first) = refused.first() else { return };
    let origin = batch.items.get(first.item).map(|item| &item.origin);
    tracing::warn!(
        topic = metrics.bulk.blocked.topic(),
        partition = origin.map(|origin| origin.partition.0),
        offset = origin.map(|origin| origin.offset.0),
        request_id = origin.and_then(|origin| batch.request_id(origin)),
        documents = refused.len(),
        status = first.status,
        error_type = first.error_type,
        "Elasticsearch permanently refuses documents; they go to the dead-letter topic with its reason."
    );
}

/// Counts the documents that `counts` says are settled.
pub(super) fn documents(metrics: &Metrics, counts: &Counts) {
    let outcomes = [
        ("indexed", counts.indexed),
        ("duplicate", counts.duplicates),
        ("refused", counts.refused),
        ("dropped", counts.dropped),
    ];
    for (outcome, count) in outcomes.into_iter().filter(|(_, count)| *count > 0) {
        metrics.documents.with_label_values(&[outcome]).inc_by(count as u64);
    }
}
