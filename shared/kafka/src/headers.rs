//! Names of the headers of a record that the receiver writes, and a redrive.

/// Record header: the name of the receiver's source that took the event.
pub const HEADER_SOURCE: &str = "source";
/// Record header: the id of the HTTP request that brought the event.
pub const HEADER_REQUEST_ID: &str = "request-id";
/// Record header: the scope in which the record's key is unique, where that is less than the topic: the name of the
/// source. The document's `_id` is then qualified by it.
pub const HEADER_ID_SCOPE: &str = "id-scope";
/// Record header: the W3C trace context of that request, where it had one.
pub const HEADER_TRACEPARENT: &str = "traceparent";
/// Record header: which record this one was first, where it was redriven from a dead letter:
/// `TOPIC:PARTITION:OFFSET:TIMESTAMP`, with `-` where that record had no timestamp. Its document has the id and the
/// time of that record.
pub const HEADER_REDRIVE_ORIGIN: &str = "redrive.origin";
/// Record header: how often the record was redriven, a decimal number.
pub const HEADER_REDRIVE_COUNT: &str = "redrive.count";
