//! The table of rejections. Each row holds all that is fixed for one rejection. The answer, the metric's outcome, the
//! log, the quarantine and the description of the webhooks (`OpenAPI`) are derived from it.

use axum::http::header::{ACCEPT_ENCODING, ALLOW, CONNECTION};
use axum::http::{HeaderName, StatusCode};

/// The fixed properties of one rejection.
pub(crate) struct Row {
    /// The status of the answer.
    pub(crate) status: StatusCode,
    /// A fixed word: the problem's type, the metric's `outcome`, the log's `code`.
    pub(crate) code: &'static str,
    /// The problem's title.
    pub(crate) title: &'static str,
    /// How soon a retry of the same request may succeed.
    pub(crate) again: Again,
    /// The subject of the rejection.
    pub(crate) about: About,
    /// An additional header of the answer.
    pub(super) header: Option<(HeaderName, &'static str)>,
    /// The description of the error, for people; `None` if it depends on the request (see [`super::detail`]).
    pub(super) detail: Option<&'static str>,
}

/// How soon a sender should retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// Never, unless something is changed.
    Never,
    /// Soon: a queue is full for the moment.
    Soon,
    /// Later: something else must recover first.
    Later,
    /// After a time that depends on the request.
    Said,
}

/// The subject of a rejection. It decides who learns of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// The traffic. It shows in the metrics. A flood of requests must not become a flood of logs, so it is only logged
    /// at level `debug`.
    Traffic,
    /// The set-up of an authenticated sender. It is logged for the operator, because a person must fix it.
    Sender,
    /// A body that was read and is invalid in itself. It is logged, and kept in the quarantine.
    Event,
}

/// Creates a `static` for each row, and [`ROWS`] with all of them.
macro_rules! rows {
    ($($name:ident: $status:ident, $code:literal, $title:literal, $again:ident, $about:ident, $header:expr,
       $detail:expr;)*) => {
        $(pub(super) static $name: Row = Row {
            status: StatusCode::$status,
            code: $code,
            title: $title,
            again: Again::$again,
            about: About::$about,
            header: $header,
            detail: $detail,
        };)*

        /// All rows.
        pub(crate) static ROWS: &[&Row] = &[$(&$name),*];
    };
}

