//! A bounded queue of finished spans on their way to the exporter. Spans that find no room are dropped.
//!
//! The SDK's own queue is bounded too, but does not count what it drops.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor};
use prometheus::{IntCounter, IntCounterVec, Result};
use service::metrics::{Registry, counters_of};

/// The most spans that wait.
pub(crate) const CAPACITY: usize = 4_096;
/// The most spans in one request to the collector.
const BATCH: usize = 512;
/// How long a span may wait for others to fill a batch.
const DELAY: Duration = Duration::from_secs(1);

/// Registers the counter `name` of spans by outcome: `exported`, `dropped` (no room in the queue), `failed` (the
/// collector did not accept them).
///
/// # Errors
/// If the name is taken or invalid.
pub fn spans(registry: &Registry, name: &str) -> Result<IntCounterVec> {
    let help =
        "Spans by outcome: exported, dropped because too many wait, failed because the collector does not accept them.";
    counters_of(registry, name, help, "outcome", &["exported", "dropped", "failed"])
}

/// Counts the waiting spans and their outcomes.
#[derive(Debug)]
pub(crate) struct Queue {
    waiting: AtomicUsize,
    exported: IntCounter,
    dropped: IntCounter,
    failed: IntCounter,
}

impl Queue {
    pub(crate) fn new(spans: &IntCounterVec) -> Self {
        let [exported, dropped, failed] =
            ["exported", "dropped", "failed"].map(|outcome| spans.with_label_values(&[outcome]));
        Self { waiting: AtomicUsize::new(0), exported, dropped, failed }
    }

    /// Takes a place for one more span, and returns whether there was room.
    fn enter(&self) -> bool {
        let has_room = self.waiting.fetch_add(1, Ordering::AcqRel) < CAPACITY;
        if !has_room {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
            self.dropped.inc();
        }
        has_room
    }

    /// Frees the places of `count` spans that have left the queue.
    pub(crate) fn left(&self, count: usize) {
        self.waiting.fetch_sub(count, Ordering::AcqRel);
    }

    /// Counts the outcomes of `count` spans, `refused` of which the collector did not accept.
    pub(crate) fn count(&self, count: usize, refused: usize) {
        self.failed.inc_by(refused as u64);
        self.exported.inc_by(count.saturating_sub(refused) as u64);
    }
}

/// Wraps the SDK's batch processor in a [`Queue`].
#[derive(Debug)]
pub(crate) struct Bounded {
    batches: BatchSpanProcessor,
    queue: Arc<Queue>,
}

impl Bounded {
    /// Starts a thread that passes batches from `queue` to `exporter`.
    pub(crate) fn new(exporter: impl SpanExporter + 'static, queue: Arc<Queue>) -> Self {
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(CAPACITY)
            .with_max_export_batch_size(BATCH)
            .with_scheduled_delay(DELAY)
            .build();
        Self { batches: BatchSpanProcessor::new(exporter, config), queue }
    }
}

impl SpanProcessor for Bounded {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.batches.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if self.queue.enter() {
            self.batches.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.batches.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.batches.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.batches.set_resource(resource);
    }
}

#[cfg(test)]
mod tests;
