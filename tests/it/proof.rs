//! Proof of duplicates: an event with the id of another event becomes a dead letter, with every strategy. The same
//! event stays one document.

use anyhow::{Context, Result};
use harness::event::{Event, Events, now};
use harness::http::Method;
use harness::kafka::{Raw, Record};
use harness::pipeline::{Pipeline, metric};
use harness::stack::Stack;
use indexer::config::{Strategy, VerifyDuplicates};
use registry::wire::{SchemaId, frame};
use serde_json::{Value, json};

/// Returns a record of partition 0 with `event` under its id, and with this timestamp.
fn raw(pipeline: &Pipeline, event: &Event, timestamp: i64) -> Raw {
    let value = [frame(SchemaId(pipeline.schema_id)).as_slice(), &event.encode()].concat();
    let key = Some(event.event_id.clone().into_bytes());
    Raw { partition: 0, key, value: Some(value), timestamp: Some(timestamp) }
}

/// Returns another event with the id of `event`.
fn other(event: &Event) -> Event {
    Event { action_type: "another".to_owned(), ..event.clone() }
}

async fn dead_letters(pipeline: &Pipeline) -> Result<Vec<Record>> {
    pipeline.kafka.read_all(&pipeline.config.kafka.dead_letter_topic).await
}

/// Lets an indexer with a group of its own read the whole topic.
async fn index_all(pipeline: &mut Pipeline, group: &str) -> Result<()> {
    pipeline.config.indexer.group_id = format!("{}-{group}", pipeline.config.kafka.topic);
    let indexer = pipeline.indexer().await?;
    pipeline.all_committed().await?;
    indexer.stop().await
}

