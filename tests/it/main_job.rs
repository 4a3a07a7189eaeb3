//! The main job: acknowledged events are searchable exactly once, and refused ones are not there.

use std::sync::Arc;

use anyhow::{Context, Result};
use harness::event::Events;
use harness::pipeline::Pipeline;
use harness::sender::{Flaw, Mix, Progress};
use harness::stack::Stack;
use serde_json::Value;

const EVENTS: u64 = 100_000;
const CONNECTIONS: usize = 64;
const FLAWED_EVERY: u64 = 1_000;
/// The number of documents that are compared field by field.
const COMPARED: u64 = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_the_acknowledged_events_are_indexed_once_each() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "main-job").await?;
    let receivers = [pipeline.receiver().await?, pipeline.receiver().await?];
    let indexers = [pipeline.indexer().await?, pipeline.indexer().await?];

    let mix = Mix { events: Events::unique(), flawed_every: FLAWED_EVERY, flaws: &Flaw::REFUSED };
    let targets = receivers.iter().map(harness::pipeline::Service::target).collect();
    let load = pipeline.load(targets, CONNECTIONS, EVENTS, mix);
    let outcome = load.send(&Arc::new(Progress::default())).await?;
    eprintln!("{EVENTS} events at {:.0} a second; answers: {:?}", outcome.rate(), outcome.answers);

    assert_eq!(outcome.refused.len() as u64, EVENTS / FLAWED_EVERY);
    assert!(outcome.refused.keys().all(|number| mix.flaw(*number).is_some()), "a good event was refused");
    assert!(outcome.refused.values().all(|status| *status == 400), "{:?}", outcome.answers);
    assert_eq!(outcome.acknowledged.len() + outcome.refused.len(), usize::try_from(EVENTS)?);

    pipeline.delivered_exactly(&mix.indexable(&outcome.acknowledged)).await?;
    for number in 0..COMPARED {
        document_is_the_event(&pipeline, &mix.events, number).await?;
    }
    assert_eq!(pipeline.kafka.count(&pipeline.config.kafka.dead_letter_topic).await?, 0);

    for service in receivers.into_iter().chain(indexers) {
        service.stop().await?;
    }
    Ok(())
}

async fn document_is_the_event(pipeline: &Pipeline, events: &Events, number: u64) -> Result<()> {
    let event = events.event(number);
    let index = &pipeline.config.elasticsearch.index_name;
    let document = pipeline.search.document(index, &event.event_id).await?;
    let mut document = document.with_context(|| format!("no document of event {number}"))?;
    let mut take = |name: &str| document.as_object_mut().and_then(|fields| fields.remove(name)).unwrap_or(Value::Null);
    let (ingested, timestamp) = (take("_ingested_at"), take("timestamp"));
    let mut expected = event.document();
    expected.as_object_mut().and_then(|fields| fields.remove("timestamp"));
    assert_eq!(document, expected);
    assert_eq!(timestamp, rfc3339(event.timestamp)?, "event {number}");
    assert!(ingested.as_str().is_some_and(|text| text.len() == 24 && text.ends_with('Z')), "{ingested}");
    Ok(())
}

/// Returns milliseconds since the epoch in the notation of the documents, by the system's `date` instead of our own
/// code.
fn rfc3339(millis: i64) -> Result<Value> {
    let output = std::process::Command::new("date")
        .args(["-u", "-d", &format!("@{}", millis.div_euclid(1_000)), "+%Y-%m-%dT%H:%M:%S"])
        .output()?;
    let seconds = String::from_utf8_lossy(&output.stdout);
    Ok(Value::String(format!("{}.{:03}Z", seconds.trim(), millis.rem_euclid(1_000))))
}

harness::on_opensearch! { exactly_the_acknowledged_events_are_indexed_once_each }
