//! A schema changes while events flow. Its new fields are in the index before its first document, from webhook to
//! search without a restart. A widened or changed type is reported, and holds nothing up.

use std::time::Duration;

use anyhow::{Context, Result};
use avro::Schema;
use harness::eventually::eventually;
use harness::http::{self, Method};
use harness::kafka::Raw;
use harness::pipeline::{Pipeline, Service, metric, register};
use harness::stack::Stack;
use indexer::commands;
use registry::wire::{SchemaId, frame};
use serde_json::{Value, json};

const V1: &str = r#"{"type":"record","name":"Changing","fields":[
    {"name":"event_id","type":"string"},
    {"name":"kind","type":{"type":"enum","name":"Kind","symbols":["A","B"]}},
    {"name":"count","type":"int"}]}"#;
/// Adds a nullable field, a symbol and a nested record.
const V2: &str = r#"{"type":"record","name":"Changing","fields":[
    {"name":"event_id","type":"string"},
    {"name":"kind","type":{"type":"enum","name":"Kind","symbols":["A","B","C"]}},
    {"name":"count","type":"int"},
    {"name":"note","type":["null","string"],"default":null},
    {"name":"agent","type":["null",{"type":"record","name":"Agent","fields":[
        {"name":"name","type":"string"},{"name":"skills","type":{"type":"array","items":"string"}}]}],"default":null}]}"#;
/// Makes the count a long.
const WIDER: &str = r#"{"type":"record","name":"Changing","fields":[
    {"name":"event_id","type":"string"},
    {"name":"kind","type":{"type":"enum","name":"Kind","symbols":["A","B"]}},
    {"name":"count","type":"long"}]}"#;
/// Removes the count, and changes the type of the kind.
const OTHER: &str = r#"{"type":"record","name":"Changing","fields":[
    {"name":"event_id","type":"string"},
    {"name":"kind","type":{"type":"record","name":"KindRecord","fields":[{"name":"code","type":"int"}]}}]}"#;

fn text(text: &str) -> Vec<u8> {
    [&[(text.len() * 2) as u8], text.as_bytes()].concat()
}

fn v1(id: &str) -> Vec<u8> {
    [text(id).as_slice(), &[2, 14]].concat()
}

/// Returns an event with the symbol C, a note, and an agent with two skills.
fn v2(id: &str) -> Vec<u8> {
    let skills = [&[4], text("chat").as_slice(), &text("voice"), &[0]].concat();
    [text(id).as_slice(), &[4, 14, 2], &text("new"), &[2], &text("Ann"), &skills].concat()
}

fn wider(id: &str, count: &[u8]) -> Vec<u8> {
    [text(id).as_slice(), &[0], count].concat()
}

/// A long that needs more than 32 bits.
const BIG: &[u8] = &[0xfe, 0xff, 0xff, 0xff, 0xff, 0x0f];

async fn post(receiver: &Service, token: &str, body: Vec<u8>) -> Result<()> {
    let headers = [("content-type", "application/avro"), ("authorization", &*format!("Bearer {token}"))];
    let answer = http::send(Method::POST, &receiver.url(), &headers, body).await?;
    anyhow::ensure!(answer.status == 200, "{}: {}", answer.status, answer.text());
    Ok(())
}

/// Returns how many documents match `query`.
async fn count(pipeline: &Pipeline, query: &Value) -> Result<u64> {
    let name = &pipeline.config.elasticsearch.index_name;
    pipeline.search.refresh(name).await?;
    let url = format!("{}/{name}/_count", pipeline.config.elasticsearch.url);
    let answer = http::json(Method::POST, &url, &json!({ "query": query })).await?;
    answer["count"].as_u64().context("no count")
}

async fn found(pipeline: &Pipeline, query: Value) -> Result<()> {
    eventually(&format!("{query} finds the event"), || async {
        anyhow::ensure!(count(pipeline, &query).await? == 1, "it does not");
        Ok(())
    })
    .await
}

