//! The meaning of a schema decides which schema an event is framed with. Parts of a schema that reading does not need
//! never make it unusable.

use std::time::Duration;

use anyhow::{Context, Result};
use apache_avro::Codec;
use avro::Schema;
use axum::Router;
use axum::routing::get;
use harness::container;
use harness::event::{put_long, put_string};
use harness::eventually::eventually;
use harness::http::{self, Method};
use harness::kafka::Raw;
use harness::pipeline::{Pipeline, metric, register};
use harness::stack::Stack;
use registry::wire::{SchemaId, frame};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const CONTAINER: (&str, &str) = ("content-type", "application/vnd.apache.avro+container");
const SINGLE_OBJECT: (&str, &str) = ("content-type", "application/vnd.apache.avro+single-object");
const AVRO: (&str, &str) = ("content-type", "application/avro");

/// Returns a schema with a price and a time. Its canonical form is the same for every scale and unit.
fn priced(scale: u32, unit: &str) -> String {
    let price = json!({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": scale});
    json!({"type": "record", "name": "Priced", "fields": [{"name": "event_id", "type": "string"}, {"name": "price", "type": price},
        {"name": "timestamp", "type": {"type": "long", "logicalType": unit}}]})
    .to_string()
}

/// Returns 123456 without a scale, at the first microsecond (or millisecond) of 2026.
fn datum(id: &str, per_second: i64) -> Vec<u8> {
    let mut datum = Vec::new();
    put_string(&mut datum, id);
    datum.extend_from_slice(&[6, 0x01, 0xe2, 0x40]);
    put_long(&mut datum, 1_767_225_600 * per_second);
    datum
}

/// Creates a pipeline whose source has the subject that `suffix` makes of the topic's name, with `schema` as its first
/// version.
async fn pipeline(scenario: &str, schema: &str) -> Result<(Pipeline, String, u32)> {
    let mut pipeline = Pipeline::new(&Stack::running()?, scenario).await?;
    let subject = format!("{}-other", pipeline.config.kafka.topic);
    let id = register(&pipeline.config.schema_registry.url, &subject, schema).await?;
    let source = pipeline.config.receiver.sources.get_mut("cxone").context("the pipeline has no source")?;
    source.subject.clone_from(&subject);
    Ok((pipeline, subject, id))
}

/// Returns the documents of the index, sorted by `event_id`.
async fn documents(pipeline: &Pipeline) -> Result<Vec<Value>> {
    pipeline.all_committed().await?;
    let index = &pipeline.config.elasticsearch.index_name;
    pipeline.search.refresh(index).await?;
    let query = json!({"sort": "event_id"});
    let mut hits = pipeline.search.call(Method::POST, &format!("{index}/_search"), &query).await?;
    let hits = hits["hits"]["hits"].as_array_mut().context("no hits")?;
    Ok(hits.iter_mut().map(|hit| hit["_source"].take()).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_schema_with_another_meaning_is_not_confused() -> Result<()> {
    let (registered, other) = (priced(2, "timestamp-millis"), priced(4, "timestamp-micros"));
    assert_eq!(Schema::parse(&registered)?.fingerprint(), Schema::parse(&other)?.fingerprint());
    let (mut pipeline, _, id) = pipeline("schemas-meaning", &registered).await?;
    // Without patience, a body whose schema is unknown is refused immediately.
    pipeline.config.schema_registry.patience = Duration::ZERO;
    let same = container::file(&registered, Codec::Null, &[&[datum("a", 1_000)]])?;
    let different = container::file(&other, Codec::Null, &[&[datum("b", 1_000_000)]])?;

    let receiver = pipeline.receiver().await?;
    assert_eq!(pipeline.post(&receiver, &[CONTAINER], &same).await?.status, 200);
    let refused = pipeline.post(&receiver, &[CONTAINER], &different).await?;
    assert_eq!((refused.status.as_u16(), refused.json()?["code"].as_str()), (400, Some("unknown-schema")));
    receiver.stop().await?;

    pipeline.config.receiver.sources.get_mut("cxone").context("no source")?.register_schemas = true;
    let receiver = pipeline.receiver().await?;
    let accepted = pipeline.post(&receiver, &[CONTAINER], &different).await?;
    assert_eq!(accepted.status, 200, "{}", accepted.text());
    let records = pipeline.kafka.read_all(&pipeline.config.kafka.topic).await?;
    let values: Vec<&[u8]> = records.iter().filter_map(|record| record.value.as_deref()).collect();
    let framed = |value: &&[u8]| value.starts_with(&frame(SchemaId(id)));
    assert_eq!(values.iter().filter(|value| framed(value)).count(), 1, "each by its own schema");

    let indexer = pipeline.indexer().await?;
    let found = documents(&pipeline).await?;
    let values = |document: &Value| (document["price"].clone(), document["timestamp"].clone());
    assert_eq!(values(&found[0]), (json!("1234.56"), json!("2026-01-01T00:00:00.000Z")));
    assert_eq!(values(&found[1]), (json!("12.3456"), json!("2026-01-01T00:00:00.000000Z")));
    receiver.stop().await?;
    indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fingerprint_of_versions_with_different_meanings_is_refused() -> Result<()> {
    let (first, second) = (priced(2, "timestamp-millis"), priced(4, "timestamp-micros"));
    let (pipeline, subject, _) = pipeline("schemas-fingerprint", &first).await?;
    let latest = register(&pipeline.config.schema_registry.url, &subject, &second).await?;
    let receiver = pipeline.receiver().await?;
    let fingerprint = Schema::parse(&first)?.fingerprint().to_le_bytes();
    let single = [b"\xc3\x01".as_slice(), &fingerprint, &datum("a", 1_000)].concat();
    let refused = pipeline.post(&receiver, &[SINGLE_OBJECT], &single).await?;
    let problem = refused.json()?;
    assert_eq!((refused.status.as_u16(), problem["code"].as_str()), (400, Some("unusable-schema")), "{problem}");
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("several versions")), "{problem}");
    let named = [AVRO, ("x-schema-id", &*latest.to_string())];
    assert_eq!(pipeline.post(&receiver, &named, &datum("a", 1_000)).await?.status, 200);
    receiver.stop().await
}

/// This is Confluent's way to have several event types in one topic: a union of references.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_type_in_a_union_of_event_types_has_a_key_and_a_document() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "schemas-union").await?;
    let (url, topic) = (pipeline.config.schema_registry.url.clone(), pipeline.config.kafka.topic.clone());
    let record = |name: &str, field: Value| {
        json!({"type": "record", "name": name, "fields": [field, {"name": "event_id", "type": "string"}]}).to_string()
    };
    let (call, chat) = (format!("{topic}.call").replace('-', "_"), format!("{topic}.chat").replace('-', "_"));
    register(&url, &format!("{topic}-call"), &record(&call, json!({"name": "seconds", "type": "int"}))).await?;
    register(&url, &format!("{topic}-chat"), &record(&chat, json!({"name": "text", "type": "string"}))).await?;
    let reference =
        |name: &str, subject: &str| json!({"name": name, "subject": format!("{topic}-{subject}"), "version": 1});
    let body = json!({"schema": json!([call, chat]).to_string(), "references": [reference(&call, "call"), reference(&chat, "chat")]});
    let subject = format!("{topic}-union");
    let answer = http::json(Method::POST, &format!("{url}/subjects/{subject}/versions"), &body).await?;
    let id = u32::try_from(answer["id"].as_u64().context("no id")?)?;
    pipeline.config.receiver.sources.get_mut("cxone").context("no source")?.subject = subject;
    pipeline.config.elasticsearch.documents.event_type = avro::EventType::Name;

    let receiver = pipeline.receiver().await?;
    let (mut one, mut two) = (vec![0, 14], vec![2]);
    put_string(&mut one, "c-1");
    put_string(&mut two, "hello");
    put_string(&mut two, "c-2");
    for event in [&one, &two] {
        let answer = pipeline.post(&receiver, &[AVRO], event).await?;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let records = pipeline.kafka.read_all(&topic).await?;
    let mut keys: Vec<_> = records.iter().filter_map(|record| record.key.clone()).collect();
    keys.sort();
    assert_eq!(keys, [b"c-1".to_vec(), b"c-2".to_vec()]);
    assert!(
        records.iter().all(|record| record.value.as_ref().is_some_and(|value| value.starts_with(&frame(SchemaId(id)))))
    );

    let indexer = pipeline.indexer().await?;
    let found = documents(&pipeline).await?;
    let (short_call, short_chat) = (json!("call"), json!("chat"));
    assert_eq!((&found[0]["seconds"], &found[0]["_event_type"]), (&json!(7), &short_call), "{found:?}");
    assert_eq!((&found[1]["text"], &found[1]["_event_type"]), (&json!("hello"), &short_chat), "{found:?}");
    let elasticsearch = &pipeline.config.elasticsearch;
    let mapping = http::get(&format!("{}/{}/_mapping", elasticsearch.url, elasticsearch.index_name)).await?.json()?;
    let fields = mapping.as_object().and_then(|indices| indices.values().next()).context("no index")?;
    assert_eq!(fields["mappings"]["properties"]["seconds"]["type"], "integer", "{mapping}");
    assert_eq!(fields["mappings"]["properties"]["text"]["type"], "keyword", "{mapping}");
    receiver.stop().await?;
    indexer.stop().await
}

/// Starts a registry that returns one schema for every subject. It is a stub, because the real registry of this stack
/// refuses such schemas, which others have accepted for years.
async fn registry(id: u32, schema: String) -> Result<String> {
    let latest = json!({"subject": "s", "version": 1, "id": id, "schema": &schema}).to_string();
    let by_id = json!({"schema": schema}).to_string();
    let router = Router::new()
        .route("/subjects/{subject}/versions/latest", get(|| async { latest }))
        .route("/schemas/ids/{id}", get(|| async { by_id }));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(url)
}

/// The schema has a namespace with a dash, an alias that is not a name, defaults that do not parse, and misplaced
/// logical types.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_with_oddities_that_reading_ignores_is_used() -> Result<()> {
    let odd = json!({"type": "record", "name": "Envelope", "namespace": "abc-123.inventory", "aliases": ["detail-type"], "fields": [
        {"name": "event_id", "type": "string"},
        {"name": "ref", "type": {"type": "string", "logicalType": "uuid"}, "default": ""},
        {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["A", "B"], "logicalType": "uuid"}, "default": ""},
        {"name": "text", "type": "string", "default": null},
        {"name": "list", "type": {"type": "array", "items": "string", "logicalType": "decimal"}},
        {"name": "number", "type": {"type": "int", "logicalType": 5}}]});
    let mut pipeline = Pipeline::new(&Stack::running()?, "schemas-odd").await?;
    let id = 7;
    pipeline.config.schema_registry.url = registry(id, odd.to_string()).await?;
    let receiver = pipeline.receiver().await?;
    let event = |id: &str| {
        let mut event = Vec::new();
        put_string(&mut event, id);
        put_string(&mut event, "0198c7f2-6b1e-7d3a-9c55-2f41d0a7be13");
        event.push(2);
        put_string(&mut event, "x");
        event.extend_from_slice(&[2, 2, b'y', 0, 4]);
        event
    };
    let answer = pipeline.post(&receiver, &[AVRO], &event("a")).await?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    // Another producer wrote this record.
    let value = [frame(SchemaId(id)).as_slice(), &event("b")].concat();
    let record = Raw { partition: 0, key: Some(b"b".to_vec()), value: Some(value), timestamp: None };
    pipeline.kafka.produce(&pipeline.config.kafka.topic, &[record]).await?;
    let indexer = pipeline.indexer().await?;
    let found = documents(&pipeline).await?;
    assert_eq!(found.len(), 2, "{found:?}");
    let expected = json!(["B", "x", ["y"], 2]);
    for document in found {
        assert_eq!(json!([document["kind"], document["text"], document["list"], document["number"]]), expected);
    }
    receiver.stop().await?;
    indexer.stop().await
}

/// Returns whether the schema in use is outdated, and whether it is the schema `id`: 1 each.
async fn schema_gauges(admin: &str, id: u32) -> Result<(f64, f64)> {
    let outdated = metric(admin, "penstock_receiver_schema_outdated{source=\"cxone\"}").await?;
    let info = format!("penstock_receiver_schema_info{{schema_id=\"{id}\",source=\"cxone\"}}");
    Ok((outdated, metric(admin, &info).await?))
}

/// Version 2 lacks the key field, so events are still checked with version 1, even by a receiver that starts later.
/// Readiness and metrics report it until version 3 has the field again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_usable_version_stays_in_use_and_is_reported() -> Result<()> {
    let plain =
        |key: &str| json!({"type": "record", "name": "Plain", "fields": [{"name": key, "type": "string"}]}).to_string();
    let (mut pipeline, subject, first) = pipeline("schemas-outdated", &plain("event_id")).await?;
    pipeline.config.schema_registry.refresh = Duration::from_millis(200);
    let url = pipeline.config.schema_registry.url.clone();
    let running = pipeline.receiver().await?;
    let level = json!({"compatibility": "NONE"});
    http::json(Method::PUT, &format!("{url}/config/{subject}"), &level).await?;
    let second = register(&url, &subject, &plain("id")).await?;
    let mut event = Vec::new();
    put_string(&mut event, "a");
    let started = pipeline.receiver().await?;
    for receiver in [&running, &started] {
        eventually("the older schema is named", || async {
            let answer = http::get(&format!("{}/readyz", receiver.admin_url())).await?;
            let text = answer.text();
            let named = [format!("schema id {second}, the latest"), format!("schema id {first} stays in use")];
            let is_named = named.iter().all(|words| text.contains(words));
            anyhow::ensure!(answer.status == 200 && is_named, "{}: {text}", answer.status);
            Ok(())
        })
        .await?;
        assert_eq!(schema_gauges(&receiver.admin_url(), first).await?, (1.0, 1.0));
        let answer = pipeline.post(receiver, &[AVRO], &event).await?;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let more = plain("event_id").replace("]", ",{\"name\":\"note\",\"type\":\"string\",\"default\":\"\"}]");
    let third = register(&url, &subject, &more).await?;
    assert!(third > second, "{first}, {second}, {third}");
    for receiver in [&running, &started] {
        eventually("the latest version is in use again", || async {
            let gauges = schema_gauges(&receiver.admin_url(), third).await?;
            anyhow::ensure!(gauges == (0.0, 1.0), "{gauges:?}");
            Ok(())
        })
        .await?;
        assert_eq!(http::get(&format!("{}/readyz", receiver.admin_url())).await?.text(), "ready\n");
    }
    running.stop().await?;
    started.stop().await
}

/// The latest version is no Avro schema. The registry is a stub, because the real one refuses such a version.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unusable_latest_version_leaves_the_previous_in_use() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "schemas-unusable").await?;
    let text =
        json!({"type": "record", "name": "Plain", "fields": [{"name": "event_id", "type": "string"}]}).to_string();
    let version =
        |number: u32, text: &str| json!({"subject": "s", "version": number, "id": number, "schema": text}).to_string();
    let (usable, unusable) = (version(1, &text), version(2, r#"{"type": "record", "name": "Plain"}"#));
    let latest = unusable.clone();
    let router = Router::new()
        .route("/subjects/{subject}/versions", get(|| async { "[1,2]" }))
        .route("/subjects/{subject}/versions/1", get(|| async { usable }))
        .route("/subjects/{subject}/versions/2", get(|| async { unusable }))
        .route("/subjects/{subject}/versions/latest", get(|| async { latest }));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    pipeline.config.schema_registry.url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, router).await });
    let receiver = pipeline.receiver().await?;
    let mut event = Vec::new();
    put_string(&mut event, "a");
    let answer = pipeline.post(&receiver, &[AVRO], &event).await?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let text = http::get(&format!("{}/readyz", receiver.admin_url())).await?.text();
    assert!(text.starts_with("ready\n") && text.contains("schema id 1 stays in use"), "{text}");
    assert_eq!(metric(&receiver.admin_url(), r#"penstock_receiver_schema_outdated{source="cxone"}"#).await?, 1.0);
    receiver.stop().await
}
