//! What becomes of a body from an authenticated sender that holds no event: it is kept, as it was sent, in a topic of
//! its own, so that a change of the schema upstream loses nothing. It never changes the answer, and what is kept at a
//! time is bounded.
//!
//! [`is_kept`] says which, [`headers`] with what; `docs/http.md` has the table of the headers.

use std::sync::{Arc, Mutex, PoisonError};

use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use rdkafka::message::{Header, OwnedHeaders};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::message::RecordHead;
use crate::reject::Rejection;
use crate::reject::location::ErrorLocation;
use crate::stages::unframe::{SCHEMA_ID, SCHEMA_VERSION};

/// Bytes of bodies that wait for Kafka at a time, for each source: an eighth of the queue that events wait in.
const WAITING: usize = 8 * 1024 * 1024;

/// How many seconds' worth of bodies may come at once.
const BURST_SECONDS: f64 = 10.0;

/// Bytes of the value of a header of the record.
const MAX_VALUE: usize = 1_024;

/// The quarantine of one source.
#[derive(Debug)]
pub(crate) struct Quarantine {
    /// Where bodies are written to.
    pub(crate) topic: String,
    max_body: usize,
    per_second: f64,
    bucket: Mutex<Bucket>,
    waiting: Arc<Semaphore>,
}

/// How many bodies may still be kept.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: f64,
    /// When that was so.
    at: Option<Instant>,
}

impl Quarantine {
    /// Returns the quarantine of the config; `None` if it is not enabled.
    pub(crate) fn compile(source: &config::Quarantine, kafka: &config::Kafka) -> Option<Self> {
        if !source.enabled {
            return None;
        }
        let per_second = f64::from(source.per_second);
        Some(Self {
            topic: source.topic.clone().unwrap_or_else(|| kafka.quarantine_topic.clone()),
            max_body: usize::try_from(source.max_body.as_u64()).unwrap_or(usize::MAX).min(WAITING),
            per_second,
            bucket: Mutex::new(Bucket { left: per_second * BURST_SECONDS, at: None }),
            waiting: Arc::new(Semaphore::new(WAITING)),
        })
    }

    /// Returns a permit where a body of `body` bytes with `headers` bytes of headers is kept at `now`: to be dropped
    /// once it is in Kafka.
    pub(crate) fn admit(&self, body: usize, headers: usize, now: Instant) -> Option<OwnedSemaphorePermit> {
        if body > self.max_body || !self.take(now) {
            return None;
        }
        // One body may always wait, whatever its headers are.
        let bytes = (body + headers).min(WAITING);
        Arc::clone(&self.waiting).try_acquire_many_owned(u32::try_from(bytes).ok()?).ok()
    }

    fn take(&self, now: Instant) -> bool {
        // What a panic might have left half done are two numbers that are both right.
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = bucket.at.map_or(0.0, |at| now.saturating_duration_since(at).as_secs_f64());
        bucket.left = (bucket.left + passed * self.per_second).min(self.per_second * BURST_SECONDS);
        bucket.at = Some(now);
        let admitted = bucket.left >= 1.0;
        if admitted {
            bucket.left -= 1.0;
        }
        admitted
    }
}

/// Returns whether the body of a request that was refused so is kept: it was read and is wrong in itself. What is not
/// the body's fault is not lost, since its sender tries again.
pub(crate) fn is_kept(rejection: &Rejection) -> bool {
    match rejection {
        Rejection::Decompress(_)
        | Rejection::RecordTooLarge
        | Rejection::RecordRefused
        | Rejection::Unframe(_)
        | Rejection::Invalid { .. }
        | Rejection::Container(_)
        | Rejection::Ambiguous(_)
        | Rejection::AmbiguousVersion(_)
        | Rejection::UnknownSchema(_)
        | Rejection::UnusableSchema(..) => true,
        Rejection::NotFound
        | Rejection::MethodNotAllowed
        | Rejection::Unauthorized(_)
        | Rejection::TooLarge(_)
        | Rejection::BodyTimeout
        | Rejection::BodyBroken
        | Rejection::ContentEncoding
        | Rejection::SchemaPending(_)
        | Rejection::SchemaUnavailable
        | Rejection::Overloaded
        | Rejection::InFlight
        | Rejection::RateLimited(_)
        | Rejection::QueueFull
        | Rejection::KafkaRefuses
        | Rejection::KafkaUnavailable
        | Rejection::Internal => false,
    }
}

/// Returns the headers of a body in the quarantine: why it is there, and what is needed to post it again.
pub(crate) fn headers(rejection: &Rejection, request: &HeaderMap, head: &RecordHead<'_>) -> OwnedHeaders {
    let reason = rejection.detail();
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
