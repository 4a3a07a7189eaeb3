//! Decides whether a request is traced, and in whose trace.

use std::sync::Arc;
use std::time::SystemTime;

use axum::http::HeaderMap;
use traces::{Caller, Traceparent, Traces};

use super::request_id::{self, RequestId};
use crate::request_trace::{KnownRequest, RequestTrace};
use crate::source::Source;

/// Begins the trace of a request to `source` whose sender is authenticated; `None` if traces are off. An authenticated
/// sender's own trace is continued. A request to a source that is open to everyone begins a new trace.
pub(super) fn begin(
    traces: Option<&Arc<Traces>>,
    source: &Source,
    head: &HeaderMap,
    received: SystemTime,
    id: &RequestId,
) -> Option<RequestTrace> {
    let traces = traces?;
    let parent = request_id::traceparent(head).and_then(Traceparent::parse);
    let is_open = source.authenticator.current().is_open();
    let request = KnownRequest {
        path: &source.path,
        source: &source.name,
        request_id: id.as_str(),
        received,
        caller: if is_open { Caller::Anyone(parent) } else { Caller::Known(parent) },
    };
    Some(RequestTrace::begin(traces, &request))
}
