//! The dashboards and rules on real data: two receivers and two indexers run under load, a real Prometheus scrapes
//! them, and every query must return data.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use harness::certificates::Authority;
use harness::dashboards;
use harness::event::Events;
use harness::eventually::eventually;
use harness::http::{self, Method};
use harness::pipeline::{PATH, Pipeline, Service, ready};
use harness::prometheus::Prometheus;
use harness::sender::{Flaw, Mix, Progress};
use harness::stack::Stack;

/// The value of `$__rate_interval`: Grafana uses at least four scrapes.
const WINDOW: &str = "10s";

/// The metrics in alerts without a series while all is well, and why.
const ABSENT: [(&str, &str); 0] = [];

/// Starts a receiver with TLS, so that there are certificates. It gets no requests.
async fn with_tls(pipeline: &Pipeline) -> Result<Service> {
    let authority = Authority::new(&pipeline.file("tls"))?;
    let files = authority.issue("server", &["127.0.0.1"])?;
    let mut config = pipeline.config.clone();
    config.receiver.tls = Some(receiver::config::Tls {
        certificate_file: files.certificate,
        key_file: files.key,
        client_ca_file: Some(authority.ca_file()),
    });
    let receiver = Service::receiver(config).await?;
    ready(&receiver.admin_url()).await?;
    Ok(receiver)
}

/// Sends what the load does not: requests without credentials, and to a path that no source has.
async fn strangers(receiver: &Service) -> Result<()> {
    let nobody = http::send(Method::POST, &receiver.url(), &[], "an event").await?;
    ensure!(nobody.status == 401, "{}", nobody.status);
    let nowhere = format!("http://{}{PATH}/nowhere", receiver.target());
    ensure!(http::send(Method::POST, &nowhere, &[], "an event").await?.status == 404, "somebody has the path");
    Ok(())
}

/// Waits until each query of each panel returns a number.
async fn every_panel_has_data(prometheus: &Prometheus) -> Result<()> {
    let queries = dashboards::queries()?;
    eventually("every query of every panel returns data", || async {
        let mut empty = Vec::new();
        for query in &queries {
            let values = prometheus.query(&query.with_everything(WINDOW)).await?;
            if values.is_empty() {
                empty.push(query);
            }
        }
        ensure!(empty.is_empty(), "without data: {empty:#?}");
        Ok(())
    })
    .await
}

/// Waits until each rule was evaluated without an error. Recorded series and the metrics of alerts must have data.
async fn every_rule_has_data(prometheus: &Prometheus) -> Result<()> {
    eventually("every rule is evaluated and has data", || async {
        let rules = prometheus.rules().await?;
        ensure!(rules.len() > 40, "only {} rules", rules.len());
        let mut wanted = BTreeSet::new();
        for rule in &rules {
            let (name, expression) =
                (rule["name"].as_str().context("a name")?, rule["query"].as_str().context("a query")?);
            ensure!(rule["health"] == "ok", "{name}: {}: {}", rule["health"], rule["lastError"]);
            wanted.extend(dashboards::names(expression));
            if rule["type"] == "recording" {
                wanted.insert(name.to_owned());
            }
        }
        let mut empty = Vec::new();
        for name in wanted.iter().filter(|name| ABSENT.iter().all(|(absent, _)| absent != *name)) {
            if prometheus.query(name).await?.is_empty() {
                empty.push(name);
            }
        }
        ensure!(empty.is_empty(), "without data: {empty:?}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_query_of_every_dashboard_and_rule_returns_data() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "dashboards").await?;
    // The receivers must keep asking the registry while they are scraped.
    pipeline.config.schema_registry.refresh = Duration::from_secs(1);
    pipeline.kafka.create_topic(&pipeline.config.kafka.quarantine_topic, 1).await?;
    let receivers = [pipeline.receiver().await?, pipeline.receiver().await?];
    let indexers = [pipeline.indexer().await?, pipeline.indexer().await?];
    let third = with_tls(&pipeline).await?;
    let services = receivers.iter().chain([&third]).map(|it| (it, "receivers"));
    let services: Vec<_> = services.chain(indexers.iter().map(|it| (it, "indexers"))).collect();
    let addresses: Vec<String> = services.iter().map(|(service, _)| service.admin.to_string()).collect();
    let jobs: Vec<String> = services.iter().enumerate().map(|(number, (_, job))| format!("{job}-{number}")).collect();
    let targets: Vec<_> = addresses.iter().zip(&jobs).map(|(address, job)| (address.as_str(), job.as_str())).collect();
    let prometheus = Prometheus::start(pipeline.folder.path(), &targets).await?;

    let mix = Mix { events: Events::unique(), flawed_every: 10, flaws: &[Flaw::Unmappable, Flaw::Truncated] };
    let mut load = pipeline.load(receivers.iter().map(Service::target).collect(), 4, 100, mix);
    load.per_second = Some(200);
    let progress = Arc::new(Progress::held());
    let sending = tokio::spawn({
        let (load, progress) = (load.clone(), Arc::clone(&progress));
        async move { load.send(&progress).await }
    });
    strangers(&receivers[0]).await?;
    every_rule_has_data(&prometheus).await?;
    every_panel_has_data(&prometheus).await?;
    progress.release();
    let outcome = sending.await??;
    ensure!(!outcome.acknowledged.is_empty(), "nothing was sent");
    pipeline.all_committed().await
}
