//! Handles an authentic body without a valid event, apart from the answer. The body goes to the quarantine. If there
//! are more and more of them, the task that keeps the schema fresh is woken.

use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use rdkafka::message::Headers;
use tokio::time::{Instant, timeout};

use crate::message::{Buffer, RecordHead};
use crate::quarantine;
use crate::reject::Rejection;
use crate::reject::table::About;
use crate::source::Source;
use crate::stages::produce::Producer;
use crate::stages::validate::Invalid;

/// After this time a body counts as not written. Kafka's client gives up sooner; this bounds unforeseen cases.
const PATIENCE: Duration = Duration::from_secs(120);

/// Handles the refused bodies of one source.
pub(super) struct RefusedBodies {
    source: Arc<Source>,
    producer: Arc<Producer>,
}

impl RefusedBodies {
    /// Creates the part that handles the refused bodies of `source`.
    pub(super) fn new(source: &Arc<Source>, producer: &Arc<Producer>) -> Self {
        Self { source: Arc::clone(source), producer: Arc::clone(producer) }
    }

    /// Counts a request that was refused at `now`, and quarantines its body if that is enabled. Never waits.
    pub(super) fn handle(
        &self,
        rejection: &Rejection,
        request: &HeaderMap,
        body: &mut Buffer,
        record: &RecordHead<'_>,
        now: Instant,
    ) {
        body.unframe();
        let body = body.body();
        if let Some(invalid) = rejection.invalid() {
            note_invalid(&self.source, invalid, now);
        }
        if rejection.row().about == About::Event && !body.is_empty() {
            self.keep(rejection, request, body, record, now);
        }
    }

    fn keep(&self, rejection: &Rejection, request: &HeaderMap, body: &[u8], record: &RecordHead<'_>, now: Instant) {
        let Some(quarantine) = &self.source.quarantine else {
            return;
        };
        let metrics = self.source.metrics.bodies.quarantine.clone();
        let headers = quarantine::headers(rejection, request, record);
        let header_bytes = headers.iter().map(|header| header.key.len() + header.value.map_or(0, <[u8]>::len)).sum();
        let Some(permit) = quarantine.admit(body.len(), header_bytes, now) else {
            return metrics.capped.inc();
        };
        match self.producer.send_quarantined(&quarantine.topic, body, headers, record.timestamp) {
            Err(_) => metrics.failed.inc(),
            Ok(delivery) => {
                // The permits of the quarantine bound the number of these tasks.
                tokio::spawn(async move {
                    let written = matches!(timeout(PATIENCE, delivery.finished()).await, Ok(Ok(())));
                    if written {
                        metrics.written.inc()
                    } else {
                        metrics.failed.inc()
                    }
                    drop(permit);
                });
            }
        }
    }
}

/// Counts an invalid event. Logs it if it shows that the events of `source` no longer fit the schema.
fn note_invalid(source: &Source, invalid: &Invalid, now: Instant) {
    let Invalid { schema, error, key } = invalid;
    source.metrics.bodies.invalid(error.code(), &error.path);
    let Some(failures) = source.drift.note(now) else {
        return;
    };
    source.metrics.bodies.schema_drifts.inc();
    tracing::warn!(
        source = source.name.as_str(),
        schema_id = schema.0,
        failures,
        event_id = key.as_deref().unwrap_or("unknown"),
        // A map key is a part of the body.
        field = error.path.split('[').next().unwrap_or_default(),
        reason = error.code(),
        "Events no longer fit the schema; asking for the latest one.",
    );
}
