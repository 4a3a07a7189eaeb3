//! A node of the registry that lags behind the others. An id that it lacks is looked up at other addresses and waited
//! for before anything is refused.
//!
//! The node is a stub before the real registry, which has a single node. The stub lacks one id for as long as the test
//! says.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use harness::event::{Events, SCHEMA};
use harness::eventually::eventually;
use harness::http;
use harness::kafka::Raw;
use harness::pipeline::{Pipeline, metric, register, uses_schema};
use harness::stack::Stack;
use registry::wire::{SchemaId, frame};
use serde_json::json;
use tokio::net::TcpListener;

const CONFLUENT: (&str, &str) = ("content-type", "application/vnd.confluent.avro");
const AVRO: (&str, &str) = ("content-type", "application/avro");

struct Behind {
    registry: String,
    lacks: u32,
    lagging: AtomicBool,
}

/// Starts a node that lacks the id `lacks` until the test says otherwise. Returns its address.
async fn behind(registry: &str, lacks: u32) -> Result<(Arc<Behind>, String)> {
    let state = Arc::new(Behind { registry: registry.to_owned(), lacks, lagging: AtomicBool::new(true) });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let router = Router::new().fallback(answer).with_state(Arc::clone(&state));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok((state, url))
}

async fn answer(State(state): State<Arc<Behind>>, uri: Uri) -> Response {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let asks_for_it = uri.path().split('/').any(|part| part == state.lacks.to_string()) && path.contains("/ids/");
    if asks_for_it && state.lagging.load(Ordering::Relaxed) {
        let body = json!({"error_code": 40403, "message": "Schema not found"});
        return (StatusCode::NOT_FOUND, body.to_string()).into_response();
    }
    match http::get(&format!("{}{path}", state.registry)).await {
        Ok(answer) => (answer.status, answer.body).into_response(),
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

/// Returns a schema that is registered while the services run.
fn newer() -> String {
    SCHEMA.replace(r#""fields": ["#, r#""fields": [{"name": "shift", "type": "int", "default": 0},"#)
}

fn body(id: u32, number: u64, events: &Events) -> Vec<u8> {
    [frame(SchemaId(id)).as_slice(), &[14], &events.event(number).encode()].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_that_the_first_address_lacks_is_found_at_another() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "lag-two").await?;
    let registry = pipeline.config.schema_registry.url.clone();
    let id = register(&registry, &pipeline.config.kafka.topic, &newer()).await?;
    let (_behind, url) = behind(&registry, id).await?;
    pipeline.config.schema_registry.url = format!("{url}, {registry}");
    let receiver = pipeline.receiver().await?;
    let events = Events::unique();
    for (number, header) in [(0, CONFLUENT), (1, AVRO)] {
        let answer = pipeline.post(&receiver, &[header], &body(id, number, &events)).await?;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let indexer = pipeline.indexer().await?;
    pipeline.delivered_exactly(&HashSet::from([events.id(0), events.id(1)])).await?;
    receiver.stop().await?;
    indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_waits_for_an_id_that_is_missing_for_a_while() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "lag-one").await?;
    let registry = pipeline.config.schema_registry.url.clone();
    let id = register(&registry, &pipeline.config.kafka.topic, &newer()).await?;
    let (behind, url) = behind(&registry, id).await?;
    pipeline.config.schema_registry.url = url;
    // The patience lasts longer than this test.
    pipeline.config.schema_registry.patience = Duration::from_secs(600);
    let events = Events::unique();
    let (key, value) = (Some(events.id(0).into_bytes()), Some(body(id, 0, &events)));
    let record = Raw { partition: 0, key, value, timestamp: None };
    pipeline.kafka.produce(&pipeline.config.kafka.topic, &[record]).await?;
    let indexer = pipeline.indexer().await?;
    let admin = indexer.admin_url();
    let topic = &pipeline.config.kafka.topic;
    let parked = format!(r#"penstock_indexer_parked_records_total{{reason="schema",topic="{topic}"}}"#);
    eventually("the record waits", || async {
        anyhow::ensure!(metric(&admin, &parked).await? == 1.0);
        Ok(())
    })
    .await?;
    assert_eq!(pipeline.kafka.count(&pipeline.config.kafka.dead_letter_topic).await?, 0);
    behind.lagging.store(false, Ordering::Relaxed);
    pipeline.delivered_exactly(&HashSet::from([events.id(0)])).await?;
    assert_eq!(pipeline.kafka.count(&pipeline.config.kafka.dead_letter_topic).await?, 0);
    indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_is_asked_to_retry_until_the_patience_is_over() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "lag-sender").await?;
    let registry = pipeline.config.schema_registry.url.clone();
    let subject = pipeline.config.kafka.topic.clone();
    // The subject has two versions: the latest, which the receiver knows, and one that the node lacks.
    let lacking = register(&registry, &subject, &newer()).await?;
    let latest = register(&registry, &subject, &newer().replace("shift", "turn")).await?;
    let (behind, url) = behind(&registry, lacking).await?;
    pipeline.config.schema_registry.url = url;
    pipeline.config.schema_registry.patience = Duration::from_secs(4);
    let source = pipeline.config.receiver.sources.get_mut("cxone").context("the source is there")?;
    source.older_versions = 0;
    let receiver = pipeline.receiver().await?;
    let admin = receiver.admin_url();
    assert!(uses_schema(&admin, latest).await?);

    let events = Events::unique();
    let answer = pipeline.post(&receiver, &[CONFLUENT], &body(lacking, 0, &events)).await?;
    assert_eq!((answer.status.as_u16(), answer.json()?["code"].as_str()), (503, Some("schema-pending")));
    assert_eq!(answer.header("retry-after"), Some("1"));
    eventually("it is refused for good", || async {
        let answer = pipeline.post(&receiver, &[CONFLUENT], &body(lacking, 0, &events)).await?;
        anyhow::ensure!(answer.status == 400 && answer.json()?["code"] == "unknown-schema", "{}", answer.text());
        Ok(())
    })
    .await?;
    behind.lagging.store(false, Ordering::Relaxed);
    eventually("it is taken once the node has it", || async {
        let answer = pipeline.post(&receiver, &[CONFLUENT], &body(lacking, 0, &events)).await?;
        anyhow::ensure!(answer.status == 200, "{}", answer.text());
        Ok(())
    })
    .await?;
    receiver.stop().await
}