async fn conflict_is_a_dead_letter(strategy: Strategy, how: VerifyDuplicates, name: &str) -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, name).await?;
    pipeline.config.elasticsearch.strategy = strategy;
    pipeline.config.elasticsearch.verify_duplicates = how;
    let (index, topic) = (pipeline.config.elasticsearch.index_name.clone(), pipeline.config.kafka.topic.clone());
    let event = Events::unique().event(0);
    let time = now();
    // The sender repeats the event, and another event has the same id.
    let records =
        [raw(&pipeline, &event, time), raw(&pipeline, &event, time + 5), raw(&pipeline, &other(&event), time + 9)];
    let offsets = pipeline.kafka.produce(&topic, &records).await?;
    for (pass, group) in (1..).zip(["first", "replay"]) {
        index_all(&mut pipeline, group).await?;
        assert_eq!(pipeline.search.count(&index).await?, 1);
        let document = pipeline.search.document(&index, &event.event_id).await?.context("no document")?;
        assert_eq!(document["action_type"], json!(event.action_type), "the first event stays");

        let letters = dead_letters(&pipeline).await?;
        assert_eq!(letters.len(), pass, "{letters:#?}");
        let letter = &letters[pass - 1];
        assert_eq!(letter.header("dl.error-type"), Some("id-conflict"), "{letter:#?}");
        assert_eq!(letter.header("dl.offset"), Some(offsets[2].to_string().as_str()));
        assert_eq!(letter.value, records[2].value);
        let reason = letter.header("dl.reason").unwrap_or_default();
        let stored_at = document["_ingested_at"].as_str().context("no _ingested_at")?;
        for part in [format!("{topic}-0@{}", offsets[2]), event.event_id.clone(), stored_at.to_owned(), index.clone()] {
            assert!(reason.contains(&part), "{part}: {reason}");
        }
        let user_id = event.user_id.as_deref().context("event 0 has a user")?;
        assert!(!reason.contains(user_id) && !reason.contains("another"), "no field's value: {reason}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_conflict_becomes_a_dead_letter_in_a_single_index() -> Result<()> {
    conflict_is_a_dead_letter(Strategy::Single, VerifyDuplicates::Always, "conflict-single").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_conflict_becomes_a_dead_letter_with_rollover() -> Result<()> {
    conflict_is_a_dead_letter(Strategy::Rollover, VerifyDuplicates::ByTimestamp, "conflict-rollover").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_conflict_becomes_a_dead_letter_with_time() -> Result<()> {
    conflict_is_a_dead_letter(Strategy::Time, VerifyDuplicates::Always, "conflict-time").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_conflict_becomes_a_dead_letter_in_a_data_stream() -> Result<()> {
    conflict_is_a_dead_letter(Strategy::DataStream, VerifyDuplicates::Always, "conflict-stream").await
}

/// The document is in an older backing index, where the indexer must look up its id.
async fn conflict_is_found_behind_a_rollover(strategy: Strategy, name: &str) -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, name).await?;
    pipeline.config.elasticsearch.strategy = strategy;
    let (index, topic) = (pipeline.config.elasticsearch.index_name.clone(), pipeline.config.kafka.topic.clone());
    let event = Events::unique().event(0);
    let time = now();
    pipeline.kafka.produce(&topic, &[raw(&pipeline, &event, time)]).await?;
    index_all(&mut pipeline, "before").await?;
    pipeline.search.call(Method::POST, &format!("{index}/_rollover"), &json!({})).await?;
    if strategy == Strategy::Rollover {
        let block = json!({"index.blocks.write": true});
        pipeline.search.call(Method::PUT, &format!("{index}-000001/_settings"), &block).await?;
    }
    let later = [raw(&pipeline, &event, time + 5), raw(&pipeline, &other(&event), time + 9)];
    pipeline.kafka.produce(&topic, &later).await?;
    index_all(&mut pipeline, "after").await?;

    assert_eq!(pipeline.search.count(&index).await?, 1);
    let letters = dead_letters(&pipeline).await?;
    let types: Vec<Option<&str>> = letters.iter().map(|letter| letter.header("dl.error-type")).collect();
    assert_eq!(types, [Some("id-conflict")], "{letters:#?}");
    assert_eq!(letters[0].value, later[1].value);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_conflict_is_found_in_an_older_read_only_index() -> Result<()> {
    conflict_is_found_behind_a_rollover(Strategy::Rollover, "conflict-older").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_conflict_is_found_in_an_older_index_of_a_data_stream() -> Result<()> {
    conflict_is_found_behind_a_rollover(Strategy::DataStream, "conflict-stream-older").await
}

/// A sender's repeat must not become a conflict because the index changed the document, or somebody edited it. The
/// stack's Elasticsearch has no processors, so the test adds by hand what a pipeline would add, and the pipeline is
/// empty.
async fn repeat_is_a_duplicate(
    name: &str,
    index: Value,
    stored: impl Fn(&mut Value),
    changed_since: bool,
) -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, name).await?;
    pipeline.config.elasticsearch.strategy = Strategy::Single;
    let (name, topic) = (pipeline.config.elasticsearch.index_name.clone(), pipeline.config.kafka.topic.clone());
    let no_processors = json!({"processors": []});
    pipeline.search.call(Method::PUT, "_ingest/pipeline/penstock-tests-empty", &no_processors).await?;
    pipeline.search.call(Method::PUT, &name, &index).await?;
    let event = Events::unique().event(0);
    let time = now();
    let mut document = event.document();
    document["timestamp"] = json!(rfc3339(event.timestamp)?);
    document["_ingested_at"] = json!(rfc3339(time)?);
    stored(&mut document);
    let path = format!("{name}/_doc/{}", event.event_id);
    for _ in 0..=u8::from(changed_since) {
        pipeline.search.call(Method::PUT, &path, &document).await?;
    }
    let records = [raw(&pipeline, &event, time + 5), raw(&pipeline, &other(&event), time + 9)];
    pipeline.kafka.produce(&topic, &records).await?;
    let indexer = pipeline.indexer().await?;
    pipeline.all_committed().await?;
    assert_eq!(metric(&indexer.admin_url(), r#"penstock_indexer_duplicates_total{proof="content"}"#).await?, 1.0);
    let conflicts = format!(r#"penstock_indexer_id_conflicts_total{{topic="{topic}"}}"#);
    assert_eq!(metric(&indexer.admin_url(), &conflicts).await?, 1.0, "the other event is one all the same");
    let letters = dead_letters(&pipeline).await?;
    assert_eq!(letters.len(), 1, "{letters:#?}");
    assert_eq!(letters[0].value, records[1].value);
    indexer.stop().await
}

fn rfc3339(millis: i64) -> Result<String> {
    let mut json = Vec::new();
    avro::write_timestamp_millis(millis, &mut json);
    Ok(serde_json::from_slice(&json)?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_enriched_by_a_pipeline_is_the_same_event() -> Result<()> {
    let index = json!({
        "settings": {"index.default_pipeline": "penstock-tests-empty"},
        "mappings": {"dynamic": false},
    });
    repeat_is_a_duplicate("enriched", index, |document| document["added"] = json!("by a pipeline"), false).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_whose_index_omits_fields_is_the_same_event() -> Result<()> {
    let index = json!({"mappings": {"dynamic": false, "_source": {"excludes": ["user_id", "metadata"]}}});
    repeat_is_a_duplicate("excluded", index, |_| (), false).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_annotated_by_hand_is_the_same_event() -> Result<()> {
    let index = json!({"mappings": {"dynamic": false}});
    repeat_is_a_duplicate("annotated", index, |document| document["note"] = json!("by hand"), true).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_events_of_a_file_with_the_same_id_are_a_conflict() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "conflict-file").await?;
    let event = Events::unique().event(0);
    let time = now();
    let records = [raw(&pipeline, &event, time), raw(&pipeline, &other(&event), time), raw(&pipeline, &event, time)];
    pipeline.kafka.produce(&pipeline.config.kafka.topic, &records).await?;
    for (pass, group) in (1..).zip(["first", "replay"]) {
        index_all(&mut pipeline, group).await?;
        assert_eq!(pipeline.search.count(&pipeline.config.elasticsearch.index_name).await?, 1);
        let letters = dead_letters(&pipeline).await?;
        assert_eq!(letters.len(), pass, "{letters:#?}");
        assert_eq!(letters[pass - 1].value, records[1].value);
    }
    Ok(())
}
