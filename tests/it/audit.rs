//! The audit of a pipeline in which only the senders make mistakes: invalid events, wrong tokens, repeats, and events
//! with the id of another one.

use anyhow::{Context, Result};
use harness::audit::plan::Plan;
use harness::audit::sender::{Aim, Sender};
use harness::audit::{Exceptions, Oracle, world};
use harness::event::SCHEMA;
use harness::eventually::{eventually, patience};
use harness::http::Method;
use harness::pipeline::{PATH, Pipeline, Service};
use harness::stack::Stack;
use serde_json::json;

const EVENTS: u64 = 6_000;

/// A pipeline and the events that were sent through it.
struct Scene {
    pipeline: Pipeline,
    _services: [Service; 2],
}

impl Scene {
    async fn new(name: &str) -> Result<Self> {
        let pipeline = Pipeline::new(&Stack::running()?, name).await?;
        pipeline.kafka.create_topic(&pipeline.config.kafka.quarantine_topic, 1).await?;
        let services = [pipeline.receiver().await?, pipeline.indexer().await?];
        let aim = Aim {
            targets: vec![services[0].target()],
            path: PATH.to_owned(),
            connections: 16,
            per_second: 1_000,
            patience: patience(),
        };
        let plan = Plan::new(rand::random(), pipeline.schema_id);
        let sender = Sender::start(aim, plan, &pipeline.token, &pipeline.file("journal"))?;
        eventually("the events are sent", || async {
            let sent = sender.fared().events;
            anyhow::ensure!(sent >= EVENTS, "{sent} are");
            Ok(())
        })
        .await?;
        let fared = sender.stop().await?;
        eprintln!("{fared:?}");
        pipeline.all_committed().await?;
        Ok(Self { pipeline, _services: services })
    }

    async fn audit(&self) -> Result<harness::audit::Findings> {
        let mut oracle = Oracle::default();
        oracle.add(self.pipeline.schema_id, SCHEMA)?;
        let journal = self.pipeline.file("journal");
        world::audit(&self.pipeline, &journal, oracle, Exceptions::default(), Vec::new()).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audit_finds_only_deleted_and_changed_documents() -> Result<()> {
    let scene = Scene::new("audit").await?;
    let findings = scene.audit().await?;
    world::ensure_none(&scene.pipeline, &findings).await?;
    assert!(findings.letters > 10, "no dead letters: {findings}");
    assert!(findings.documents > 5_000, "{findings}");

    let index = &scene.pipeline.config.elasticsearch.index_name;
    scene.pipeline.search.refresh(index).await?;
    let hits = scene.pipeline.search.all(index).await?;
    // The chosen document must not have an id that another event has too.
    let letters = scene.pipeline.kafka.read_all(&scene.pipeline.config.kafka.dead_letter_topic).await?;
    let is_alone = |id: &String| letters.iter().all(|letter| letter.key.as_deref() != Some(id.as_bytes()));
    let mut alone: Vec<String> = hits.into_iter().map(|hit| hit.id).filter(is_alone).take(2).collect();
    alone.sort();
    let [lost, changed] = [&alone[0], &alone[1]];
    let backing = format!("{index}-000001");
    scene.pipeline.search.call(Method::DELETE, &format!("{backing}/_doc/{lost}"), &json!(null)).await?;
    let change = json!({"doc": {"action_type": "changed"}});
    scene.pipeline.search.call(Method::POST, &format!("{backing}/_update/{changed}"), &change).await?;
    let findings = scene.audit().await?;
    let found: Vec<&String> = findings.all.iter().map(|finding| &finding.id).collect();
    assert_eq!(found, [lost, changed], "{findings}");
    let error = world::ensure_none(&scene.pipeline, &findings).await.err().context("it is satisfied")?.to_string();
    assert!(error.contains("acknowledged, but missing") && error.contains("no document is there"), "{error}");
    Ok(())
}

harness::on_opensearch! { the_audit_finds_only_deleted_and_changed_documents }
