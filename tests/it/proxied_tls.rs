//! Servers with TLS, reached through forward proxies: by a tunnel (`CONNECT`), in which the proxy can read nothing.

use std::collections::HashSet;

use anyhow::{Context, Result};
use harness::certificates::Authority;
use harness::event::Events;
use harness::eventually::eventually;
use harness::forward_proxy::{ForwardProxy, environment};
use harness::http;
use harness::pipeline::{Pipeline, Service, ready};
use harness::ports;
use harness::process::{self, Binary, Process, write_config};
use harness::sender::Mix;
use harness::stack::{API, Stack};
use harness::terminator::Terminator;

const AVRO: [(&str, &str); 1] = [("content-type", "application/avro")];

/// A pipeline whose registry (at `localhost`) and Elasticsearch (at `127.0.0.1`) speak TLS.
struct Scene {
    pipeline: Pipeline,
    _terminators: [Terminator; 2],
}

impl Scene {
    async fn new(scenario: &str) -> Result<Self> {
        let stack = Stack::running()?;
        let mut pipeline = Pipeline::new(&stack, scenario).await?;
        let authority = Authority::new(&pipeline.file("authority"))?;
        let server = authority.issue("server", &["127.0.0.1", "localhost"])?;
        let registry = Terminator::start(&stack.registry_url(), &server).await?;
        let elasticsearch = Terminator::start(&stack.elasticsearch_url(), &server).await?;
        let config = &mut pipeline.config;
        config.schema_registry.url = format!("https://localhost:{}{API}", registry.port());
        config.schema_registry.ca_file = Some(authority.ca_file());
        config.elasticsearch.url = format!("https://127.0.0.1:{}", elasticsearch.port());
        config.elasticsearch.ca_file = Some(authority.ca_file());
        Ok(Self { pipeline, _terminators: [registry, elasticsearch] })
    }

    /// Returns the addresses of the registry and of Elasticsearch.
    fn urls(&self) -> [&str; 2] {
        [&self.pipeline.config.schema_registry.url, &self.pipeline.config.elasticsearch.url]
    }
}

/// Fails unless there were tunnels to `url`, and no other requests.
fn ensure_tunnelled(proxy: &ForwardProxy, url: &str) -> Result<()> {
    let (tunnels, requests) = (proxy.tunnels(url), proxy.requests(url));
    anyhow::ensure!(tunnels > 0 && requests == 0, "{url}: {tunnels} tunnels and {requests} requests in the open");
    Ok(())
}

/// Waits until the readiness of `service` says that the proxy refuses it. No password may be shown.
async fn held_up(service: &Service) -> Result<()> {
    eventually("readiness says that the proxy refuses", || async {
        let unready = http::get(&format!("{}/readyz", service.admin_url())).await?.text();
        anyhow::ensure!(unready.contains("proxy"), "{unready}");
        anyhow::ensure!(!ForwardProxy::PASSWORDS.iter().any(|password| unready.contains(password)), "{unready}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_proxies_of_the_config_open_tunnels_to_servers_with_tls() -> Result<()> {
    let mut scene = Scene::new("tunnel-keys").await?;
    let (to_registry, to_elasticsearch) = (ForwardProxy::start().await?, ForwardProxy::start().await?);
    let config = &mut scene.pipeline.config;
    config.schema_registry.proxy = Some(to_registry.url());
    config.elasticsearch.proxy = Some(to_elasticsearch.url());
    let receiver = scene.pipeline.receiver().await?;
    let event = Events::unique().event(0);
    assert_eq!(scene.pipeline.post(&receiver, &AVRO, &event.encode()).await?.status, 200);
    let indexer = scene.pipeline.indexer().await?;
    scene.pipeline.delivered_exactly(&[event.event_id.clone()].into()).await?;
    let [registry, elasticsearch] = scene.urls();
    ensure_tunnelled(&to_registry, registry)?;
    ensure_tunnelled(&to_elasticsearch, elasticsearch)?;
    assert_eq!((to_registry.tunnels(elasticsearch), to_elasticsearch.tunnels(registry)), (0, 0));
    receiver.stop().await?;
    indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_that_refuses_the_user_is_named_as_the_cause() -> Result<()> {
    let mut scene = Scene::new("tunnel-stranger").await?;
    let proxy = ForwardProxy::start().await?;
    let config = &mut scene.pipeline.config;
    config.schema_registry.proxy = Some(proxy.url_of_stranger());
    config.elasticsearch.proxy = Some(proxy.url_of_stranger());
    let receiver = Service::receiver(scene.pipeline.config.clone()).await?;
    held_up(&receiver).await?;
    let indexer = Service::indexer(scene.pipeline.config.clone()).await?;
    held_up(&indexer).await?;
    for url in scene.urls() {
        assert_eq!((proxy.tunnels(url), proxy.requests(url)), (0, 0), "{url}");
    }
    receiver.stop().await?;
    indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proxy_variables_open_tunnels_and_no_proxy_exempts_a_host() -> Result<()> {
    process::build().await?;
    let mut scene = Scene::new("tunnel-variables").await?;
    let port = ports::free()?;
    scene.pipeline.config.indexer.admin_listen.set_port(port);
    let (pipeline, admin) = (&scene.pipeline, format!("http://127.0.0.1:{port}"));
    let [registry, elasticsearch] = scene.urls();
    let (file, mut sent) = (pipeline.file("penstock.yaml"), HashSet::new());
    write_config(&pipeline.config, &file)?;
    let rounds = [("HTTPS_PROXY", ""), ("https_proxy", ""), ("ALL_PROXY", ""), ("HTTPS_PROXY", "localhost")];
    for (number, (name, exempt)) in rounds.into_iter().enumerate() {
        // The variable for plain HTTP does not apply to these servers.
        let (proxy, of_plain) = (ForwardProxy::start().await?, ForwardProxy::start().await?);
        let [url, url_of_plain] = [proxy.url(), of_plain.url()];
        let mut variables = environment(&[(name, &url), ("HTTP_PROXY", &url_of_plain)]);
        if !exempt.is_empty() {
            variables.push(("NO_PROXY".to_owned(), exempt.to_owned()));
        }
        let log = pipeline.file(&format!("indexer-{number}.log"));
        let indexer = Process::start(Binary::Indexer, &file, &variables, &log)?;
        ready(&admin).await.with_context(|| indexer.last_lines())?;
        let mix = Mix::good(Events::unique());
        pipeline.feed(mix).write(0..1).await?;
        sent.insert(mix.events.id(0));
        pipeline.delivered_exactly(&sent).await.with_context(|| indexer.last_lines())?;

        ensure_tunnelled(&proxy, elasticsearch).with_context(|| name.to_owned())?;
        match exempt.is_empty() {
            true => ensure_tunnelled(&proxy, registry).with_context(|| name.to_owned())?,
            false => assert_eq!(proxy.tunnels(registry), 0, "NO_PROXY has the host"),
        }
        for url in [registry, elasticsearch] {
            assert_eq!((of_plain.tunnels(url), of_plain.requests(url)), (0, 0), "{url}");
        }
        let said = std::fs::read_to_string(&log)?;
        assert!(!ForwardProxy::PASSWORDS.iter().any(|password| said.contains(password)), "{said}");
    }
    Ok(())
}
