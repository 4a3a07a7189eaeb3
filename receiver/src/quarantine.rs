//! Keeps bodies from authenticated senders that are not events. They go to a topic of their own, as they were sent, so
//! that a schema change upstream loses nothing. The quarantine never changes the answer, and bounds the bodies that
//! wait for Kafka.
//!
//! The table of [`crate::reject`] decides which bodies are kept. [`headers`] adds the reason; `docs/http.md` lists the
//! headers.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use rdkafka::message::{Header, OwnedHeaders};
use service::token_bucket::TokenBucket;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::message::RecordHead;
use crate::reject::location::ErrorLocation;
use crate::reject::{Rejection, detail};
use crate::stages::unframe::{SCHEMA_ID, SCHEMA_VERSION};

/// The most bytes of bodies that wait for Kafka, for each source: an eighth of the queue for events.
const WAITING: usize = 8 * 1024 * 1024;

/// The burst, in seconds of the rate.
const BURST_SECONDS: f64 = 10.0;

/// The most bytes in the value of a record header.
const MAX_VALUE: usize = 1_024;

/// The quarantine of one source.
#[derive(Debug)]
pub(crate) struct Quarantine {
    /// The topic that bodies are written to.
    pub(crate) topic: String,
    max_body: usize,
    rate: TokenBucket,
    waiting: Arc<Semaphore>,
}

impl Quarantine {
    /// Returns the quarantine that the config describes, or `None` if it is disabled.
    pub(crate) fn compile(source: &crate::config::Quarantine, kafka: &config::Kafka) -> Option<Self> {
        if !source.enabled {
            return None;
        }
        let per_second = f64::from(source.per_second);
        Some(Self {
            topic: source.topic.clone().unwrap_or_else(|| kafka.quarantine_topic.clone()),
            max_body: usize::try_from(source.max_body.as_u64()).unwrap_or(usize::MAX).min(WAITING),
            rate: TokenBucket::new(per_second, per_second * BURST_SECONDS),
            waiting: Arc::new(Semaphore::new(WAITING)),
        })
    }

    /// Returns a permit if a body of `body` bytes with `headers` bytes of headers may be kept at `now`. The caller
    /// drops the permit once the body is in Kafka.
    pub(crate) fn admit(&self, body: usize, headers: usize, now: Instant) -> Option<OwnedSemaphorePermit> {
        if body > self.max_body || self.rate.take(now).is_err() {
            return None;
        }
        // One body may always wait, however large its headers are.
        let bytes = (body + headers).min(WAITING);
        Arc::clone(&self.waiting).try_acquire_many_owned(u32::try_from(bytes).ok()?).ok()
    }
}

/// Returns the headers of a quarantined body: the reason, and what is needed to post it again.
pub(crate) fn headers(rejection: &Rejection, request: &HeaderMap, head: &RecordHead<'_>) -> OwnedHeaders {
    let reason = detail(rejection);
    let reason = reason.get(..reason.floor_char_boundary(MAX_VALUE)).unwrap_or_default();
    let mut found: Vec<(String, Vec<u8>)> = Vec::new();
    let mut add = |key: &str, value: &[u8]| {
        found.push((format!("q.{key}"), value.get(..MAX_VALUE).unwrap_or(value).to_vec()));
    };
    add("source", head.source.as_bytes());
    add("request-id", head.request_id);
    if let Some(traceparent) = head.traceparent {
        add("traceparent", traceparent);
    }
    add("reason", reason.as_bytes());
    add("error-type", rejection.code().as_bytes());
    if let Some(location) = ErrorLocation::of(rejection) {
        add("error-code", location.reason.as_bytes());
        add("offset", location.offset.to_string().as_bytes());
        for (key, number) in
            [("schema-id", location.schema_id.map(u64::from)), ("index", location.index.map(|index| index as u64))]
        {
            if let Some(number) = number {
                add(key, number.to_string().as_bytes());
            }
        }
        if let Some(field) = &location.field {
            add("field", field.as_bytes());
        }
    }
    if let Some(key) = rejection.invalid().and_then(|invalid| invalid.key.as_deref()) {
        add("event-id", key.as_bytes());
    }
    let encoded = matches!(rejection, Rejection::Decompress(_)).then_some(CONTENT_ENCODING);
    for name in [CONTENT_TYPE, SCHEMA_ID, SCHEMA_VERSION].into_iter().chain(encoded) {
        if let Some(value) = request.get(&name) {
            add(name.as_str(), value.as_bytes());
        }
    }
    let insert =
        |headers: OwnedHeaders, (key, value): &(String, Vec<u8>)| headers.insert(Header { key, value: Some(value) });
    found.iter().fold(OwnedHeaders::new_with_capacity(found.len()), insert)
}

#[cfg(test)]
mod tests;
