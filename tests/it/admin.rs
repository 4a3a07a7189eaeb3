//! The admin port of both services: liveness, readiness with reasons, and correct metrics.

use std::sync::Arc;

use anyhow::Result;
use harness::event::Events;
use harness::eventually::eventually;
use harness::http;
use harness::pipeline::{Pipeline, Service, metric};
use harness::ports;
use harness::sender::{Flaw, Mix, Progress};
use harness::stack::Stack;

/// Waits until the service is not ready for a reason that begins with `condition`. It must still be alive.
async fn not_ready(service: &Service, condition: &str) -> Result<()> {
    eventually(&format!("the service is not ready because of {condition}"), || async {
        let answer = http::get(&format!("{}/readyz", service.admin_url())).await?;
        let named = answer.text().lines().any(|line| line.starts_with(&format!("{condition}: ")));
        // Each condition says "starting" until its first check.
        let tells = !answer.text().contains(&format!("{condition}: starting"));
        anyhow::ensure!(answer.status == 503 && named && tells, "{}: {}", answer.status, answer.text());
        Ok(())
    })
    .await?;
    assert_eq!(http::get(&format!("{}/livez", service.admin_url())).await?.status, 200);
    Ok(())
}

/// Waits until the sample has the value.
async fn counted(service: &Service, sample: &str, expected: f64) -> Result<()> {
    eventually(&format!("{sample} is {expected}"), || async {
        let value = metric(&service.admin_url(), sample).await?;
        anyhow::ensure!(value == expected, "{value}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_count_what_happened() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "admin").await?;
    let (receiver, indexer) = (pipeline.receiver().await?, pipeline.indexer().await?);
    let mix = Mix { events: Events::unique(), flawed_every: 10, flaws: &[Flaw::Unmappable, Flaw::Truncated] };
    let load = pipeline.load(vec![receiver.target()], 4, 100, mix);
    let outcome = load.send(&Arc::new(Progress::default())).await?;
    assert_eq!((outcome.acknowledged.len(), outcome.refused.len()), (95, 5));
    pipeline.all_committed().await?;

    let indexed = r#"penstock_indexer_documents_total{outcome="indexed"}"#;
    counted(&indexer, "penstock_indexer_consumed_records_total", 95.0).await?;
    counted(&indexer, indexed, 90.0).await?;
    counted(&indexer, r#"penstock_indexer_documents_total{outcome="refused"}"#, 5.0).await?;
    counted(&indexer, r#"penstock_indexer_dead_letters_total{stage="index"}"#, 5.0).await?;
    counted(&receiver, r#"penstock_receiver_events_total{source="cxone"}"#, 95.0).await?;
    for service in [&receiver, &indexer] {
        let answer = http::get(&format!("{}/metrics", service.admin_url())).await?;
        assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4"));
        assert!(!answer.text().contains(&pipeline.token), "the token is in the metrics");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_without_kafka_is_alive_but_not_ready_and_can_be_stopped() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "admin-kafka").await?;
    pipeline.config.kafka.brokers = format!("127.0.0.1:{}", ports::free()?);
    let receiver = Service::receiver(pipeline.config.clone()).await?;
    not_ready(&receiver, "kafka").await?;
    receiver.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_indexer_without_kafka_is_alive_but_not_ready_and_can_be_stopped() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "admin-kafka").await?;
    pipeline.config.kafka.brokers = format!("127.0.0.1:{}", ports::free()?);
    let indexer = Service::indexer(pipeline.config.clone()).await?;
    not_ready(&indexer, "kafka").await?;
    indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_indexer_without_elasticsearch_is_alive_unready_and_stoppable() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "admin-elasticsearch").await?;
    pipeline.config.elasticsearch.url = format!("http://127.0.0.1:{}", ports::free()?);
    let indexer = Service::indexer(pipeline.config.clone()).await?;
    not_ready(&indexer, "index").await?;
    indexer.stop().await
}
