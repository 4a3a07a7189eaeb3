//! Every way in which a request is not accepted, and what is answered: one enum, one table.
//!
//! Answers are problem details (RFC 9457). An answer to a sender never names the inside (addresses, topics, subjects)
//! and never which part of its credentials is wrong. A new rejection is a variant and a row.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode};
use registry::wire::SchemaId;

use crate::body_budget::BudgetExceeded;
use crate::stages::decompress::DecompressError;
use crate::stages::unframe::{Framing, UnframeError};
use crate::stages::validate::{BatchError, Invalid};
use crate::workers::WorkError;

mod detail;
pub(crate) mod location;
mod response;

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
    /// The body is compressed in a way that is not known.
    ContentEncoding,
    /// The body is not what its `Content-Encoding` says, or would be too large.
    Decompress(DecompressError),
    /// The body is in no form that is known.
    Unframe(UnframeError),
    /// The body is not a datum of the schema it should be of; where that was open, of neither.
    Invalid {
        /// Read as what it most likely is.
        as_likely: Box<Invalid>,
        /// Read in the Confluent wire format, where that was tried too.
        as_framed: Option<Box<Invalid>>,
    },
    /// The body is an object container file, and something in it is wrong.
    Container(BatchError),
    /// The body can be read both bare and in this form.
    Ambiguous(Framing),
    /// The body is a bare datum of several of these older versions, and means something else in each.
    AmbiguousVersion(Vec<SchemaId>),
    /// The registry has no such schema, or it is not one of the source's subjects.
    UnknownSchema(SchemaName),
    /// The registry has no such schema so far: it may be at another node of it already.
    SchemaPending(SchemaName),
    /// It is there, but it is not an Avro schema, or lacks the field of the key; says which.
    UnusableSchema(SchemaName, &'static str),
    /// The schema is not in memory and the registry does not answer.
    SchemaUnavailable,
    /// As many requests as are allowed are in flight, or hold as many bytes.
    Overloaded,
    /// A request with the same signature is still in flight.
    InFlight,
    /// More requests than the source takes in a second; says when there is room for one.
    RateLimited(Duration),
    /// The producer's queue is full.
    QueueFull,
    /// Kafka takes no record like this one: without a key, where the topic is compacted, or refused by a validation.
    RecordRefused,
    /// Kafka takes no events of this source until an operator fixes the cause.
    KafkaRefuses,
    /// Kafka is down, or did not acknowledge the event in time.
    KafkaUnavailable,
    /// A bug of ours.
    Internal,
}

/// How a request names the schema that its events were written with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SchemaName {
    /// By the registry's id.
    Id(SchemaId),
    /// By the version in the source's subject.
    Version(u32),
    /// By the fingerprint.
    Fingerprint(u64),
    /// By its text, in an object container file.
    File,
}

/// One row of the table: the status, the word that is the problem's type and the metric's `outcome`, and the title.
type Row = (StatusCode, &'static str, &'static str);

/// The codes of all sources' rows. That of [`Rejection::NotFound`] is not there: such a request has no source.
pub(crate) const CODES: [&str; 27] = [
    "method-not-allowed",
    "unauthorized",
    "too-large",
    "record-too-large",
    "body-timeout",
    "body-broken",
    "unsupported-content-encoding",
    "invalid-content-encoding",
    "unsupported-media-type",
    "empty-body",
    "invalid-frame",
    "too-many-events",
    "invalid-event",
    "invalid-container",
    "ambiguous-frame",
    "ambiguous-version",
    "unknown-schema",
    "unusable-schema",
    "schema-pending",
    "schema-unavailable",
    "overloaded",
    "rate-limited",
    "queue-full",
    "record-refused",
    "kafka-refuses",
    "kafka-unavailable",
    "internal",
];

/// How soon a sender should try again when a queue is full for the moment.
const SOON: Duration = Duration::from_secs(1);
/// How soon a sender should try again when something else has to come back first.
const LATER: Duration = Duration::from_secs(5);

impl From<BudgetExceeded> for Rejection {
    fn from(_: BudgetExceeded) -> Self {
        Self::Overloaded
    }
}

impl From<WorkError> for Rejection {
    fn from(error: WorkError) -> Self {
        match error {
            WorkError::Busy => Self::Overloaded,
            WorkError::Panicked => Self::Internal,
        }
    }
}

impl From<DecompressError> for Rejection {
    fn from(error: DecompressError) -> Self {
        match error {
            DecompressError::BudgetExceeded(_) => Self::Overloaded,
            error @ (DecompressError::TooLarge(_) | DecompressError::Broken(_)) => Self::Decompress(error),
        }
    }
}

impl From<BatchError> for Rejection {
    fn from(error: BatchError) -> Self {
        match error {
            BatchError::BudgetExceeded => Self::Overloaded,
            error => Self::Container(error),
        }
    }
}

