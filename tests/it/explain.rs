//! `penstock-indexer explain` for a good record, a bad one, one that the mapping refuses, a duplicate and a file. It
//! writes nothing.

use anyhow::{Context, Result};
use harness::command::{self, CommandOutput};
use harness::event::{Event, Events, now};
use harness::kafka::Raw;
use harness::pipeline::Pipeline;
use harness::stack::Stack;
use registry::wire::{SchemaId, frame};
use serde_json::json;

fn raw(pipeline: &Pipeline, event: &Event, datum: &[u8]) -> Raw {
    let value = [frame(SchemaId(pipeline.schema_id)).as_slice(), datum].concat();
    let key = Some(event.event_id.clone().into_bytes());
    Raw { partition: 0, key, value: Some(value), timestamp: Some(now()) }
}

async fn explain(pipeline: &Pipeline, record: &str, more: &[&str]) -> Result<CommandOutput> {
    command::run(pipeline, &[&["explain", record, "--json"], more].concat()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn explain_distinguishes_all_kinds_of_records_and_writes_nothing() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "explain").await?;
    let (index, topic) = (pipeline.config.elasticsearch.index_name.clone(), pipeline.config.kafka.topic.clone());
    let events = Events::unique();
    let (first, second) = (events.event(0), events.event(1));
    pipeline.kafka.produce(&topic, &[raw(&pipeline, &first, &first.encode())]).await?;

    let early = explain(&pipeline, &format!("{topic}:0:0"), &[]).await?;
    assert!(early.json()?["skipped"].as_str().is_some_and(|why| why.contains("setup")), "{early:#?}");

    let indexer = pipeline.indexer().await?;
    pipeline.all_committed().await?;
    indexer.stop().await?;

    // date_nanos holds no time after 2262.
    let unmappable = Event { timestamp: 10_413_792_000_000, ..second.clone() };
    let other = Event { action_type: "another".to_owned(), ..first.clone() };
    let cut = &second.encode()[..5];
    let records = [
        raw(&pipeline, &second, &second.encode()),
        raw(&pipeline, &second, cut),
        raw(&pipeline, &unmappable, &unmappable.encode()),
        raw(&pipeline, &other, &other.encode()),
    ];
    let offsets = pipeline.kafka.produce(&topic, &records).await?;
    let at = |number: usize| format!("{topic}:0:{}", offsets[number]);

    let good = explain(&pipeline, &at(0), &[]).await?;
    assert_eq!(good.code, 0, "{good:#?}");
    let explained = good.json()?;
    assert_eq!((&explained["id"], &explained["stored"]), (&json!(second.event_id), &json!("nothing")), "{explained}");
    assert_eq!(explained["index"], json!(format!("{index}-000001")), "{explained}");
    assert_eq!(explained["schema_id"], json!(pipeline.schema_id), "{explained}");
    assert_eq!(explained["document"]["action_type"], json!(second.action_type), "{explained}");
    assert_eq!(explained["mapping"]["refused"], json!([]), "{explained}");

    let bad = explain(&pipeline, &at(1), &[]).await?;
    assert_eq!(bad.code, 2, "{bad:#?}");
    assert!(bad.json()?["dead_letter"].is_string(), "{bad:#?}");

    let refused = explain(&pipeline, &at(2), &[]).await?;
    assert_eq!(refused.code, 2, "{refused:#?}");
    let reasons = refused.json()?["mapping"]["refused"].to_string();
    assert!(reasons.contains("timestamp"), "{refused:#?}");

    let duplicate = explain(&pipeline, &format!("{topic}:0:0"), &[]).await?;
    assert_eq!((duplicate.code, &duplicate.json()?["stored"]), (0, &json!("same")), "{duplicate:#?}");
    let conflict = explain(&pipeline, &at(3), &[]).await?;
    assert_eq!((conflict.code, &conflict.json()?["stored"]), (2, &json!("conflict")), "{conflict:#?}");

    let file = pipeline.file("event.bin");
    std::fs::write(&file, records[0].value.as_deref().context("no value")?)?;
    let path = file.to_string_lossy();
    let explained = explain(&pipeline, &path, &["--key", "a-key"]).await?.json()?;
    assert_eq!((&explained["id"], &explained["stored"]), (&json!("a-key"), &json!("nothing")), "{explained}");

    let missing = explain(&pipeline, &format!("{topic}:0:{}", offsets[3] + 10), &[]).await?;
    assert!(missing.code == 1 && missing.errors.contains("cannot be read"), "{missing:#?}");
    assert_eq!(pipeline.search.count(&index).await?, 1, "it has written documents");
    assert_eq!(pipeline.kafka.count(&pipeline.config.kafka.dead_letter_topic).await?, 0);
    Ok(())
}
