//! The spans of one request, if traces are on: one for the request, one for its events on their way to Kafka.
//!
//! The spans begin once the sender is authenticated, with the time at which the request came in, so strangers cannot
//! create spans. The attributes follow OpenTelemetry's semantic conventions for HTTP and messaging.

use std::sync::Arc;
use std::time::SystemTime;

use traces::{Caller, KeyValue, Span, SpanKind, Traces};

/// A request of an authenticated sender.
pub(crate) struct KnownRequest<'a> {
    /// The path of the source.
    pub(crate) path: &'a str,
    /// The name of the source.
    pub(crate) source: &'a str,
    /// The request id.
    pub(crate) request_id: &'a str,
    /// When it came in.
    pub(crate) received: SystemTime,
    /// The sender's trace context.
    pub(crate) caller: Caller,
}

/// The trace of a request. Dropping it ends its span.
#[derive(Debug)]
pub(crate) struct RequestTrace {
    traces: Arc<Traces>,
    span: Span,
    traceparent: String,
}

/// The events of a request on their way to Kafka. If dropped before [`Publish::acknowledged`], they count as not
/// acknowledged.
#[derive(Debug)]
pub(crate) struct Publish {
    span: Span,
    traceparent: String,
    is_acknowledged: bool,
}

impl RequestTrace {
    /// Begins the span of `request`.
    pub(crate) fn begin(traces: &Arc<Traces>, request: &KnownRequest<'_>) -> Self {
        let attributes = vec![
            KeyValue::new("http.request.method", "POST"),
            KeyValue::new("http.route", request.path.to_owned()),
            KeyValue::new("url.path", request.path.to_owned()),
            KeyValue::new("penstock.source", request.source.to_owned()),
            KeyValue::new("penstock.request_id", request.request_id.to_owned()),
        ];
        let span = traces.server(format!("POST {}", request.path), request.caller, request.received, attributes);
        Self { traces: Arc::clone(traces), traceparent: span.traceparent(), span }
    }

    /// Returns the trace context for the answer to the request.
    pub(crate) fn traceparent(&self) -> &[u8] {
        self.traceparent.as_bytes()
    }

    /// Begins the span of `count` events on their way to `topic`.
    pub(crate) fn publish(&self, topic: &str, count: usize) -> Publish {
        let attributes = vec![
            KeyValue::new("messaging.system", "kafka"),
            KeyValue::new("messaging.operation.name", "publish"),
            KeyValue::new("messaging.operation.type", "send"),
            KeyValue::new("messaging.destination.name", topic.to_owned()),
            KeyValue::new("messaging.batch.message_count", i64::try_from(count).unwrap_or(i64::MAX)),
        ];
        let span = self.traces.child(&self.span, SpanKind::Producer, format!("publish {topic}"), attributes);
        Publish { traceparent: span.traceparent(), span, is_acknowledged: false }
    }

    /// Ends the span with the answered `status`, and with the code of the problem if there was one.
    pub(crate) fn answered(mut self, status: u16, problem: Option<&'static str>) {
        self.span.set("http.response.status_code", i64::from(status));
        match problem {
            Some(code) if status >= 500 => self.span.failed(code),
            Some(code) => self.span.set("error.type", code),
            None => {}
        }
    }
}

impl Publish {
    /// Returns the trace context for the records.
    pub(crate) fn traceparent(&self) -> &[u8] {
        self.traceparent.as_bytes()
    }

    /// Ends the span after Kafka has acknowledged all events.
    pub(crate) fn acknowledged(mut self) {
        self.is_acknowledged = true;
    }
}

impl Drop for Publish {
    fn drop(&mut self) {
        if !self.is_acknowledged {
            self.span.failed("unacknowledged");
        }
    }
}
