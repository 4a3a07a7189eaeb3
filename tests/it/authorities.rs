//! The certificate of Elasticsearch has another authority than before. The file with authorities
//! (`elasticsearch.ca_file`) is read again, and no restart is needed.

use anyhow::{Result, ensure};
use harness::certificates::Authority;
use harness::event::Events;
use harness::eventually::eventually;
use harness::http;
use harness::pipeline::{Pipeline, Service, ready};
use harness::sender::Mix;
use harness::stack::Stack;
use harness::terminator::Terminator;

const EVENTS: u64 = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_authority_in_its_file_counts_without_a_restart() -> Result<()> {
    let stack = Stack::running()?;
    let mut pipeline = Pipeline::new(&stack, "authorities").await?;
    let (before, after) = (Authority::new(&pipeline.file("before"))?, Authority::new(&pipeline.file("after"))?);
    let server = after.issue("server", &["127.0.0.1"])?;
    let elasticsearch = Terminator::start(&stack.elasticsearch_url(), &server).await?;
    let file = pipeline.file("ca.pem");
    std::fs::copy(before.ca_file(), &file)?;
    pipeline.config.elasticsearch.url = format!("https://127.0.0.1:{}", elasticsearch.port());
    pipeline.config.elasticsearch.ca_file = Some(file.clone());
    let mix = Mix::good(Events::unique());
    pipeline.feed(mix).write(0..EVENTS).await?;

    let indexer = Service::indexer(pipeline.config.clone()).await?;
    eventually("readiness says that the certificate is not accepted", || async {
        let unready = http::get(&format!("{}/readyz", indexer.admin_url())).await?.text();
        ensure!(unready.contains("certificate"), "{unready}");
        Ok(())
    })
    .await?;

    std::fs::copy(after.ca_file(), &file)?;
    pipeline.delivered_exactly(&mix.indexable(&(0..EVENTS).collect::<Vec<_>>())).await?;
    ready(&indexer.admin_url()).await?;
    indexer.stop().await
}
