//! The schema registry: down, at several addresses, behind TLS, and with schemas that refer to others.

use std::collections::HashSet;

use anyhow::{Context, Result};
use harness::certificates::Authority;
use harness::event::{Events, put_string};
use harness::eventually::eventually;
use harness::http::{self, Method};
use harness::pipeline::{Pipeline, Service, ready, register};
use harness::ports;
use harness::registry_link::RegistryLink;
use harness::stack::{API, Stack};
use harness::terminator::Terminator;
use serde_json::json;

const BARE: &[(&str, &str)] = &[("content-type", "application/avro")];

async fn not_ready(receiver: &Service) -> Result<()> {
    eventually("the receiver is not ready for want of a schema", || async {
        let answer = http::get(&format!("{}/readyz", receiver.admin_url())).await?;
        let named = answer.text().contains("subject");
        anyhow::ensure!(answer.status == 503 && named, "{}: {}", answer.status, answer.text());
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_started_without_a_registry_becomes_ready_later() -> Result<()> {
    let stack = Stack::running()?;
    let mut pipeline = Pipeline::new(&stack, "registry-late").await?;
    let mut link = RegistryLink::open(&stack).await?;
    pipeline.config.schema_registry.url = link.url();
    link.cut();
    let receiver = Service::receiver(pipeline.config.clone()).await?;
    not_ready(&receiver).await?;
    let event = Events::unique().event(0).encode();
    assert_eq!(pipeline.post(&receiver, BARE, &event).await?.status, 503);
    link.reopen().await?;
    ready(&receiver.admin_url()).await?;
    assert_eq!(pipeline.post(&receiver, BARE, &event).await?.status, 200);
    receiver.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_started_without_a_registry_use_the_schemas_on_disk() -> Result<()> {
    let stack = Stack::running()?;
    let mut pipeline = Pipeline::new(&stack, "registry-kept").await?;
    let mut link = RegistryLink::open(&stack).await?;
    pipeline.config.schema_registry.url = link.url();
    pipeline.config.schema_registry.cache_dir = Some(pipeline.file("schemas"));
    let events = Events::unique();
    let mut sent = HashSet::new();

    let receiver = pipeline.receiver().await?;
    assert_eq!(pipeline.post(&receiver, BARE, &events.event(0).encode()).await?.status, 200);
    sent.insert(events.id(0));
    receiver.stop().await?;

    link.cut();
    // The receiver is ready although no registry is reachable. The indexer is another process and has seen no schema.
    let receiver = pipeline.receiver().await?;
    assert_eq!(pipeline.post(&receiver, BARE, &events.event(1).encode()).await?.status, 200);
    sent.insert(events.id(1));
    let id = pipeline.schema_id.to_string();
    let named = [BARE, &[("x-schema-id", id.as_str())]].concat();
    assert_eq!(pipeline.post(&receiver, &named, &events.event(2).encode()).await?.status, 200);
    sent.insert(events.id(2));
    let unknown = [BARE, &[("x-schema-id", "2000000000")]].concat();
    assert_eq!(pipeline.post(&receiver, &unknown, &events.event(3).encode()).await?.status, 503);
    let indexer = pipeline.indexer().await?;
    pipeline.delivered_exactly(&sent).await?;

    link.reopen().await?;
    eventually("the registry answers again", || async {
        let status = pipeline.post(&receiver, &unknown, &events.event(3).encode()).await?.status;
        anyhow::ensure!(status == 400, "{status}");
        Ok(())
    })
    .await?;
    receiver.stop().await?;
    indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_registry_address_before_the_right_one_does_no_harm() -> Result<()> {
    let stack = Stack::running()?;
    let mut pipeline = Pipeline::new(&stack, "registry-urls").await?;
    let dead = ports::free()?;
    pipeline.config.schema_registry.url = format!("http://127.0.0.1:{dead}{API}, {}", stack.registry_url());
    let receiver = pipeline.receiver().await?;
    assert_eq!(pipeline.post(&receiver, BARE, &Events::unique().event(0).encode()).await?.status, 200);
    receiver.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_that_refers_to_another_is_validated_and_indexed() -> Result<()> {
    let stack = Stack::running()?;
    let mut pipeline = Pipeline::new(&stack, "registry-references").await?;
    let subject = format!("{}-call", pipeline.config.kafka.topic);
    let party =
        json!({"type": "record", "name": "Party", "namespace": "refs", "fields": [{"name": "name", "type": "string"}]});
    register(&stack.registry_url(), &format!("{subject}-party"), &party.to_string()).await?;
    let call = json!({"type": "record", "name": "Call", "namespace": "refs", "fields": [
        {"name": "event_id", "type": "string"}, {"name": "caller", "type": "refs.Party"}]});
    let references = json!([{"name": "refs.Party", "subject": format!("{subject}-party"), "version": 1}]);
    let body = json!({"schema": call.to_string(), "references": references});
    http::json(Method::POST, &format!("{}/subjects/{subject}/versions", stack.registry_url()), &body).await?;
    let source = pipeline.config.receiver.sources.get_mut("cxone").context("the pipeline has no source")?;
    source.subject = subject;

    let receiver = pipeline.receiver().await?;
    let mut event = Vec::new();
    put_string(&mut event, "call-1");
    put_string(&mut event, "Ada");
    assert_eq!(pipeline.post(&receiver, BARE, &event).await?.status, 200);
    assert_eq!(pipeline.post(&receiver, BARE, &event[..event.len() - 1]).await?.status, 400);
    let indexer = pipeline.indexer().await?;
    pipeline.all_committed().await?;
    let index = &pipeline.config.elasticsearch.index_name;
    pipeline.search.refresh(index).await?;
    let hits = pipeline.search.call(Method::POST, &format!("{index}/_search"), &json!({})).await?;
    assert_eq!(hits["hits"]["hits"][0]["_source"]["caller"]["name"], "Ada", "{hits}");
    receiver.stop().await?;
    indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_with_tls_is_asked_with_a_client_certificate() -> Result<()> {
    let stack = Stack::running()?;
    let mut pipeline = Pipeline::new(&stack, "registry-tls").await?;
    let authority = Authority::new(&pipeline.file("authority"))?;
    let server = authority.issue("registry", &["127.0.0.1"])?;
    let client = authority.issue("penstock", &["penstock"])?;
    let terminator = Terminator::start_for(&stack.registry_url(), &server, &authority).await?;
    let registry = &mut pipeline.config.schema_registry;
    registry.url = format!("https://127.0.0.1:{}{API}", terminator.port());
    registry.ca_file = Some(authority.ca_file());
    let without_certificate = Service::receiver(pipeline.config.clone()).await?;
    not_ready(&without_certificate).await?;
    without_certificate.stop().await?;

    let registry = &mut pipeline.config.schema_registry;
    registry.client_certificate_file = Some(client.certificate);
    registry.client_key_file = Some(client.key);
    let receiver = pipeline.receiver().await?;
    assert_eq!(pipeline.post(&receiver, BARE, &Events::unique().event(0).encode()).await?.status, 200);
    receiver.stop().await
}
