//! The `_id` of a document, and which of several events with one id it holds.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use harness::event::{Event, Events, now};
use harness::http::Method;
use harness::kafka::Raw;
use harness::pipeline::Pipeline;
use harness::stack::Stack;
use indexer::config::{OnDuplicate, Strategy};
use registry::wire::{SchemaId, frame};
use serde_json::json;
use sha2::{Digest, Sha256};

fn raw(pipeline: &Pipeline, key: Option<&[u8]>, event: &Event) -> Raw {
    let value = [frame(SchemaId(pipeline.schema_id)).as_slice(), &event.encode()].concat();
    Raw { partition: 0, key: key.map(<[u8]>::to_vec), value: Some(value), timestamp: None }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_key_becomes_an_id_that_elasticsearch_accepts() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "ids").await?;
    let topic = &pipeline.config.kafka.topic;
    let (longest, too_long) = ("i".repeat(512), "ü".repeat(257));
    let hash = |key: &[u8]| hex::encode(Sha256::digest(key));
    let time = now();
    let keys: [(Option<&[u8]>, String); 9] = [
        (None, format!("{topic}-0-0-{time}")),
        (Some(b""), format!("{topic}-0-1-{time}")),
        (Some(b"a/b?c=d&e#f%2F"), "a/b?c=d&e#f%2F".to_owned()),
        (Some("é\u{1F600} \"quoted\" \\ \n".as_bytes()), "é\u{1F600} \"quoted\" \\ \n".to_owned()),
        (Some(b"_starts-with-an-underscore"), "_starts-with-an-underscore".to_owned()),
        (Some(longest.as_bytes()), longest.clone()),
        (Some(too_long.as_bytes()), hash(too_long.as_bytes())),
        (Some(&[0xff, 0xfe]), hash(&[0xff, 0xfe])),
        (Some(b" "), " ".to_owned()),
    ];
    let events = Events::unique();
    let at = |record: Raw| Raw { timestamp: Some(time), ..record };
    let records: Vec<Raw> =
        (0..).zip(&keys).map(|(number, (key, _))| at(raw(&pipeline, *key, &events.event(number)))).collect();
    pipeline.kafka.produce(topic, &records).await?;
    let indexer = pipeline.indexer().await?;
    pipeline.all_committed().await?;
    let hits = pipeline.search.all(&pipeline.config.elasticsearch.index_name).await?;
    let found: BTreeMap<String, String> = hits.into_iter().map(|hit| (hit.event_id, hit.id)).collect();
    let expected: BTreeMap<String, String> = (0..).zip(keys).map(|(number, (_, id))| (events.id(number), id)).collect();
    assert_eq!(found, expected);
    assert_eq!(pipeline.kafka.count(&pipeline.config.kafka.dead_letter_topic).await?, 0);
    indexer.stop().await
}

/// Writes three events with one id, one after the other. Returns which one the document holds, also after another group
/// has read them all again.
async fn survivor(on_duplicate: OnDuplicate, strategy: Strategy, name: &str) -> Result<String> {
    let mut pipeline = Pipeline::new(&Stack::running()?, name).await?;
    pipeline.config.elasticsearch.on_duplicate = on_duplicate;
    pipeline.config.elasticsearch.strategy = strategy;
    let index = pipeline.config.elasticsearch.index_name.clone();
    let event = Events::unique().event(0);
    for action_type in ["first", "second", "third"] {
        let event = Event { action_type: action_type.to_owned(), ..event.clone() };
        let record = raw(&pipeline, Some(event.event_id.as_bytes()), &event);
        pipeline.kafka.produce(&pipeline.config.kafka.topic, &[record]).await?;
    }
    let group = pipeline.config.indexer.group_id.clone();
    let mut seen = Vec::new();
    for pass in ["", "-again"] {
        pipeline.config.indexer.group_id = format!("{group}{pass}");
        let indexer = pipeline.indexer().await?;
        pipeline.all_committed().await?;
        indexer.stop().await?;
        anyhow::ensure!(pipeline.search.count(&index).await? == 1, "not one document");
        let document = pipeline.search.document(&index, &event.event_id).await?.context("no document")?;
        seen.push(document["action_type"].as_str().unwrap_or_default().to_owned());
        if strategy == Strategy::Rollover {
            // The replay finds the document in the index before the write index.
            pipeline.search.call(Method::POST, &format!("{index}/_rollover"), &json!({})).await?;
        }
    }
    anyhow::ensure!(seen[0] == seen[1], "another one after the replay: {seen:?}");
    // Two of the three events differ from the one that stays, so they become dead letters each time they are read.
    let dead = if on_duplicate == OnDuplicate::KeepFirst { 4 } else { 0 };
    assert_eq!(pipeline.kafka.count(&pipeline.config.kafka.dead_letter_topic).await?, dead);
    Ok(seen.remove(0))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keep_first_keeps_the_first_event_of_an_id_even_on_a_replay() -> Result<()> {
    assert_eq!(survivor(OnDuplicate::KeepFirst, Strategy::Rollover, "keep-first").await?, "first");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keep_last_keeps_the_last_event_of_an_id_even_on_a_replay() -> Result<()> {
    assert_eq!(survivor(OnDuplicate::KeepLast, Strategy::Single, "keep-last").await?, "third");
    Ok(())
}

harness::on_opensearch! {
    each_key_becomes_an_id_that_elasticsearch_accepts,
    keep_first_keeps_the_first_event_of_an_id_even_on_a_replay,
    keep_last_keeps_the_last_event_of_an_id_even_on_a_replay,
}
