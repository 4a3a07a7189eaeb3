//! Timestamps that differ from the config: in another unit, in another field, or ahead of the clock.

use anyhow::Result;
use harness::event::{Events, now, put_long, put_string};
use harness::eventually::eventually;
use harness::http::Method;
use harness::indexer_process::IndexerProcess;
use harness::kafka::Raw;
use harness::pipeline::{Pipeline, Service, metric, register};
use harness::stack::Stack;
use indexer::config::TimeUnit;
use registry::wire::{SchemaId, frame};
use serde_json::json;

const SECONDS: &str = r#"{"type":"record","name":"InSeconds","fields":[
    {"name":"event_id","type":"string"},{"name":"timestamp","type":"long"}]}"#;
const OTHER_NAME: &str = r#"{"type":"record","name":"OtherName","fields":[
    {"name":"event_id","type":"string"},{"name":"occurred_at","type":"long"}]}"#;

/// Returns a record of the schema `id` with the id `key` and a number.
fn raw(id: u32, key: &str, number: i64) -> Raw {
    let mut value = frame(SchemaId(id)).to_vec();
    put_string(&mut value, key);
    put_long(&mut value, number);
    Raw { partition: 0, key: Some(key.as_bytes().to_vec()), value: Some(value), timestamp: None }
}

async fn placements(indexer: &Service, topic: &str, age: &str) -> Result<f64> {
    let sample = format!(r#"penstock_indexer_placements_total{{age="{age}",topic="{topic}"}}"#);
    metric(&indexer.admin_url(), &sample).await
}

async fn times(indexer: &Service, topic: &str, source: &str) -> Result<f64> {
    let sample = format!(r#"penstock_indexer_placement_times_total{{source="{source}",topic="{topic}"}}"#);
    metric(&indexer.admin_url(), &sample).await
}

/// Writes five events, rolls over, five, rolls over, five. Returns the number of documents in each backing index.
async fn roll_twice(pipeline: &mut Pipeline, time_unit: TimeUnit) -> Result<(Service, Vec<u64>)> {
    pipeline.config.elasticsearch.placement.margin = std::time::Duration::from_secs(1);
    pipeline.config.elasticsearch.placement.time_unit = time_unit;
    let topic = pipeline.config.kafka.topic.clone();
    let id = register(&pipeline.config.schema_registry.url, &topic, SECONDS).await?;
    let indexer = pipeline.indexer().await?;
    let mut begins = 0;
    for round in 0..3 {
        eventually("a margin has passed", || async {
            anyhow::ensure!(now() > begins, "{begins}");
            Ok(())
        })
        .await?;
        let seconds = now() / 1_000;
        let records: Vec<Raw> = (0..5).map(|number| raw(id, &format!("{round}-{number}"), seconds)).collect();
        pipeline.kafka.produce(&topic, &records).await?;
        pipeline.all_committed().await?;
        if round < 2 {
            pipeline.search.call(Method::POST, &format!("{topic}/_rollover"), &json!({})).await?;
            // A margin passes, and the fraction of a second that is dropped.
            begins = now() + 2_100;
        }
    }
    let mut counts = Vec::new();
    for number in 1..=3 {
        counts.push(pipeline.search.count(&format!("{topic}-{number:06}")).await?);
    }
    Ok((indexer, counts))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seconds_instead_of_milliseconds_are_reported_and_counted() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "in-seconds").await?;
    let topic = pipeline.config.kafka.topic.clone();
    let (indexer, counts) = roll_twice(&mut pipeline, TimeUnit::Millis).await?;
    assert_eq!(counts, [15, 0, 0]);
    assert_eq!(times(&indexer, &topic, "implausible").await?, 15.0);
    let ages = [placements(&indexer, &topic, "current").await?, placements(&indexer, &topic, "previous").await?];
    assert_eq!((ages, placements(&indexer, &topic, "older").await?), ([5.0, 5.0], 5.0));
    indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_its_unit_a_timestamp_in_seconds_is_placed_correctly() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "unit-seconds").await?;
    let topic = pipeline.config.kafka.topic.clone();
    let (indexer, counts) = roll_twice(&mut pipeline, TimeUnit::Seconds).await?;
    assert_eq!(counts, [5, 5, 5]);
    assert_eq!(times(&indexer, &topic, "event").await?, 15.0);
    assert_eq!(placements(&indexer, &topic, "current").await?, 15.0);
    indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_without_the_time_field_are_reported_once_and_counted() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "no-time-field").await?;
    let topic = &pipeline.config.kafka.topic;
    let id = register(&pipeline.config.schema_registry.url, topic, OTHER_NAME).await?;
    harness::process::build().await?;
    let indexer = IndexerProcess::start(&pipeline, 0)?;
    indexer.ready().await?;
    let records: Vec<Raw> = (0..5).map(|number| raw(id, &number.to_string(), now())).collect();
    pipeline.kafka.produce(topic, &records).await?;
    pipeline.all_committed().await?;
    let missing = format!(r#"penstock_indexer_placement_times_total{{source="missing",topic="{topic}"}}"#);
    assert_eq!(metric(indexer.admin_url(), &missing).await?, 5.0);
    assert_eq!(indexer.logged("Events of this schema have no timestamp of their own")?, 1);
    indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_far_ahead_is_a_dead_letter_and_a_near_one_waits_alone() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "ahead").await?;
    pipeline.config.elasticsearch.placement.margin = std::time::Duration::from_millis(500);
    let topic = pipeline.config.kafka.topic.clone();
    let indexer = pipeline.indexer().await?;
    let events = Events::unique();
    let record = |number: u64, partition: i32, ahead: i64| {
        let mut event = events.event(number);
        event.timestamp = now() + ahead;
        let value = [frame(SchemaId(pipeline.schema_id)).as_slice(), &event.encode()].concat();
        Raw { partition, key: Some(event.event_id.into_bytes()), value: Some(value), timestamp: Some(now() + ahead) }
    };
    // The first is half an hour ahead; the second is ten seconds ahead and holds up only partition 1.
    pipeline.kafka.produce(&topic, &[record(0, 0, 1_800_000), record(1, 1, 10_000)]).await?;
    let begin = now();
    let index = pipeline.config.elasticsearch.index_name.clone();
    for number in 2..30 {
        pipeline.kafka.produce(&topic, &[record(number, 2, 0)]).await?;
        eventually("a live event is indexed", || async {
            let there = pipeline.search.count(&index).await?;
            anyhow::ensure!(there + 1 >= number, "{there}");
            Ok(())
        })
        .await?;
        if now() - begin > 8_000 {
            break;
        }
    }
    assert!(now() - begin < 10_000, "live events of another partition waited for the one ahead");
    pipeline.all_committed().await?;
    assert!(now() - begin > 9_000, "the one ahead has to wait");
    let letters = pipeline.kafka.read_all(&pipeline.config.kafka.dead_letter_topic).await?;
    let types: Vec<_> = letters.iter().map(|letter| letter.header("dl.error-type")).collect();
    assert_eq!(types, [Some("in-the-future")]);
    let parked = format!(r#"penstock_indexer_parked_records_total{{reason="ahead",topic="{topic}"}}"#);
    assert!(metric(&indexer.admin_url(), &parked).await? >= 1.0);
    indexer.stop().await
}
