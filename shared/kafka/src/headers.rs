//! Names of the record headers that the receiver and a redrive write.

/// Record header: the name of the receiver's source that accepted the event.
pub const HEADER_SOURCE: &str = "source";
/// Record header: the id of the HTTP request that carried the event.
pub const HEADER_REQUEST_ID: &str = "request-id";
/// Record header: the scope in which the record's key is unique, if smaller than the topic: the name of the source. The
/// document's `_id` is then qualified by it.
pub const HEADER_ID_SCOPE: &str = "id-scope";
/// Record header: the W3C trace context of that request, if it had one.
pub const HEADER_TRACEPARENT: &str = "traceparent";
/// Record header: the original record of a redriven dead letter, as `TOPIC:PARTITION:OFFSET:TIMESTAMP`, with `-` if
/// that record had no timestamp. The document gets the id and the time of the original record.
pub const HEADER_REDRIVE_ORIGIN: &str = "redrive.origin";
/// Record header: how often the record was redriven, as a decimal number.
pub const HEADER_REDRIVE_COUNT: &str = "redrive.count";
