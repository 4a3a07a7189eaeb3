//! Every reason to refuse a request, with its answer: one enum, and a row for each variant in one [`table`].
//!
//! Answers are problem details (RFC 9457). An answer to a sender never names anything internal (addresses, topics,
//! subjects), and never says which part of its credentials is wrong. A new rejection is a variant and a row.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode};
use registry::wire::SchemaId;

use crate::body_budget::BudgetExceeded;
use crate::stages::authenticate::{Authenticator, Refused};
use crate::stages::decompress::DecompressError;
use crate::stages::unframe::{Framing, UnframeError};
use crate::stages::validate::{BatchError, Invalid};
use crate::workers::WorkError;
use table::{Again, Row};

pub(crate) use detail::detail;

mod detail;
pub(crate) mod location;
mod response;
pub(crate) mod table;

/// Says why a request is refused.
#[derive(Clone, Debug)]
pub(crate) enum Rejection {
    /// No source has the path.
    NotFound,
    /// The method is not POST.
    MethodNotAllowed,
    /// The credentials are missing or wrong. Holds the challenge.
    Unauthorized(HeaderValue),
    /// The body is longer than the limit, in bytes.
    TooLarge(usize),
    /// Kafka does not accept a record of this size.
    RecordTooLarge,
    /// The body did not arrive within the deadline.
    BodyTimeout,
    /// The body broke off or is not well-formed HTTP.
    BodyBroken,
    /// The `Content-Encoding` is unknown.
    ContentEncoding,
    /// The body does not match its `Content-Encoding`, or would be too large when decompressed.
    Decompress(DecompressError),
    /// The body has no known form.
    Unframe(UnframeError),
    /// The body is not a datum of its schema. If its form was uncertain, it is not a datum in either form.
    Invalid {
        /// The error when read in the most likely form.
        as_likely: Box<Invalid>,
        /// The error when read in the Confluent wire format, if that was tried too.
        as_framed: Option<Box<Invalid>>,
    },
    /// The body is an object container file with an error.
    Container(BatchError),
    /// The body is valid both bare and in this form.
    Ambiguous(Framing),
    /// The body is a valid bare datum of several of these older versions, and means something different in each.
    AmbiguousVersion(Vec<SchemaId>),
    /// The registry has no such schema, or it is not one of the source's subjects.
    UnknownSchema(SchemaName),
    /// The registry does not have the schema yet. Another node of the registry may.
    SchemaPending(SchemaName),
    /// The schema is not an Avro schema, or lacks the key field. Holds the reason.
    UnusableSchema(SchemaName, &'static str),
    /// The schema is not in memory and the registry does not answer.
    SchemaUnavailable,
    /// The limit of requests in flight, or of their bytes, is reached.
    Overloaded,
    /// A request with the same signature is still in flight.
    InFlight,
    /// The source's limit of requests per second is reached. Holds the time until the next one fits.
    RateLimited(Duration),
    /// The producer's queue is full.
    QueueFull,
    /// Kafka refuses this record: it has no key in a compacted topic, or a validation refuses it.
    RecordRefused,
    /// Kafka accepts no events of this source until an operator fixes the cause.
    KafkaRefuses,
    /// Kafka is down, or did not acknowledge the event in time.
    KafkaUnavailable,
    /// A bug in the receiver.
    Internal,
}

/// How a request names the writer schema of its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SchemaName {
    /// By the registry's schema id.
    Id(SchemaId),
    /// By the version in the source's subject.
    Version(u32),
    /// By its fingerprint.
    Fingerprint(u64),
    /// By its text, in an object container file.
    File,
}

/// How soon a sender should retry when a queue is full for the moment.
const SOON: Duration = Duration::from_secs(1);
/// How soon a sender should retry when something else must recover first.
const LATER: Duration = Duration::from_secs(5);

impl From<BudgetExceeded> for Rejection {
    fn from(error: BudgetExceeded) -> Self {
        match error {
            BudgetExceeded::ForAll | BudgetExceeded::ForStrangers => Self::Overloaded,
            BudgetExceeded::Never(limit) => Self::TooLarge(limit),
        }
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
            DecompressError::BudgetExceeded(BudgetExceeded::ForAll | BudgetExceeded::ForStrangers) => Self::Overloaded,
            error => Self::Decompress(error),
        }
    }
}

