//! The spans of one request, where traces are on: of the request itself, and of its events on their way to Kafka.
//!
//! They begin once the sender has proved who it is, with the time at which the request came in: nobody else can have a
//! span made. The attributes are those of OpenTelemetry's semantic conventions for HTTP and messaging.

use std::sync::Arc;
use std::time::SystemTime;

use traces::{Caller, KeyValue, Span, SpanKind, Traces};

/// A request whose sender is known.
pub(crate) struct KnownRequest<'a> {
    /// The path of its source.
    pub(crate) path: &'a str,
    /// The name of its source.
    pub(crate) source: &'a str,
    /// Its id.
    pub(crate) request_id: &'a str,
    /// When it came in.
    pub(crate) received: SystemTime,
    /// Who has sent it, with its trace context.
    pub(crate) caller: Caller,
}

/// The trace of a request. Its span ends when it is dropped.
#[derive(Debug)]
pub(crate) struct RequestTrace {
    traces: Arc<Traces>,
    span: Span,
    traceparent: String,
}

/// The events of a request on their way to Kafka. They count as not acknowledged when it is dropped.
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

    /// Returns the trace context in which the request is answered.
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

    /// Ends the span with the `status` that was answered, and the code of the problem where it was one.
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
    /// Returns the trace context of the records.
    pub(crate) fn traceparent(&self) -> &[u8] {
        self.traceparent.as_bytes()
    }

    /// Ends the span: Kafka has acknowledged all of the events.
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
