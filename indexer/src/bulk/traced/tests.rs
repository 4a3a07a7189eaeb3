use service::metrics::Registry;
use traces::{Sampling, spans};

use super::*;
use crate::bulk::tests::batch_of;
use crate::message::record::headers::in_one_piece;

/// Creates a batch of records with these trace contexts.
fn batch(traceparents: &[Option<&str>]) -> Batch {
    let mut batch = batch_of(&vec!["name"; traceparents.len()]);
    let mut raw = Vec::new();
    for (item, traceparent) in batch.items.iter_mut().zip(traceparents) {
        let start = raw.len();
        if let Some(text) = traceparent {
            raw.extend(in_one_piece(&[(HEADER_TRACEPARENT, Some(text.as_bytes()))]));
        }
        item.origin.headers = start..raw.len();
    }
    batch.raw = raw.into();
    batch
}

#[tokio::test]
async fn a_request_is_traced_if_one_of_its_events_is_sampled() {
    let config =
        ::config::Tracing { otlp_endpoint: Some("http://127.0.0.1:1".to_owned()), ..::config::Tracing::default() };
    let spans = spans(&Registry::new(), "spans_total").unwrap();
    let traces = Traces::start(&config, "test", Sampling::Links, &spans).unwrap().unwrap();
    let traces = BulkTraces::new(traces, "events", "group");
    let sampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let unsampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
    let batch = batch(&[None, Some(unsampled), Some("odd"), Some(sampled)]);
    assert!(traces.begin(&batch, &[0, 1, 2]).is_none());
    assert!(traces.begin(&batch, &[0, 3]).is_some());
    assert!(traces.begin(&batch, &[]).is_none());
}
