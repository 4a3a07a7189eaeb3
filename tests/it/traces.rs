//! One trace from the webhook to the bulk request of its event, and no traces without the config.

use anyhow::{Result, ensure};
use harness::event::Events;
use harness::eventually::eventually;
use harness::kafka::Record;
use harness::pipeline::{PATH, Pipeline, metric};
use harness::sender::Flaw;
use harness::stack::Stack;
use service::secret::Secret;

use collector::{Collector, attribute};

mod collector;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const KEY: &str = "the-key-of-the-collector";

/// Creates a pipeline whose services export to `collector`.
async fn traced(scenario: &str, collector: &Collector) -> Result<Pipeline> {
    let mut pipeline = Pipeline::new(&Stack::running()?, scenario).await?;
    let tracing = &mut pipeline.config.tracing;
    tracing.otlp_endpoint = Some(collector.url.clone());
    tracing.headers.insert("api-key".to_owned(), Secret::new(KEY));
    Ok(pipeline)
}

/// Returns the only record of `topic`.
async fn only(pipeline: &Pipeline, topic: &str) -> Result<Record> {
    let mut records = pipeline.kafka.read_all(topic).await?;
    ensure!(records.len() == 1, "{records:#?}");
    Ok(records.remove(0))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_trace_leads_from_the_webhook_to_the_bulk_request() -> Result<()> {
    let collector = Collector::start(KEY).await?;
    let pipeline = traced("traces", &collector).await?;
    let (receiver, indexer) = (pipeline.receiver().await?, pipeline.indexer().await?);
    let headers = [("content-type", "application/avro"), ("x-request-id", "r-1"), ("traceparent", TRACEPARENT)];
    let answer = pipeline.post(&receiver, &headers, &Events::unique().event(0).encode()).await?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    pipeline.all_committed().await?;
    let topic = pipeline.config.kafka.topic.clone();
    let record = only(&pipeline, &topic).await?;
    let admin = indexer.admin_url();
    eventually("the span of the bulk request is exported", || async {
        let exported = metric(&admin, "penstock_indexer_spans_total{outcome=\"exported\"}").await?;
        ensure!(exported >= 1.0, "{exported}");
        Ok(())
    })
    .await?;
    // The remaining spans are exported when the services stop.
    receiver.stop().await?;
    indexer.stop().await?;

    let (request, publish) = (collector.named(&format!("POST {PATH}")), collector.named(&format!("publish {topic}")));
    let process = collector.named(&format!("process {topic}"));
    let ([request], [publish], [process]) = (&request[..], &publish[..], &process[..]) else {
        anyhow::bail!("{:#?}", collector.spans())
    };
    assert_eq!(hex::encode(&request.trace_id), TRACE);
    assert_eq!(hex::encode(&request.parent_span_id), &TRACEPARENT[36..52]);
    assert_eq!(
        (attribute(request, "http.response.status_code")?, attribute(request, "url.path")?),
        ("200".to_owned(), PATH.to_owned())
    );
    assert_eq!(attribute(request, "penstock.request_id")?, "r-1");

    assert_eq!((&publish.trace_id, &publish.parent_span_id), (&request.trace_id, &request.span_id));
    let expected = format!("00-{TRACE}-{}-01", hex::encode(&publish.span_id));
    assert_eq!(record.header("traceparent"), Some(expected.as_str()));

    let [link] = &process.links[..] else { anyhow::bail!("{process:#?}") };
    assert_eq!((&link.trace_id, &link.span_id), (&publish.trace_id, &publish.span_id));
    assert_ne!(process.trace_id, publish.trace_id);
    for (key, value) in [
        ("messaging.destination.name", topic.as_str()),
        ("messaging.batch.message_count", "1"),
        ("penstock.documents.indexed", "1"),
        ("penstock.documents.refused", "0"),
    ] {
        assert_eq!(attribute(process, key)?, value, "{key}");
    }
    assert!(attribute(process, "db.collection.name")?.starts_with(&pipeline.config.elasticsearch.index_name));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_letter_keeps_its_trace() -> Result<()> {
    let collector = Collector::start(KEY).await?;
    let pipeline = traced("traces-letters", &collector).await?;
    let (receiver, indexer) = (pipeline.receiver().await?, pipeline.indexer().await?);
    let headers = [("content-type", "application/avro"), ("traceparent", TRACEPARENT)];
    let event = Flaw::Unmappable.spoil(Events::unique().event(0));
    assert_eq!(pipeline.post(&receiver, &headers, &event).await?.status, 200);
    pipeline.all_committed().await?;
    let (topic, letters) = (&pipeline.config.kafka.topic, &pipeline.config.kafka.dead_letter_topic);
    let (record, letter) = (only(&pipeline, topic).await?, only(&pipeline, letters).await?);
    let traceparent = record.header("traceparent");
    assert!(traceparent.is_some_and(|it| it.contains(TRACE)) && letter.header("traceparent") == traceparent);
    indexer.stop().await?;
    receiver.stop().await?;
    let refused: Vec<_> = collector
        .named(&format!("process {topic}"))
        .iter()
        .map(|span| attribute(span, "penstock.documents.refused"))
        .collect::<Result<_>>()?;
    assert!(refused.iter().any(|count| count == "1"), "{refused:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_endpoint_nothing_is_exported_and_the_header_is_kept() -> Result<()> {
    let collector = Collector::start(KEY).await?;
    let mut pipeline = traced("traces-off", &collector).await?;
    pipeline.config.tracing.otlp_endpoint = None;
    let (receiver, indexer) = (pipeline.receiver().await?, pipeline.indexer().await?);
    let headers = [("content-type", "application/avro"), ("traceparent", TRACEPARENT)];
    let answer = pipeline.post(&receiver, &headers, &Events::unique().event(0).encode()).await?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    pipeline.all_committed().await?;
    assert_eq!(only(&pipeline, &pipeline.config.kafka.topic).await?.header("traceparent"), Some(TRACEPARENT));
    indexer.stop().await?;
    receiver.stop().await?;
    assert!(collector.spans().is_empty(), "{:#?}", collector.spans());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unavailable_collector_costs_spans_but_no_event() -> Result<()> {
    let collector = Collector::start(KEY).await?;
    let mut pipeline = traced("traces-away", &collector).await?;
    pipeline.config.tracing.otlp_endpoint = Some("http://127.0.0.1:1".to_owned());
    let receiver = pipeline.receiver().await?;
    let headers = [("content-type", "application/avro")];
    for number in 0..3 {
        let answer = pipeline.post(&receiver, &headers, &Events::unique().event(number).encode()).await?;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let admin = receiver.admin_url();
    eventually("the spans are counted as lost", || async {
        let failed = metric(&admin, "penstock_receiver_spans_total{outcome=\"failed\"}").await?;
        ensure!(failed == 6.0, "{failed}");
        Ok(())
    })
    .await?;
    receiver.stop().await
}