fn record(schema: u32, id: &str, datum: &[u8]) -> Raw {
    let value = Some([frame(SchemaId(schema)).as_slice(), datum].concat());
    Raw { partition: 0, key: Some(id.as_bytes().to_vec()), value, timestamp: None }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_evolved_schema_reaches_search_without_a_restart() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "evolved").await?;
    pipeline.config.schema_registry.refresh = Duration::from_millis(200);
    let subject = format!("{}-changing", pipeline.config.elasticsearch.index_name);
    let source = pipeline.config.receiver.sources.get_mut("cxone").context("no source")?;
    source.subject.clone_from(&subject);
    let registry = pipeline.config.schema_registry.url.clone();
    register(&registry, &subject, V1).await?;
    let (receiver, indexer) = (pipeline.receiver().await?, pipeline.indexer().await?);
    post(&receiver, &pipeline.token, v1("one")).await?;
    found(&pipeline, json!({ "term": { "kind": "B" } })).await?;

    register(&registry, &subject, V2).await?;
    eventually("the receiver takes the new schema", || post(&receiver, &pipeline.token, v2("two"))).await?;
    found(&pipeline, json!({ "term": { "kind": "C" } })).await?;
    found(&pipeline, json!({ "term": { "note": "new" } })).await?;
    found(&pipeline, json!({ "term": { "agent.skills": "voice" } })).await?;
    assert_eq!(pipeline.kafka.count(&pipeline.config.kafka.dead_letter_topic).await?, 0);
    assert_eq!(metric(&indexer.admin_url(), "penstock_indexer_mapping_conflicts").await?, 0.0);
    indexer.stop().await?;
    receiver.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_widened_type_is_reported_and_used_by_the_next_index() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "widened").await?;
    let name = &pipeline.config.elasticsearch.index_name;
    let registry = &pipeline.config.schema_registry.url;
    let narrow = register(registry, &format!("{name}-narrow"), V1).await?;
    let wide = register(registry, &format!("{name}-wide"), WIDER).await?;
    let (topic, dead_letters) = (&pipeline.config.kafka.topic, &pipeline.config.kafka.dead_letter_topic);
    let indexer = pipeline.indexer().await?;
    let records = [
        record(narrow, "n", &v1("n")),
        record(wide, "fits", &wider("fits", &[16])),
        record(wide, "big", &wider("big", BIG)),
    ];
    pipeline.kafka.produce(topic, &records).await?;
    pipeline.all_committed().await?;
    assert_eq!(count(&pipeline, &json!({ "match_all": {} })).await?, 2);
    assert_eq!(metric(&indexer.admin_url(), "penstock_indexer_mapping_conflicts").await?, 1.0);
    let dead = pipeline.kafka.read_all(dead_letters).await?;
    assert_eq!(dead.iter().map(|record| record.key.as_deref()).collect::<Vec<_>>(), [Some(b"big".as_slice())]);

    let differences = commands::differences(&pipeline.config.of_indexer(), &Schema::parse(WIDER)?).await?;
    let reported: Vec<_> = differences
        .iter()
        .flat_map(|(place, difference)| difference.conflicts.iter().map(move |c| (place, c)))
        .collect();
    assert_eq!(reported.len(), 1, "{differences:?}");
    assert_eq!(
        (reported[0].0.as_str(), &*reported[0].1.live, &*reported[0].1.wanted),
        (&*format!("index {name}-000001"), "integer", "long")
    );

    let url = format!("{}/{name}/_rollover", pipeline.config.elasticsearch.url);
    http::json(Method::POST, &url, &json!({})).await?;
    let mapping = http::get(&format!("{}/{name}-000002/_mapping", pipeline.config.elasticsearch.url)).await?.json()?;
    assert_eq!(mapping[format!("{name}-000002")]["mappings"]["properties"]["count"]["type"], "long", "{mapping}");
    indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_type_makes_dead_letters_and_a_removed_field_does_not() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "changed").await?;
    let name = &pipeline.config.elasticsearch.index_name;
    let registry = &pipeline.config.schema_registry.url;
    let first = register(registry, &format!("{name}-first"), V1).await?;
    let other = register(registry, &format!("{name}-other"), OTHER).await?;
    let indexer = pipeline.indexer().await?;
    let changed = [text("changed").as_slice(), &[8]].concat();
    let records = [record(first, "a", &v1("a")), record(other, "changed", &changed), record(first, "b", &v1("b"))];
    pipeline.kafka.produce(&pipeline.config.kafka.topic, &records).await?;
    pipeline.all_committed().await?;
    assert_eq!(count(&pipeline, &json!({ "match_all": {} })).await?, 2);
    let dead = pipeline.kafka.read_all(&pipeline.config.kafka.dead_letter_topic).await?;
    assert_eq!(dead.len(), 1);
    assert!(dead[0].header("dl.reason").is_some_and(|reason| reason.contains("kind")), "{dead:?}");
    assert_eq!(metric(&indexer.admin_url(), "penstock_indexer_mapping_conflicts").await?, 1.0);
    indexer.stop().await
}

harness::on_opensearch! {
    an_evolved_schema_reaches_search_without_a_restart,
    a_widened_type_is_reported_and_used_by_the_next_index,
    a_changed_type_makes_dead_letters_and_a_removed_field_does_not,
}
