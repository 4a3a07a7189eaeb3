//! Traces bulk requests, if traces are on. The span of a request links to the traces of its events.
//!
//! A request carries events of many traces, so its span belongs to none of them. The span exists if one of those
//! traces is sampled. An event that is sent again is linked from each of its requests; the last request ends it.

use std::sync::Arc;

use kafka::headers::HEADER_TRACEPARENT;
use traces::{KeyValue, Span, SpanKind, Traceparent, Traces};

use super::progress::Progress;
use crate::batch::Batch;

/// Traces the bulk requests of one topic.
#[derive(Debug)]
pub(crate) struct BulkTraces {
    traces: Arc<Traces>,
    topic: String,
    group: String,
}

impl BulkTraces {
    /// Creates the tracing of requests with records that `group` reads from `topic`.
    pub(crate) fn new(traces: Arc<Traces>, topic: &str, group: &str) -> Self {
        Self { traces, topic: topic.to_owned(), group: group.to_owned() }
    }

    /// Begins the span of a request with the items `chunk` of `batch`, or returns `None` if none of their traces is
    /// sampled.
    pub(super) fn begin(&self, batch: &Batch, chunk: &[usize]) -> Option<Span> {
        let headers = chunk.iter().filter_map(|item| batch.header(&batch.items.get(*item)?.origin, HEADER_TRACEPARENT));
        let others = headers.filter_map(Traceparent::parse);
        let name = || format!("process {}", self.topic);
        self.traces.linked(SpanKind::Consumer, name, others, || self.attributes(batch, chunk))
    }

    fn attributes(&self, batch: &Batch, chunk: &[usize]) -> Vec<KeyValue> {
        let first = chunk.first().and_then(|item| batch.items.get(*item));
        let target = first.and_then(|item| batch.targets.get(item.target as usize));
        let mut attributes = vec![
            KeyValue::new("messaging.system", "kafka"),
            KeyValue::new("messaging.operation.name", "process"),
            KeyValue::new("messaging.operation.type", "process"),
            KeyValue::new("messaging.destination.name", self.topic.clone()),
            KeyValue::new("messaging.consumer.group.name", self.group.clone()),
            KeyValue::new("messaging.batch.message_count", number(chunk.len())),
            KeyValue::new("db.system.name", "elasticsearch"),
            KeyValue::new("db.operation.name", "bulk"),
            KeyValue::new("db.operation.batch.size", number(chunk.len())),
        ];
        attributes.extend(target.map(|target| KeyValue::new("db.collection.name", Arc::clone(&target.index))));
        attributes
    }
}

/// Ends `span`, if there is one, with the outcome of its request.
pub(super) fn end(span: Option<Span>, progress: &Progress) {
    let Some(mut span) = span else { return };
    let counts = &progress.counts;
    let [indexed, duplicates, refused] =
        [counts.indexed, counts.duplicates, counts.refused].map(|count| i64::try_from(count).unwrap_or(i64::MAX));
    span.set("penstock.documents.indexed", indexed);
    span.set("penstock.documents.duplicate", duplicates);
    span.set("penstock.documents.refused", refused);
    span.set("penstock.documents.dropped", number(counts.dropped));
    span.set("penstock.documents.failed", number(counts.failed));
    if !matches!(progress.outcome(), "ok" | "partial") {
        span.failed(progress.outcome());
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