impl From<BatchError> for Rejection {
    fn from(error: BatchError) -> Self {
        match error {
            BatchError::Budget(BudgetExceeded::ForAll | BudgetExceeded::ForStrangers) => Self::Overloaded,
            error => Self::Container(error),
        }
    }
}

impl Rejection {
    /// Returns the rejection of a request that `authenticator` refused.
    pub(crate) fn unauthentic(refused: impl Into<Refused>, authenticator: &Authenticator) -> Self {
        match refused.into() {
            Refused::Unauthorized => Self::Unauthorized(authenticator.challenge()),
            Refused::InFlight => Self::InFlight,
        }
    }

    /// Returns the row of the table.
    pub(crate) fn row(&self) -> &'static Row {
        match self {
            Self::NotFound => &table::NOT_FOUND,
            Self::MethodNotAllowed => &table::METHOD_NOT_ALLOWED,
            Self::Unauthorized(_) => &table::UNAUTHORIZED,
            Self::TooLarge(_) => &table::TOO_LARGE,
            Self::RecordTooLarge => &table::RECORD_TOO_LARGE,
            Self::BodyTimeout => &table::BODY_TIMEOUT,
            Self::BodyBroken => &table::BODY_BROKEN,
            Self::ContentEncoding => &table::CONTENT_ENCODING,
            Self::Decompress(DecompressError::Broken(_)) => &table::NOT_COMPRESSED,
            Self::Decompress(
                DecompressError::TooLarge(_) | DecompressError::BudgetExceeded(BudgetExceeded::Never(_)),
            )
            | Self::Container(BatchError::TooLarge(_) | BatchError::Budget(BudgetExceeded::Never(_))) => {
                &table::TOO_LARGE_UNPACKED
            }
            Self::Decompress(DecompressError::BudgetExceeded(_))
            | Self::Container(BatchError::Budget(_))
            | Self::Overloaded => &table::OVERLOADED,
            Self::Unframe(UnframeError::ContentType) => &table::MEDIA_TYPE,
            Self::Unframe(UnframeError::Unsigned(_)) => &table::UNSIGNED,
            Self::Unframe(UnframeError::Empty) => &table::EMPTY,
            Self::Unframe(_) => &table::FRAME,
            Self::Container(BatchError::TooManyEvents(_) | BatchError::TooManyValues) => &table::TOO_MANY_EVENTS,
            Self::Invalid { .. } | Self::Container(BatchError::Event { .. }) => &table::INVALID_EVENT,
            Self::Container(_) => &table::CONTAINER,
            Self::Ambiguous(_) => &table::AMBIGUOUS_FRAME,
            Self::AmbiguousVersion(_) => &table::AMBIGUOUS_VERSION,
            Self::UnknownSchema(_) => &table::UNKNOWN_SCHEMA,
            Self::UnusableSchema(..) => &table::UNUSABLE_SCHEMA,
            Self::SchemaPending(_) => &table::SCHEMA_PENDING,
            Self::SchemaUnavailable => &table::SCHEMA_UNAVAILABLE,
            Self::InFlight => &table::IN_FLIGHT,
            Self::RateLimited(_) => &table::RATE_LIMITED,
            Self::QueueFull => &table::QUEUE_FULL,
            Self::RecordRefused => &table::RECORD_REFUSED,
            Self::KafkaRefuses => &table::KAFKA_REFUSES,
            Self::KafkaUnavailable => &table::KAFKA_UNAVAILABLE,
            Self::Internal => &table::INTERNAL,
        }
    }

    /// Returns the status of the answer.
    pub(crate) fn status(&self) -> StatusCode {
        self.row().status
    }

    /// Returns the fixed word for the rejection in metrics, logs and the problem's type.
    pub(crate) fn code(&self) -> &'static str {
        self.row().code
    }

    /// Returns how soon a retry of the same request may succeed.
    fn retry_after(&self) -> Option<Duration> {
        match (self.row().again, self) {
            (Again::Soon, _) => Some(SOON),
            (Again::Later, _) => Some(LATER),
            (Again::Said, Self::RateLimited(wait)) => Some(*wait),
            (Again::Said | Again::Never, _) => None,
        }
    }

    /// Returns what is wrong with the event, if the body was read as one.
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
