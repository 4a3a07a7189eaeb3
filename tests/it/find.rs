//! `find` for an event in each of its possible states, with the commands of `docs/operate.md`.

use std::path::Path;

use anyhow::{Context, Result};
use harness::event::{Event, Events};
use harness::eventually::eventually;
use harness::kafka::Raw;
use harness::pipeline::{Pipeline, Service};
use harness::process::{self, Binary};
use harness::stack::Stack;
use registry::wire::{SchemaId, frame};
use serde_json::Value;

const AVRO: (&str, &str) = ("content-type", "application/avro");

async fn post(pipeline: &Pipeline, receiver: &Service, request: &str, body: &[u8]) -> Result<u16> {
    let answer = pipeline.post(receiver, &[AVRO, ("x-request-id", request)], body).await?;
    Ok(answer.status.as_u16())
}

/// Runs `find` with `arguments`. Returns the exit code and the report.
async fn find(config: &Path, arguments: &[&str]) -> Result<(Option<i32>, Value)> {
    let arguments = [&["find", "--json"], arguments].concat();
    let said = process::command(Binary::Indexer, config, &arguments).await?;
    Ok((said.code, said.json()?))
}

/// Asserts that `find` with `arguments` finds one event, in `state`. Returns its report.
async fn assert_found(config: &Path, arguments: &[&str], state: &str) -> Result<Value> {
    let (code, mut report) = find(config, arguments).await?;
    assert_eq!((code, &report["events"][0]["state"]), (Some(0), &Value::from(state)), "{arguments:?}: {report:#}");
    assert_eq!(report["events"].as_array().map(Vec::len), Some(1), "{report:#}");
    Ok(report["events"][0].take())
}

/// Asserts that the report of the indexed event `id` names source, request, record and document.
async fn assert_reported_in_full(config: &Path, id: &str) -> Result<()> {
    let indexed = assert_found(config, &[id], "indexed").await?;
    let record = &indexed["records"][0];
    assert_eq!((&record["source"], &record["request_id"]), (&"cxone".into(), &"r-indexed".into()), "{indexed:#}");
    assert_eq!(record["committed"], true, "{indexed:#}");
    let document = &indexed["documents"][0];
    assert_eq!((&document["version"], &document["ingested_at"]), (&1.into(), &record["received"]), "{indexed:#}");
    assert_found(config, &["--request-id", "r-indexed"], "indexed").await?;
    assert_found(config, &["--key", id], "indexed").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_is_found_in_each_state() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "find").await?;
    let (topic, quarantine) = (&pipeline.config.kafka.topic, &pipeline.config.kafka.quarantine_topic);
    pipeline.kafka.create_topic(quarantine, 1).await?;
    process::build().await?;
    let config = pipeline.file("penstock.yaml");
    process::write_config(&pipeline.config, &config)?;
    let receiver = pipeline.receiver().await?;
    let events = Events::unique();
    let event = |number| -> Event { events.event(number) };
    let conflicting = Event { action_type: "another".to_owned(), ..event(2) };
    for (request, event) in [
        ("r-indexed", event(0)),
        ("r-repeated-1", event(1)),
        ("r-repeated-2", event(1)),
        ("r-first", event(2)),
        ("r-conflict", conflicting),
    ] {
        assert_eq!(post(&pipeline, &receiver, request, &event.encode()).await?, 200, "{request}");
    }
    assert_eq!(post(&pipeline, &receiver, "r-quarantined", &event(4).encode()[..60]).await?, 400);
    let keyless = [frame(SchemaId(pipeline.schema_id)).as_slice(), &event(5).encode()].concat();
    let offset =
        pipeline.kafka.produce(topic, &[Raw { partition: 1, value: Some(keyless), ..Raw::default() }]).await?[0];
    eventually("the body is in the quarantine", || async {
        anyhow::ensure!(pipeline.kafka.count(quarantine).await? == 1);
        Ok(())
    })
    .await?;

    let waiting = assert_found(&config, &[&event(0).event_id], "waiting").await?;
    assert_eq!(waiting["records"][0]["committed"], false, "{waiting:#}");

    let indexer = pipeline.indexer().await?;
    pipeline.all_committed().await?;
    assert_reported_in_full(&config, &event(0).event_id).await?;

    let repeated = assert_found(&config, &[&event(1).event_id], "repeated").await?;
    assert_eq!(repeated["records"].as_array().map(Vec::len), Some(2), "{repeated:#}");
    let conflict = assert_found(&config, &["--key", &event(2).event_id], "id-conflict").await?;
    assert_eq!(conflict["letters"][0]["error_type"], "id-conflict", "{conflict:#}");
    assert_eq!(conflict["letters"][0]["request_id"], "r-conflict", "{conflict:#}");

    let quarantined = assert_found(&config, &["--request-id", "r-quarantined"], "quarantined").await?;
    assert_eq!(quarantined["letters"][0]["source"], "cxone", "{quarantined:#}");
    assert_found(&config, &[&event(4).event_id], "quarantined").await?;

    let record = &pipeline.kafka.read_all(topic).await?;
    let record = record.iter().find(|record| record.key.is_none()).context("no record without a key")?;
    let id = format!("{topic}-1-{offset}-{}", record.timestamp.unwrap_or_default());
    assert_found(&config, &[&id], "indexed").await?;
    nowhere(&config, &event(0).event_id).await?;
    indexer.stop().await?;
    receiver.stop().await
}

/// Asserts that an unknown id is not found. Also asserts that the window limits the search in Kafka, but not the search
/// in the indices, where `id` is.
async fn nowhere(config: &Path, id: &str) -> Result<()> {
    let (code, report) = find(config, &["never-sent"]).await?;
    assert_eq!((code, &report["found"]), (Some(1), &false.into()), "{report:#}");
    let (_, report) = find(config, &[id, "--since", "0s"]).await?;
    let found = &report["events"][0];
    assert_eq!((&found["state"], &found["records"]), (&"indexed".into(), &Value::Array(Vec::new())), "{report:#}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn find_shows_a_dead_letter_and_after_its_redrive_the_document() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "find-dead").await?;
    process::build().await?;
    let config = pipeline.file("penstock.yaml");
    process::write_config(&pipeline.config, &config)?;
    let receiver = pipeline.receiver().await?;
    let event = Events::unique().event(0);
    assert_eq!(post(&pipeline, &receiver, "r-dead", &event.encode()).await?, 200);
    pipeline.config.indexer.max_items = 1;
    let strict = pipeline.indexer().await?;
    pipeline.all_committed().await?;
    strict.stop().await?;
    let dead = assert_found(&config, &[&event.event_id], "dead-letter").await?;
    assert_eq!(dead["letters"][0]["error_type"], "too_many_items", "{dead:#}");
    assert_found(&config, &["--request-id", "r-dead"], "dead-letter").await?;
    let redrive = ["dead-letters", "redrive", "--wait", "0s", "--json"];
    assert_eq!(process::command(Binary::Indexer, &config, &redrive).await?.code, Some(0));
    assert_found(&config, &[&event.event_id], "waiting").await?;
    pipeline.config.indexer.max_items = 100_000;
    let indexer = pipeline.indexer().await?;
    pipeline.all_committed().await?;
    let repeated = assert_found(&config, &[&event.event_id], "repeated").await?;
    assert!(repeated["records"][1]["redriven_from"].is_string(), "{repeated:#}");
    indexer.stop().await?;
    receiver.stop().await
}

harness::on_opensearch! {
    an_event_is_found_in_each_state,
}
