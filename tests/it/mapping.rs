//! Events of a schema with every type, with random and extreme values, go into an index with a strict mapping. No event
//! is refused, each reads back as the document rules say, and each field can be searched.

use anyhow::{Context, Result};
use harness::every_type::{self, Event};
use harness::http::{self, Method};
use harness::kafka::Raw;
use harness::pipeline::{Pipeline, metric, register};
use harness::size;
use harness::stack::Stack;
use registry::wire::{SchemaId, frame};
use serde_json::{Map, Value, json};

/// The number of events written to Kafka at a time.
const CHUNK: usize = 500;

fn records(schema: u32, events: &[Event]) -> Vec<Raw> {
    let record = |event: &Event| Raw {
        partition: 0,
        key: Some(event.id.clone().into_bytes()),
        value: Some([frame(SchemaId(schema)).as_slice(), &event.datum].concat()),
        timestamp: None,
    };
    events.iter().map(record).collect()
}

/// Returns all documents of the index by `event_id`, without `_ingested_at`.
async fn documents(url: &str) -> Result<Map<String, Value>> {
    let request = json!({ "size": 10_000, "query": { "match_all": {} } });
    let mut answer = http::json(Method::POST, &format!("{url}/_search"), &request).await?;
    let hits = answer["hits"]["hits"].as_array_mut().context("no hits")?;
    let mut documents = Map::new();
    for hit in hits {
        let mut source = hit["_source"].take();
        let fields = source.as_object_mut().context("no document")?;
        assert!(fields.remove("_ingested_at").is_some_and(|at| at.is_string()), "{fields:?}");
        documents.insert(source["event_id"].as_str().context("no id")?.to_owned(), source);
    }
    Ok(documents)
}

/// Returns whether both are the same value. Fractions may differ as far as an inexact JSON reader rounds them.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) if one.is_f64() || other.is_f64() => {
            let (one, other) = (one.as_f64().unwrap_or(f64::NAN), other.as_f64().unwrap_or(f64::NAN));
            (one - other).abs() <= one.abs() * 1e-12
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|other| same(value, other)))
        }
        _ => one == other,
    }
}

/// Returns a query for each kind of field, with the values of one document.
fn queries(document: &Map<String, Value>) -> Vec<Value> {
    let term = |path: &str, value: &Value| json!({ "term": { path: value } });
    let mut queries = Vec::new();
    let scalars = [
        "boolean",
        "int",
        "long",
        "enum",
        "uuid",
        "decimal",
        "decimal_fixed",
        "big_decimal",
        "time_millis",
        "time_micros",
        "nullable",
        "int_or_text",
        "_id_",
        "string",
    ];
    for name in scalars {
        // Text beyond the length limit of a term is only in the document.
        let value = &document[name];
        if !value.is_null() && value.as_str().is_none_or(|text| text.chars().count() <= 8_191) {
            queries.push(term(name, value));
        }
    }
    for name in ["date", "timestamp_millis", "timestamp_micros", "local_timestamp_nanos"] {
        // Beyond the year 9999, queries and documents use different notations.
        if document[name].is_string() {
            queries.push(json!({ "range": { name: { "gte": document[name], "lte": document[name] } } }));
        }
    }
    for (path, value) in [("record.x", &document["record"]["x"]), ("duration.days", &document["duration"]["days"])] {
        queries.push(term(path, value));
    }
    queries.push(term("tree.depth", &document["tree"]["depth"]));
    queries.extend(document["array"].as_array().into_iter().flatten().map(|item| term("array", item)));
    queries.extend(document["records"].as_array().into_iter().flatten().map(|item| term("records.x", &item["x"])));
    for (key, value) in document["map"].as_object().into_iter().flatten() {
        queries.push(json!({ "term": { format!("map.{key}"): value } }));
    }
    if let Some(double) = document["double"].as_f64() {
        queries.push(json!({ "range": { "double": { "gte": double - double.abs() * 1e-9, "lte": double + double.abs() * 1e-9 } } }));
    }
    queries
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_every_type_fit_the_strict_mapping_and_read_back() -> Result<()> {
    // One search returns no more than these.
    let count = size::number("PENSTOCK_MAPPING_EVENTS", 1_000)?.min(10_000);
    let pipeline = Pipeline::new(&Stack::running()?, "every-type").await?;
    let name = &pipeline.config.elasticsearch.index_name;
    let schema = register(&pipeline.config.schema_registry.url, &format!("{name}-every"), every_type::SCHEMA).await?;
    let events: Vec<Event> = (0..count).map(every_type::event).collect();
    for chunk in records(schema, &events).chunks(CHUNK) {
        pipeline.kafka.produce(&pipeline.config.kafka.topic, chunk).await?;
    }
    let indexer = pipeline.indexer().await?;
    pipeline.all_committed().await?;

    let dead = pipeline.kafka.read_all(&pipeline.config.kafka.dead_letter_topic).await?;
    let reasons: Vec<_> = dead.iter().filter_map(|record| record.header("dl.reason")).collect();
    assert!(dead.is_empty(), "{} refused: {reasons:#?}", dead.len());
    assert_eq!(metric(&indexer.admin_url(), "penstock_indexer_mapping_conflicts").await?, 0.0);
    let url = format!("{}/{name}", pipeline.config.elasticsearch.url);
    let mapping = http::get(&format!("{url}-000001/_mapping")).await?.json()?;
    assert_eq!(mapping[format!("{name}-000001")]["mappings"]["dynamic"], "strict");

    assert_eq!(pipeline.search.count(name).await?, count);
    let documents = documents(&url).await?;
    for event in &events {
        let found = documents.get(&event.id).with_context(|| format!("{} is not there", event.id))?;
        for (field, value) in &event.document {
            // Two texts may be equally short for one float.
            let float = |value: &Value| value.as_f64().map(|number| number as f32);
            let same = if field == "float" { float(&found[field]) == float(value) } else { same(&found[field], value) };
            assert!(same, "{}: {field}: {} and not {value}", event.id, found[field]);
        }
        assert_eq!(found.as_object().map(Map::len), Some(event.document.len()), "{}", event.id);
    }
    for event in events.iter().take(40) {
        for query in queries(&event.document) {
            let filter = json!([{ "ids": { "values": [event.id] } }, query]);
            let request = json!({ "query": { "bool": { "filter": filter } } });
            let found = http::json(Method::POST, &format!("{url}/_count"), &request).await?;
            assert_eq!(found["count"], 1, "{}: {query}", event.id);
        }
    }
    indexer.stop().await
}

harness::on_opensearch! {
    events_of_every_type_fit_the_strict_mapping_and_read_back,
}
