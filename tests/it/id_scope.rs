//! The scope of an id: sources that share a topic, and topics that are re-created.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use harness::config::Config;
use harness::event::{Event, Events, now, put_long, put_string};
use harness::eventually::eventually;
use harness::http::{self, Method};
use harness::kafka::Raw;
use harness::pipeline::{Pipeline, register};
use harness::stack::Stack;
use indexer::config::{OnDuplicate, Strategy};
use kafka::headers::HEADER_ID_SCOPE;
use receiver::config::{Auth, IdScope, Source};
use registry::wire::{SchemaId, frame};
use serde_json::json;

const PARTITIONS: i32 = 1;

/// Returns the schema `name`, with a number as id, and a text.
fn schema(name: &str) -> String {
    let fields = json!([{"name": "id", "type": "long"}, {"name": format!("{name}_text"), "type": "string"}]);
    json!({"type": "record", "name": name, "fields": fields}).to_string()
}

fn event(id: i64, text: &str) -> Vec<u8> {
    let mut datum = Vec::new();
    put_long(&mut datum, id);
    put_string(&mut datum, text);
    datum
}

/// Replaces the pipeline's source with `calls` and `chats`, which number their events independently, on one topic.
async fn two_sources(pipeline: &mut Pipeline) -> Result<()> {
    let config: &mut Config = &mut pipeline.config;
    let template = config.receiver.sources.remove("cxone").context("no source")?;
    for name in ["calls", "chats"] {
        let subject = format!("{}-{name}", config.kafka.topic);
        register(&config.schema_registry.url, &subject, &schema(name)).await?;
        let (path, key_field) = (format!("/{name}"), Some("id".to_owned()));
        let source = Source { path, subject, key_field, auth: Auth::None, ..template.clone() };
        config.receiver.sources.insert(name.to_owned(), source);
    }
    Ok(())
}

async fn post_to_both(pipeline: &Pipeline, id: i64) -> Result<()> {
    let receiver = pipeline.receiver().await?;
    for name in ["calls", "chats"] {
        let url = format!("http://{}/{name}", receiver.http);
        let headers = [("content-type", "application/avro")];
        let answer = http::send(Method::POST, &url, &headers, event(id, name)).await?;
        anyhow::ensure!(answer.status == 200, "{}: {}", answer.status, answer.text());
    }
    receiver.stop().await
}

async fn ids(pipeline: &Pipeline) -> Result<BTreeSet<String>> {
    let index = &pipeline.config.elasticsearch.index_name;
    pipeline.search.refresh(index).await?;
    let answer = pipeline.search.call(Method::POST, &format!("{index}/_search"), &json!({"size": 100})).await?;
    let hits = answer["hits"]["hits"].as_array().context("no hits")?;
    Ok(hits.iter().filter_map(|hit| hit["_id"].as_str().map(str::to_owned)).collect())
}

/// The indexer's config knows no sources; the records name them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_id_from_two_sources_makes_two_documents() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "two-sources").await?;
    two_sources(&mut pipeline).await?;
    post_to_both(&pipeline, 1).await?;
    pipeline.config.receiver.sources.clear();
    let group = pipeline.config.indexer.group_id.clone();
    for pass in ["", "-replay"] {
        pipeline.config.indexer.group_id = format!("{group}{pass}");
        let indexer = pipeline.indexer().await?;
        pipeline.all_committed().await?;
        assert_eq!(ids(&pipeline).await?, ["calls:1", "chats:1"].map(str::to_owned).into());
        assert_eq!(pipeline.kafka.count(&pipeline.config.kafka.dead_letter_topic).await?, 0);
        indexer.stop().await?;
    }
    let records = pipeline.kafka.read_all(&pipeline.config.kafka.topic).await?;
    assert!(records.iter().all(|record| record.key.as_deref() == Some(b"1")), "the key stays as it is: {records:#?}");
    Ok(())
}

