//! Which spans are exported, and which trace they belong to.

use std::sync::{Mutex, PoisonError};

use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::SpanData;
use service::metrics::Registry;

use super::*;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Keeps the exported spans.
#[derive(Clone, Debug, Default)]
struct Kept(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Kept {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(batch);
        Ok(())
    }
}

fn traceparent(flags: &str) -> Option<Traceparent> {
    Some(Traceparent::parse(format!("00-{TRACE}-00f067aa0ba902b7-{flags}").as_bytes()).unwrap())
}

/// Returns the exported spans among those that `begin` begins and ends.
async fn exported(ratio: f64, sampling: Sampling, begin: impl FnOnce(&Traces)) -> Vec<SpanData> {
    let (kept, spans) = (Kept::default(), spans(&Registry::new(), "spans_total").unwrap());
    let config = Tracing { sample_ratio: ratio, ..Tracing::default() };
    let queue = Arc::new(queue::Queue::new(&spans));
    let traces = Traces::over(kept.clone(), queue, &config, "test", sampling);
    begin(&traces);
    traces.stop().await;
    std::mem::take(&mut kept.0.lock().unwrap())
}

/// Returns the span of a request from `caller`, if it is exported.
async fn request(ratio: f64, caller: Caller) -> Option<SpanData> {
    let begin = |traces: &Traces| drop(traces.server("POST /w".to_owned(), caller, SystemTime::UNIX_EPOCH, Vec::new()));
    exported(ratio, Sampling::Ratio, begin).await.pop()
}

#[tokio::test]
async fn a_known_caller_decides_whether_its_trace_is_exported() {
    let span = request(0.0, Caller::Known(traceparent("01"))).await.unwrap();
    assert_eq!(span.span_context.trace_id().to_string(), TRACE);
    assert_eq!(span.parent_span_id.to_string(), "00f067aa0ba902b7");
    assert!(span.parent_span_is_remote && span.start_time == SystemTime::UNIX_EPOCH);
    assert!(request(1.0, Caller::Known(traceparent("00"))).await.is_none());
}

#[tokio::test]
async fn the_ratio_decides_for_traces_that_begin_here() {
    assert!(request(0.0, Caller::Known(None)).await.is_none());
    let span = request(1.0, Caller::Known(None)).await.unwrap();
    assert_eq!(span.parent_span_id, opentelemetry::trace::SpanId::INVALID);
}

#[tokio::test]
async fn a_strangers_trace_is_linked_but_does_not_decide() {
    assert!(request(0.0, Caller::Anyone(traceparent("01"))).await.is_none());
    let span = request(1.0, Caller::Anyone(traceparent("00"))).await.unwrap();
    assert_ne!(span.span_context.trace_id().to_string(), TRACE);
    let links: Vec<_> = span.links.iter().map(|link| link.span_context.trace_id().to_string()).collect();
    assert_eq!(links, [TRACE]);
}

#[tokio::test]
async fn a_child_joins_its_parents_trace_and_header() {
    let mut headers = Vec::new();
    let begin = |traces: &Traces| {
        let parent = traces.server("parent".to_owned(), Caller::Known(None), SystemTime::now(), Vec::new());
        let child = traces.child(&parent, SpanKind::Producer, "child".to_owned(), Vec::new());
        headers.extend([parent.traceparent(), child.traceparent()]);
        drop((child, parent));
    };
    let spans = exported(1.0, Sampling::Ratio, begin).await;
    let [child, parent] = &spans[..] else { panic!("{spans:?}") };
    assert_eq!(child.parent_span_id, parent.span_context.span_id());
    assert_eq!(child.span_context.trace_id(), parent.span_context.trace_id());
    assert_eq!(headers, [parent, child].map(|span| context::header(&span.span_context)));
}

#[tokio::test]
async fn links_lead_only_to_sampled_traces_and_are_bounded() {
    for (sampled, unsampled, expected) in [(0, 5, 0), (3, 5, 3), (MAX_LINKS + 1, 5, MAX_LINKS)] {
        let others = std::iter::repeat_n(traceparent("00"), unsampled);
        let others = others.chain(std::iter::repeat_n(traceparent("01"), sampled)).flatten();
        let begin = |traces: &Traces| drop(traces.linked(SpanKind::Consumer, || "bulk".to_owned(), others, Vec::new));
        // The ratio does not matter here.
        let spans = exported(0.0, Sampling::Links, begin).await;
        assert_eq!(spans.iter().map(|span| span.links.len()).sum::<usize>(), expected);
        assert_eq!(spans.len(), usize::from(expected > 0));
    }
}

#[tokio::test]
async fn without_an_endpoint_there_are_no_traces() {
    let spans = spans(&Registry::new(), "spans_total").unwrap();
    assert!(Traces::start(&Tracing::default(), "test", Sampling::Ratio, &spans).unwrap().is_none());
}
