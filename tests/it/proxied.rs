//! Forward proxies between the services and the registry, Elasticsearch and CXone: set by the keys of the config, or by
//! the usual environment variables.

use anyhow::{Context, Result};
use harness::event::Events;
use harness::eventually::eventually;
use harness::forward_proxy::{ForwardProxy, environment};
use harness::pipeline::{Pipeline, ready};
use harness::ports;
use harness::process::{self, Binary, Process, write_config};
use harness::stack::Stack;

const AVRO: [(&str, &str); 1] = [("content-type", "application/avro")];

/// Waits until the proxy has forwarded a request to the server at `url`.
async fn passes(proxy: &ForwardProxy, url: &str) -> Result<()> {
    eventually("the requests go by the proxy", || async {
        anyhow::ensure!(proxy.requests(url) > 0, "none for {url}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_go_through_the_proxies_of_the_config() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "proxied-keys").await?;
    let (to_registry, to_elasticsearch) = (ForwardProxy::start().await?, ForwardProxy::start().await?);
    pipeline.config.schema_registry.proxy = Some(to_registry.url());
    pipeline.config.elasticsearch.proxy = Some(to_elasticsearch.url());
    for shown in [format!("{:?}", pipeline.config), serde_json::to_string(&pipeline.config)?] {
        assert!(!ForwardProxy::PASSWORDS.iter().any(|password| shown.contains(password)), "{shown}");
    }
    let receiver = pipeline.receiver().await?;
    let event = Events::unique().event(0);
    assert_eq!(pipeline.post(&receiver, &AVRO, &event.encode()).await?.status, 200);
    passes(&to_registry, &pipeline.config.schema_registry.url).await?;
    assert_eq!(to_elasticsearch.requests(&pipeline.config.schema_registry.url), 0);

    let indexer = pipeline.indexer().await?;
    pipeline.delivered_exactly(&[event.event_id.clone()].into()).await?;
    passes(&to_elasticsearch, &pipeline.config.elasticsearch.url).await?;
    receiver.stop().await?;
    indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_key_the_variables_count_and_no_proxy_exempts_hosts() -> Result<()> {
    process::build().await?;
    let mut pipeline = Pipeline::new(&Stack::running()?, "proxied-variables").await?;
    let port = ports::free()?;
    pipeline.config.indexer.admin_listen.set_port(port);
    let file = pipeline.file("penstock.yaml");
    write_config(&pipeline.config, &file)?;
    let event = Events::unique().event(0);
    let mut sent = std::collections::HashSet::new();
    for (number, name) in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"].into_iter().enumerate() {
        let proxy = ForwardProxy::start().await?;
        let exempt = pipeline.config.schema_registry.url.trim_start_matches("http://").to_owned();
        let host = exempt.split(':').next().context("no host")?.to_owned();
        let mut variables = environment(&[(name, &proxy.url())]);
        let log = pipeline.file(&format!("indexer-{number}.log"));
        let indexer = Process::start(Binary::Indexer, &file, &variables, &log)?;
        let admin = format!("http://127.0.0.1:{port}");
        ready(&admin).await.with_context(|| indexer.last_lines())?;
        // A new event makes the services ask the registry too.
        let receiver = pipeline.receiver().await?;
        let event = if number == 0 { event.clone() } else { Events::unique().event(0) };
        assert_eq!(pipeline.post(&receiver, &AVRO, &event.encode()).await?.status, 200);
        sent.insert(event.event_id.clone());
        pipeline.delivered_exactly(&sent).await.with_context(|| indexer.last_lines())?;
        passes(&proxy, &pipeline.config.elasticsearch.url).await?;
        passes(&proxy, &pipeline.config.schema_registry.url).await?;
        drop(indexer);
        let said = std::fs::read_to_string(&log)?;
        assert!(!ForwardProxy::PASSWORDS.iter().any(|password| said.contains(password)), "{said}");

        if number == 0 {
            let before = proxy.requests(&pipeline.config.elasticsearch.url);
            variables.push(("NO_PROXY".to_owned(), host));
            let indexer = Process::start(Binary::Indexer, &file, &variables, &log)?;
            ready(&admin).await.with_context(|| indexer.last_lines())?;
            assert_eq!(proxy.requests(&pipeline.config.elasticsearch.url), before, "NO_PROXY has the host");
        }
    }
    Ok(())
}
