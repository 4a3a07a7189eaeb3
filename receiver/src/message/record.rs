//! The parts of a record other than its event.

use std::array;
use std::iter::Take;
use std::time::{SystemTime, UNIX_EPOCH};

use kafka::headers::{HEADER_ID_SCOPE, HEADER_REQUEST_ID, HEADER_SOURCE, HEADER_TRACEPARENT};
use rdkafka::message::{Header, OwnedHeaders};

use crate::request_trace::{Publish, RequestTrace};

/// The parts of a record other than its event.
#[derive(Clone, Copy)]
pub(crate) struct RecordHead<'a> {
    /// When the request came in.
    pub(crate) timestamp: SystemTime,
    /// The source's name.
    pub(crate) source: &'a str,
    /// The qualifier of event ids, if they are not unique in the topic.
    pub(crate) id_scope: Option<&'a str>,
    /// The request's id.
    pub(crate) request_id: &'a [u8],
    /// The request's trace context.
    pub(crate) traceparent: Option<&'a [u8]>,
    /// The request's trace; `None` if traces are off.
    pub(crate) trace: Option<&'a RequestTrace>,
}

impl<'a> RecordHead<'a> {
    /// Returns a copy with the trace context of `publish`, if there is one.
    pub(crate) fn within(self, publish: Option<&'a Publish>) -> Self {
        Self { traceparent: publish.map(Publish::traceparent).or(self.traceparent), ..self }
    }

    /// Returns the record's headers.
    pub(crate) fn headers(&self) -> OwnedHeaders {
        let fields = self.fields();
        let insert = |headers: OwnedHeaders, (key, value)| headers.insert(Header { key, value: Some(value) });
        let none = OwnedHeaders::new_with_capacity(fields.len());
        fields.fold(none, insert)
    }

    /// Returns the names and values of the record's headers.
    pub(crate) fn fields(&self) -> Take<array::IntoIter<(&'static str, &[u8]), 4>> {
        let scope = self.id_scope.map(|scope| (HEADER_ID_SCOPE, scope.as_bytes()));
        let traceparent = self.traceparent.map(|traceparent| (HEADER_TRACEPARENT, traceparent));
        let (third, fourth) = (scope.or(traceparent), scope.and(traceparent));
        let count = 2 + usize::from(third.is_some()) + usize::from(fourth.is_some());
        let (source, request_id) = ((HEADER_SOURCE, self.source.as_bytes()), (HEADER_REQUEST_ID, self.request_id));
        [source, request_id, third.unwrap_or_default(), fourth.unwrap_or_default()].into_iter().take(count)
    }
}

/// Returns `time` as a Kafka timestamp: milliseconds since the Unix epoch.
pub(crate) fn milliseconds(time: SystemTime) -> Option<i64> {
    i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
}
