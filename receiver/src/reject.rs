//! Every way in which a request is not accepted, and what is answered: one enum, one table.
//!
//! Answers are problem details (RFC 9457). What a sender is told never names the inside (addresses, topics, subjects) and never
//! which part of its credentials is wrong. A new rejection is a variant and a row.

use std::borrow::Cow;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{ALLOW, CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use shared::wire::SchemaId;

use crate::unframe::UnframeError;
use crate::validate::Invalid;

pub(crate) mod budget;

/// Why a request is not accepted.
#[derive(Clone, Debug)]
pub(crate) enum Rejection {
    /// No source has the path.
    NotFound,
    /// Not POST.
    MethodNotAllowed,
    /// No credentials or wrong ones; holds the challenge.
    Unauthorized(HeaderValue),
    /// The body is longer than the limit, in bytes.
    TooLarge(usize),
    /// Kafka does not take a record of this size.
    RecordTooLarge,
    /// The body did not arrive within the deadline.
    BodyTimeout,
    /// The body broke off or is not well-formed HTTP.
    BodyBroken,
    /// The body is in no form that is known.
    Unframe(UnframeError),
    /// The body is not a datum of the schema it should be of; where that was open, of neither.
    Invalid {
        /// Read as what it most likely is.
        as_likely: Box<Invalid>,
        /// Read in the Confluent wire format, where that was tried too.
        as_framed: Option<Box<Invalid>>,
    },
    /// The body can be read both bare and framed with the schema of this id.
    Ambiguous(SchemaId),
    /// The registry has no such schema.
    UnknownSchema(SchemaId),
    /// The registry has it, but it is not an Avro schema, or lacks the field of the key; says which.
    UnusableSchema(SchemaId, &'static str),
    /// The schema is not in memory and the registry does not answer.
    SchemaUnavailable,
    /// As many requests as are allowed are under way.
    Overloaded,
    /// More requests than the source takes in a second; says when there is room for one.
    RateLimited(Duration),
    /// The producer's queue is full.
    QueueFull,
    /// Kafka is away, or did not acknowledge the event in time.
    KafkaUnavailable,
    /// A bug of ours.
    Internal,
}

/// One row of the table: the status, the word that is the problem's type and the metric's `outcome`, and the title.
type Row = (StatusCode, &'static str, &'static str);

/// How soon a sender should try again when a queue is full for the moment.
const SOON: Duration = Duration::from_secs(1);
/// How soon a sender should try again when something else has to come back first.
const LATER: Duration = Duration::from_secs(5);

impl Rejection {
    fn row(&self) -> Row {
        match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found", "No webhook at this path"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Only POST is allowed"),
            Self::Unauthorized(_) => (StatusCode::UNAUTHORIZED, "unauthorized", "Not authenticated"),
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Body too large"),
            Self::RecordTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "record-too-large", "Event too large"),
            Self::BodyTimeout => (StatusCode::REQUEST_TIMEOUT, "body-timeout", "Body did not arrive in time"),
            Self::BodyBroken => (StatusCode::BAD_REQUEST, "body-broken", "Body broke off"),
            Self::Unframe(UnframeError::ContentType | UnframeError::ContentEncoding) => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "Unsupported media type")
            }
            Self::Unframe(UnframeError::Empty) => (StatusCode::BAD_REQUEST, "empty-body", "Empty body"),
            Self::Unframe(UnframeError::SchemaIdHeader | UnframeError::Frame(_)) => {
                (StatusCode::BAD_REQUEST, "invalid-frame", "Invalid frame")
            }
            Self::Invalid { .. } => (StatusCode::BAD_REQUEST, "invalid-event", "Not a datum of the schema"),
            Self::Ambiguous(_) => (StatusCode::BAD_REQUEST, "ambiguous-frame", "Ambiguous body"),
            Self::UnknownSchema(_) => (StatusCode::BAD_REQUEST, "unknown-schema", "Unknown schema"),
            Self::UnusableSchema(..) => (StatusCode::BAD_REQUEST, "unusable-schema", "Unusable schema"),
            Self::SchemaUnavailable => (StatusCode::SERVICE_UNAVAILABLE, "schema-unavailable", "Schema unavailable"),
            Self::Overloaded => (StatusCode::SERVICE_UNAVAILABLE, "overloaded", "Too many requests under way"),
            Self::RateLimited(_) => (StatusCode::TOO_MANY_REQUESTS, "rate-limited", "Too many requests in a second"),
            Self::QueueFull => (StatusCode::SERVICE_UNAVAILABLE, "queue-full", "Queue full"),
            Self::KafkaUnavailable => (StatusCode::SERVICE_UNAVAILABLE, "kafka-unavailable", "Event not stored"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error"),
        }
    }

    /// The status of the answer.
    pub(crate) fn status(&self) -> StatusCode {
        self.row().0
    }

    /// The short fixed word that metrics, logs and the problem's type have for it.
    pub(crate) fn word(&self) -> &'static str {
        self.row().1
    }

    /// Whether it is told to the operator: it concerns an event that somebody who may post tried to deliver, and mending it
    /// needs a person. The rest shows in the metrics; a flood of it must not become a flood of logs.
    pub(crate) fn is_telling(&self) -> bool {
        match self {
            Self::RecordTooLarge
            | Self::Unframe(_)
            | Self::Invalid { .. }
            | Self::Ambiguous(_)
            | Self::UnknownSchema(_)
            | Self::UnusableSchema(..) => true,
            Self::NotFound
            | Self::MethodNotAllowed
            | Self::Unauthorized(_)
            | Self::TooLarge(_)
            | Self::BodyTimeout
            | Self::BodyBroken
            | Self::SchemaUnavailable
            | Self::Overloaded
            | Self::RateLimited(_)
            | Self::QueueFull
            | Self::KafkaUnavailable
            | Self::Internal => false,
        }
    }

    /// How soon the same request may be tried again with some hope.
    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Overloaded | Self::QueueFull => Some(SOON),
            Self::SchemaUnavailable | Self::KafkaUnavailable => Some(LATER),
            Self::RateLimited(wait) => Some(*wait),
            _ => None,
        }
    }

    /// What is wrong, for people.
    pub(crate) fn detail(&self) -> Cow<'static, str> {
        match self {
            Self::NotFound => "no webhook is configured at this path".into(),
            Self::MethodNotAllowed => "send the event with POST".into(),
            Self::Unauthorized(_) => "the credentials are missing or not valid".into(),
            Self::TooLarge(limit) => format!("the body is longer than the limit of {limit} bytes").into(),
            Self::RecordTooLarge => "the event is larger than what can be stored".into(),
            Self::BodyTimeout => "the body did not arrive within the time allowed for a request".into(),
            Self::BodyBroken => "the body ended before its length or is not well-formed".into(),
            Self::Unframe(error) => error.to_string().into(),
            Self::Invalid { as_likely, as_framed: None } => likely(as_likely).into(),
            Self::Invalid { as_likely, as_framed: Some(framed) } => {
                let (id, error) = (framed.schema, &framed.error);
                format!("{}; nor is it in the Confluent wire format with schema id {id}: {error}", likely(as_likely)).into()
            }
            Self::Ambiguous(id) => format!(
                "the body is a bare datum and also one in the Confluent wire format with schema id {id}: send the latter as \
                 application/vnd.confluent.avro, the former with the header X-Schema-Id"
            )
            .into(),
            Self::UnknownSchema(id) => format!("the schema registry has no schema with id {id}").into(),
            Self::UnusableSchema(id, why) => format!("the schema with id {id} cannot be used: {why}").into(),
            Self::SchemaUnavailable => "the schema of the event cannot be had at the moment: try again".into(),
            Self::Overloaded => "too many requests are under way: try again".into(),
            Self::RateLimited(_) => "more requests than are taken in a second: try again later".into(),
            Self::QueueFull => "too many events are waiting to be stored: try again".into(),
            Self::KafkaUnavailable => "the event was not stored, or it is not known whether it was: try again".into(),
            Self::Internal => "an internal error".into(),
        }
    }

    /// Where in the datum the error is.
    pub(crate) fn place(&self) -> Option<Place> {
        let Self::Invalid { as_likely, .. } = self else {
            return None;
        };
        let Invalid { schema, error } = &**as_likely;
        Some(Place { reason: error.code(), schema_id: schema.0, field: error.path.clone(), offset: error.offset })
    }

    fn problem(&self) -> Problem {
        let (status, word, title) = self.row();
        let at = self.place();
        let kind = format!("urn:penstock:problem:{word}");
        Problem { kind, title, status: status.as_u16(), code: word, detail: self.detail(), at }
    }
}

