//! With traces on, a record names the span of its own way to Kafka.

use traces::Traceparent;

use super::*;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

/// Starts a receiver whose collector of spans is unreachable.
async fn start_traced(ratio: f64) -> Receiver {
    let kafka = kafka();
    let mut config = config(&kafka, &registry(Some(())).await);
    config.tracing.otlp_endpoint = Some("http://127.0.0.1:1".to_owned());
    config.tracing.sample_ratio = ratio;
    for source in config.receiver.sources.values_mut() {
        source.limits = Limits::default();
    }
    let receiver = start_with(&config, kafka);
    eventually(|| receiver.readiness.is_ready()).await;
    receiver
}

/// Posts an event to `path` with a trace context that has these `flags`. Returns the trace context of its record.
async fn posted(receiver: &Receiver, path: &str, flags: &str) -> String {
    let traceparent = format!("00-{TRACE}-{SPAN}-{flags}");
    let headers = [("authorization", "Bearer token-of-the-test"), ("traceparent", traceparent.as_str())];
    assert_eq!(receiver.send(post(path, &headers, DATUM)).await.status, 200);
    let record = receiver.records().pop().unwrap();
    header(&record, "traceparent").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trace_of_an_authenticated_sender_is_continued_as_sampled() {
    for (ratio, flags) in [(0.0, "01"), (1.0, "00")] {
        let receiver = start_traced(ratio).await;
        let record = posted(&receiver, "/closed", flags).await;
        assert!(record.starts_with(&format!("00-{TRACE}-")) && record.ends_with(flags), "{record}");
        assert!(!record.contains(SPAN), "{record}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_can_neither_join_a_trace_nor_force_sampling() {
    for (ratio, is_sampled) in [(0.0, false), (1.0, true)] {
        let receiver = start_traced(ratio).await;
        let record = posted(&receiver, "/open", "01").await;
        assert!(!record.contains(TRACE), "{record}");
        assert_eq!(Traceparent::parse(record.as_bytes()).unwrap().is_sampled(), is_sampled);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_a_file_share_one_trace_context() {
    let receiver = start_traced(1.0).await;
    let container = [("content-type", "application/vnd.apache.avro+container")];
    let answer = receiver.send(post("/open", &container, files::file(2))).await;
    assert_eq!((answer.status, answer.body), (200, json!({"accepted": 2})));
    let contexts: Vec<_> = receiver.records().iter().map(|record| header(record, "traceparent")).collect();
    assert!(contexts.len() == 2 && contexts[0].is_some() && contexts[0] == contexts[1], "{contexts:?}");
}
