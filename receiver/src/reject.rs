//! Every way in which a request is not accepted, and what is answered: one enum, and a row for each in one [`table`].
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
use table::{Again, Row};

mod detail;
pub(crate) mod location;
mod response;
pub(crate) mod table;

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
    /// Returns its row of the table.
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
            Self::Decompress(DecompressError::TooLarge(_)) | Self::Container(BatchError::TooLarge(_)) => {
                &table::TOO_LARGE_UNPACKED
            }
            Self::Decompress(DecompressError::BudgetExceeded(_))
            | Self::Container(BatchError::BudgetExceeded)
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

    /// Returns the short fixed word that metrics, logs and the problem's type have for it.
    pub(crate) fn code(&self) -> &'static str {
        self.row().code
    }

    /// Returns how soon the same request may be tried again with some hope.
    fn retry_after(&self) -> Option<Duration> {
        match (self.row().again, self) {
            (Again::Soon, _) => Some(SOON),
            (Again::Later, _) => Some(LATER),
            (Again::Said, Self::RateLimited(wait)) => Some(*wait),
            (Again::Said | Again::Never, _) => None,
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