/// `wait` in seconds, at least one, rounded up: `Retry-After` has no fractions.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_millis().div_ceil(1_000).max(1).try_into().unwrap_or(u64::MAX)
}

fn likely(invalid: &Invalid) -> String {
    format!("not a datum of the schema with id {}: {}", invalid.schema, invalid.error)
}

/// Problem details, RFC 9457; `code` and the members of [`Place`] are extensions.
#[derive(Serialize)]
struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: Cow<'static, str>,
    code: &'static str,
    #[serde(flatten)]
    at: Option<Place>,
}

/// Where in a datum the error is, and what.
#[derive(Serialize)]
pub(crate) struct Place {
    reason: &'static str,
    schema_id: u32,
    field: String,
    offset: usize,
}

impl std::fmt::Debug for Place {
    /// For logs: without the field where its path holds the key of a map, which is part of the body.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let field = if self.field.contains('"') { "(in a map)" } else { &self.field };
        write!(f, "{} at byte {}, field {field}, schema id {}", self.reason, self.offset, self.schema_id)
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        // A struct of strings and numbers always becomes JSON; were it not so, the status would still say the essential.
        let body = serde_json::to_vec(&self.problem()).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(wait) = self.retry_after() {
            headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
        }
        match self {
            Self::Unauthorized(challenge) => headers.insert(WWW_AUTHENTICATE, challenge),
            Self::MethodNotAllowed => headers.insert(ALLOW, HeaderValue::from_static("POST")),
            // RFC 9110, section 15.5.9: a server that has stopped waiting should say that it closes the connection.
            Self::BodyTimeout => headers.insert(CONNECTION, HeaderValue::from_static("close")),
            _ => None,
        };
        response
    }
}

#[cfg(test)]
mod tests;