/// The config claims that ids are unique in the topic. The indexer still checks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sources_that_wrongly_claim_unique_ids_cause_id_conflicts() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "one-numbering").await?;
    two_sources(&mut pipeline).await?;
    for source in pipeline.config.receiver.sources.values_mut() {
        source.id_scope = Some(IdScope::Topic);
    }
    post_to_both(&pipeline, 1).await?;
    let indexer = pipeline.indexer().await?;
    pipeline.all_committed().await?;
    assert_eq!(ids(&pipeline).await?, ["1".to_owned()].into());
    let letters = pipeline.kafka.read_all(&pipeline.config.kafka.dead_letter_topic).await?;
    let seen: Vec<_> = letters.iter().map(|l| (l.header("dl.error-type"), l.header("source"))).collect();
    assert!(matches!(seen[..], [(Some("id-conflict"), Some("calls" | "chats"))]), "{letters:#?}");
    indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ids_of_the_only_source_of_a_topic_are_not_qualified() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "one-source").await?;
    let receiver = pipeline.receiver().await?;
    let event = Events::unique().event(0);
    let answer = pipeline.post(&receiver, &[("content-type", "application/avro")], &event.encode()).await?;
    assert_eq!(answer.status, 200);
    let records = pipeline.kafka.read_all(&pipeline.config.kafka.topic).await?;
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].header(HEADER_ID_SCOPE), None);
    let indexer = pipeline.indexer().await?;
    pipeline.all_committed().await?;
    assert_eq!(ids(&pipeline).await?, [event.event_id].into());
    indexer.stop().await?;
    receiver.stop().await
}

/// Deletes the pipeline's topic and creates it again.
async fn recreate_topic(pipeline: &Pipeline) -> Result<()> {
    let topic = &pipeline.config.kafka.topic;
    pipeline.kafka.delete_topic(topic).await?;
    eventually("the topic can be made again", || async { pipeline.kafka.create_topic(topic, PARTITIONS).await }).await
}

/// Writes ten events before and ten after the topic is re-created, made by `record`. Returns the number of documents.
async fn before_and_after(
    name: &str,
    on_duplicate: OnDuplicate,
    record: impl Fn(&Pipeline, u64, &str) -> Raw,
) -> Result<(Pipeline, u64)> {
    let mut pipeline = Pipeline::new(&Stack::running()?, name).await?;
    pipeline.config.elasticsearch.strategy = Strategy::Single;
    pipeline.config.elasticsearch.on_duplicate = on_duplicate;
    for part in ["before", "after"] {
        if part == "after" {
            recreate_topic(&pipeline).await?;
        }
        let records: Vec<Raw> = (0..10).map(|number| record(&pipeline, number, part)).collect();
        pipeline.kafka.produce(&pipeline.config.kafka.topic, &records).await?;
        pipeline.config.indexer.group_id = format!("{}-{part}", pipeline.config.kafka.topic);
        let indexer = pipeline.indexer().await?;
        pipeline.all_committed().await?;
        indexer.stop().await?;
    }
    let count = pipeline.search.count(&pipeline.config.elasticsearch.index_name).await?;
    assert_eq!(pipeline.kafka.count(&pipeline.config.kafka.dead_letter_topic).await?, 0);
    Ok((pipeline, count))
}

fn raw(pipeline: &Pipeline, key: Option<&str>, event: &Event) -> Raw {
    let value = [frame(SchemaId(pipeline.schema_id)).as_slice(), &event.encode()].concat();
    Raw { key: key.map(Into::into), value: Some(value), timestamp: Some(now()), ..Raw::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_without_ids_stay_distinct_after_a_topic_is_recreated() -> Result<()> {
    for (name, on_duplicate) in [("anew-first", OnDuplicate::KeepFirst), ("anew-last", OnDuplicate::KeepLast)] {
        let events = Events::unique();
        let (_, count) = before_and_after(name, on_duplicate, |pipeline, number, part| {
            raw(pipeline, None, &events.event(number + if part == "after" { 10 } else { 0 }))
        })
        .await?;
        assert_eq!(count, 20, "{name}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keep_last_works_after_the_topic_is_recreated() -> Result<()> {
    let events = Events::unique();
    // The second ten events come in the opposite order, so that some offsets are lower than before.
    let of = |number: u64, part: &str| if part == "after" { 9 - number } else { number };
    let (pipeline, count) = before_and_after("anew-keep-last", OnDuplicate::KeepLast, |pipeline, number, part| {
        let event = events.event(of(number, part));
        let key = event.event_id.clone();
        raw(pipeline, Some(&key), &Event { action_type: part.to_owned(), ..event })
    })
    .await?;
    assert_eq!(count, 10);
    for number in 0..10 {
        let index = &pipeline.config.elasticsearch.index_name;
        let document = pipeline.search.document(index, &events.id(number)).await?.context("no document")?;
        assert_eq!(document["action_type"], "after", "event {number}");
    }
    Ok(())
}
