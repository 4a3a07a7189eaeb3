//! Handles an authentic body without a valid event, apart from the answer. The body goes to the quarantine. If there
//! are more and more of them, the task that keeps the schema fresh is woken.

use std::time::Duration;

use axum::http::HeaderMap;
use rdkafka::message::Headers;
use tokio::time::{Instant, timeout};

use super::Endpoint;
use crate::message::RecordHead;
use crate::quarantine;
use crate::reject::Rejection;
use crate::reject::table::About;
use crate::stages::validate::Invalid;

/// After this time a body counts as not written. Kafka's client gives up sooner; this bounds unforeseen cases.
const PATIENCE: Duration = Duration::from_secs(120);

impl Endpoint {
    /// Counts a request that was refused at `now`, and quarantines its body if that is enabled. Never waits.
    pub(super) fn set_aside(
        &self,
        rejection: &Rejection,
        request: &HeaderMap,
        body: &[u8],
        record: &RecordHead<'_>,
        now: Instant,
    ) {
        if let Some(invalid) = rejection.invalid() {
            self.note_invalid(invalid, now);
        }
        if rejection.row().about == About::Event && !body.is_empty() {
            self.keep(rejection, request, body, record, now);
        }
    }

    fn note_invalid(&self, invalid: &Invalid, now: Instant) {
        let Invalid { schema, error, key } = invalid;
        self.source.metrics.bodies.invalid(error.code(), &error.path);
        let Some(failures) = self.source.drift.note(now) else {
            return;
        };
        self.source.metrics.bodies.schema_drifts.inc();
        tracing::warn!(
            source = self.source.name.as_str(),
            schema_id = schema.0,
            failures,
            event_id = key.as_deref().unwrap_or("unknown"),
            // A map key is a part of the body.
            field = error.path.split('[').next().unwrap_or_default(),
            reason = error.code(),
            "Events no longer fit the schema; asking for the latest one.",
        );
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
        match self.common.producer.send_quarantined(&quarantine.topic, body, headers, record.timestamp) {
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