impl Rejection {
    fn row(&self) -> Row {
        match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found", "No webhook at this path"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Only POST is allowed"),
            Self::Unauthorized(_) => (StatusCode::UNAUTHORIZED, "unauthorized", "Not authenticated"),
            Self::TooLarge(_)
            | Self::Decompress(DecompressError::TooLarge(_))
            | Self::Container(BatchError::TooLarge(_)) => {
                (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Body too large")
            }
            Self::RecordTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "record-too-large", "Event too large"),
            Self::BodyTimeout => (StatusCode::REQUEST_TIMEOUT, "body-timeout", "Body did not arrive in time"),
            Self::BodyBroken => (StatusCode::BAD_REQUEST, "body-broken", "Body broke off"),
            Self::ContentEncoding => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-content-encoding", "Unsupported content encoding")
            }
            Self::Decompress(DecompressError::BudgetExceeded(_))
            | Self::Container(BatchError::BudgetExceeded)
            | Self::Overloaded => (StatusCode::SERVICE_UNAVAILABLE, "overloaded", "Too many requests in flight"),
            Self::Decompress(DecompressError::Broken(_)) => {
                (StatusCode::BAD_REQUEST, "invalid-content-encoding", "Not compressed as said")
            }
            Self::Unframe(UnframeError::ContentType) => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "Unsupported media type")
            }
            Self::Unframe(UnframeError::Unsigned(_)) => {
                (StatusCode::BAD_REQUEST, "unsigned-header", "A header is not covered by the signature")
            }
            Self::Unframe(UnframeError::Empty) => (StatusCode::BAD_REQUEST, "empty-body", "Empty body"),
            Self::Unframe(_) => (StatusCode::BAD_REQUEST, "invalid-frame", "Invalid frame"),
            Self::Container(BatchError::TooManyEvents(_)) => {
                (StatusCode::PAYLOAD_TOO_LARGE, "too-many-events", "Too many events")
            }
            Self::Invalid { .. } | Self::Container(BatchError::Event { .. }) => {
                (StatusCode::BAD_REQUEST, "invalid-event", "Not a datum of the schema")
            }
            Self::Container(_) => (StatusCode::BAD_REQUEST, "invalid-container", "Not an object container file"),
            Self::Ambiguous(_) => (StatusCode::BAD_REQUEST, "ambiguous-frame", "Ambiguous body"),
            Self::AmbiguousVersion(_) => (StatusCode::BAD_REQUEST, "ambiguous-version", "Ambiguous body"),
            Self::SchemaPending(_) => (StatusCode::SERVICE_UNAVAILABLE, "schema-pending", "Schema not known yet"),
            Self::UnknownSchema(_) => (StatusCode::BAD_REQUEST, "unknown-schema", "Unknown schema"),
            Self::UnusableSchema(..) => (StatusCode::BAD_REQUEST, "unusable-schema", "Unusable schema"),
            Self::SchemaUnavailable => (StatusCode::SERVICE_UNAVAILABLE, "schema-unavailable", "Schema unavailable"),
            Self::InFlight => (StatusCode::SERVICE_UNAVAILABLE, "in-flight", "The same request is in flight"),
            Self::RateLimited(_) => (StatusCode::TOO_MANY_REQUESTS, "rate-limited", "Too many requests in a second"),
            Self::QueueFull => (StatusCode::SERVICE_UNAVAILABLE, "queue-full", "Queue full"),
            Self::RecordRefused => (StatusCode::UNPROCESSABLE_ENTITY, "record-refused", "Event cannot be stored"),
            Self::KafkaRefuses => (StatusCode::SERVICE_UNAVAILABLE, "kafka-refuses", "Event not stored"),
            Self::KafkaUnavailable => (StatusCode::SERVICE_UNAVAILABLE, "kafka-unavailable", "Event not stored"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error"),
        }
    }

    /// Returns the status of the answer.
    pub(crate) fn status(&self) -> StatusCode {
        self.row().0
    }

    /// Returns the short fixed word that metrics, logs and the problem's type have for it.
    pub(crate) fn code(&self) -> &'static str {
        self.row().1
    }

    /// Returns whether it is logged for the operator: it concerns an event that an authenticated sender tried to
    /// deliver, and fixing it needs a person. The rest shows in the metrics; a flood of it must not become a flood of
    /// logs.
    pub(crate) fn is_telling(&self) -> bool {
        match self {
            Self::RecordTooLarge
            | Self::RecordRefused
            | Self::ContentEncoding
            | Self::Decompress(_)
            | Self::Unframe(_)
            | Self::Container(_)
            | Self::Invalid { .. }
            | Self::Ambiguous(_)
            | Self::AmbiguousVersion(_)
            | Self::UnknownSchema(_)
            | Self::UnusableSchema(..) => true,
            Self::NotFound
            | Self::MethodNotAllowed
            | Self::Unauthorized(_)
            | Self::TooLarge(_)
            | Self::BodyTimeout
            | Self::BodyBroken
            | Self::SchemaPending(_)
            | Self::SchemaUnavailable
            | Self::Overloaded
            | Self::InFlight
            | Self::RateLimited(_)
            | Self::QueueFull
            | Self::KafkaRefuses
            | Self::KafkaUnavailable
            | Self::Internal => false,
        }
    }

    /// Returns how soon the same request may be tried again with some hope.
    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Overloaded | Self::InFlight | Self::QueueFull | Self::SchemaPending(_) => Some(SOON),
            Self::SchemaUnavailable | Self::KafkaRefuses | Self::KafkaUnavailable => Some(LATER),
            Self::RateLimited(wait) => Some(*wait),
            _ => None,
        }
    }

    /// Returns what is wrong with the event, where it was read as one.
    pub(crate) fn invalid(&self) -> Option<&Invalid> {
        match self {
            Self::Invalid { as_likely: invalid, .. } | Self::Container(BatchError::Event { invalid, .. }) => {
                Some(invalid)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