// The rows are in the order in which a request meets them.
rows! {
    NOT_FOUND: NOT_FOUND, "not-found", "No webhook at this path", Never, Traffic,
        None, Some("no webhook is configured at this path");
    METHOD_NOT_ALLOWED: METHOD_NOT_ALLOWED, "method-not-allowed", "Only POST is allowed", Never, Traffic,
        Some((ALLOW, "POST")), Some("send the event with POST");
    UNAUTHORIZED: UNAUTHORIZED, "unauthorized", "Not authenticated", Never, Traffic,
        None, Some("the credentials are missing or not valid");
    IN_FLIGHT: SERVICE_UNAVAILABLE, "in-flight", "The same request is in flight", Soon, Traffic,
        None, Some("a request with the same signature is not answered yet: try again");
    RATE_LIMITED: TOO_MANY_REQUESTS, "rate-limited", "Too many requests in a second", Said, Traffic,
        None, Some("the source's request rate is exceeded: try again later");
    OVERLOADED: SERVICE_UNAVAILABLE, "overloaded", "Too many requests in flight", Soon, Traffic,
        None, Some("too many requests are in flight: try again");
    TOO_LARGE: PAYLOAD_TOO_LARGE, "too-large", "Body too large", Never, Traffic,
        None, None;
    // RFC 9110, section 15.5.9: a server that has stopped waiting should say that it closes the connection, and the
    // client may repeat the request on a new one.
    BODY_TIMEOUT: REQUEST_TIMEOUT, "body-timeout", "Body did not arrive in time", Soon, Traffic,
        Some((CONNECTION, "close")), Some("the body did not arrive before the request's deadline");
    // A sender whose connection breaks gets no answer. One that gets this one would send the same malformed body again.
    BODY_BROKEN: BAD_REQUEST, "body-broken", "Body broke off", Never, Traffic,
        None, Some("the body ended before its length or is not well-formed");
    // RFC 9110, section 15.5.16.
    CONTENT_ENCODING: UNSUPPORTED_MEDIA_TYPE, "unsupported-content-encoding", "Unsupported content encoding",
        Never, Sender,
        Some((ACCEPT_ENCODING, "gzip, zstd, deflate")),
        Some("the Content-Encoding must be gzip, zstd or deflate, or absent");
    NOT_COMPRESSED: BAD_REQUEST, "invalid-content-encoding", "Not compressed as said", Never, Event,
        None, None;
    TOO_LARGE_UNPACKED: PAYLOAD_TOO_LARGE, "too-large", "Body too large", Never, Event,
        None, None;
    MEDIA_TYPE: UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "Unsupported media type", Never, Event,
        None, None;
    UNSIGNED: BAD_REQUEST, "unsigned-header", "A header is not covered by the signature", Never, Event,
        None, None;
    EMPTY: BAD_REQUEST, "empty-body", "Empty body", Never, Event,
        None, None;
    FRAME: BAD_REQUEST, "invalid-frame", "Invalid frame", Never, Event,
        None, None;
    UNKNOWN_SCHEMA: BAD_REQUEST, "unknown-schema", "Unknown schema", Never, Event,
        None, None;
    UNUSABLE_SCHEMA: BAD_REQUEST, "unusable-schema", "Unusable schema", Never, Event,
        None, None;
    SCHEMA_PENDING: SERVICE_UNAVAILABLE, "schema-pending", "Schema not known yet", Soon, Traffic,
        None, None;
    SCHEMA_UNAVAILABLE: SERVICE_UNAVAILABLE, "schema-unavailable", "Schema unavailable", Later, Traffic,
        None, Some("the event's schema is unavailable: try again later");
    INVALID_EVENT: BAD_REQUEST, "invalid-event", "Not a datum of the schema", Never, Event,
        None, None;
    AMBIGUOUS_FRAME: BAD_REQUEST, "ambiguous-frame", "Ambiguous body", Never, Event,
        None, None;
    AMBIGUOUS_VERSION: BAD_REQUEST, "ambiguous-version", "Ambiguous body", Never, Event,
        None, None;
    CONTAINER: BAD_REQUEST, "invalid-container", "Not an object container file", Never, Event,
        None, None;
    TOO_MANY_EVENTS: PAYLOAD_TOO_LARGE, "too-many-events", "Too many events", Never, Event,
        None, None;
    RECORD_TOO_LARGE: PAYLOAD_TOO_LARGE, "record-too-large", "Event too large", Never, Event,
        None, Some("the event is larger than can be stored");
    RECORD_REFUSED: UNPROCESSABLE_ENTITY, "record-refused", "Event cannot be stored", Never, Event,
        None, Some("the event cannot be stored: it lacks a required id, or breaks a validation rule");
    QUEUE_FULL: SERVICE_UNAVAILABLE, "queue-full", "Queue full", Soon, Traffic,
        None, Some("too many events are waiting to be stored: try again");
    KAFKA_REFUSES: SERVICE_UNAVAILABLE, "kafka-refuses", "Event not stored", Later, Traffic,
        None, Some("events cannot be stored until the operator fixes this: try again later");
    KAFKA_UNAVAILABLE: SERVICE_UNAVAILABLE, "kafka-unavailable", "Event not stored", Later, Traffic,
        None, Some("the event was not stored, or it is not known whether it was: try again");
    INTERNAL: INTERNAL_SERVER_ERROR, "internal", "Internal error", Never, Traffic,
        None, Some("an internal error");
}

/// Returns the codes of all answers that requests to a source may get. [`NOT_FOUND`] is missing, because such a request
/// has no source.
pub(crate) fn codes() -> impl Iterator<Item = &'static str> {
    ROWS.iter().map(|row| row.code).filter(|code| *code != NOT_FOUND.code)
}
