//! Search servers: one that is too old, one that hides its version, and the differences of OpenSearch.
//!
//! A front answers `GET /` for a server that is too old or hides its version, because no such server is started here.
//! It passes all other requests to the real server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use harness::event::Events;
use harness::eventually::eventually;
use harness::http::{self, Method};
use harness::pipeline::{Pipeline, Service};
use harness::sender::Mix;
use harness::server::Server;
use harness::stack::Stack;
use indexer::commands::{SetUp, set_up};
use indexer::config::{Lifecycle, Strategy};
use serde_json::{Value, json};
use tokio_util::sync::{CancellationToken, DropGuard};

const EVENTS: u64 = 100;

/// A front before the real server that answers `GET /` itself while the test wants it to.
struct Front {
    url: String,
    hides: Arc<AtomicBool>,
    _stop: DropGuard,
}

#[derive(Clone)]
struct Way {
    upstream: String,
    hides: Arc<AtomicBool>,
    status: StatusCode,
    main: String,
}

impl Front {
    /// Starts a front before `upstream` that answers `GET /` with `status` and `main`.
    async fn start(upstream: &str, status: u16, main: Value) -> Result<Self> {
        let hides = Arc::new(AtomicBool::new(true));
        let way = Way {
            upstream: upstream.to_owned(),
            hides: Arc::clone(&hides),
            status: StatusCode::from_u16(status)?,
            main: main.to_string(),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let (stop, app) = (CancellationToken::new(), Router::new().fallback(pass).with_state(way));
        let stopped = stop.clone().cancelled_owned();
        tokio::spawn(async move { axum::serve(listener, app).with_graceful_shutdown(stopped).await });
        Ok(Self { url, hides, _stop: stop.drop_guard() })
    }
}

async fn pass(State(way): State<Way>, request: Request) -> Response {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    if path == "/" && way.hides.load(Ordering::SeqCst) {
        return (way.status, [("content-type", "application/json")], way.main).into_response();
    }
    match forward(&way.upstream, &path, request).await {
        Ok(response) => response,
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

/// Returns the answer of the real server, without the header that names its product.
pub(super) async fn forward(upstream: &str, path: &str, request: Request) -> Result<Response> {
    let (head, body) = request.into_parts();
    let media_type = head.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let headers = [("content-type", media_type)];
    let sent = if media_type.is_empty() { &[][..] } else { &headers };
    let body = to_bytes(body, usize::MAX).await?;
    let answer = http::send(head.method, &format!("{upstream}{path}"), sent, body).await?;
    let mut headers = HeaderMap::new();
    if let Some(media_type) = answer.headers.get(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, media_type.clone());
    }
    Ok((answer.status, headers, Body::from(answer.body)).into_response())
}

/// Indexes some events with an indexer that is ready, and checks that each is a document.
async fn delivers(pipeline: &Pipeline, indexer: Service) -> Result<()> {
    let mix = Mix::good(Events::unique());
    pipeline.feed(mix).write(0..EVENTS).await?;
    pipeline.delivered_exactly(&mix.indexable(&(0..EVENTS).collect::<Vec<_>>())).await?;
    indexer.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_too_old_is_refused_until_it_is_upgraded() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "too-old").await?;
    let (name, version) = match Server::current() {
        Server::Elasticsearch => ("Elasticsearch 8.6.2", json!({"number": "8.6.2"})),
        Server::OpenSearch => ("OpenSearch 1.3.20", json!({"number": "1.3.20", "distribution": "opensearch"})),
    };
    let front = Front::start(&pipeline.config.elasticsearch.url, 200, json!({ "version": version })).await?;
    pipeline.config.elasticsearch.url.clone_from(&front.url);
    let refused = set_up(&pipeline.config.of_indexer(), SetUp::default()).await.unwrap_err().to_string();
    assert!(refused.contains(name) && refused.contains("too old"), "{refused}");

    let indexer = Service::indexer(pipeline.config.clone()).await?;
    eventually("readiness names the server and what is needed", || async {
        let answer = http::get(&format!("{}/readyz", indexer.admin_url())).await?;
        let text = answer.text();
        let is_named = text.lines().any(|line| line.contains(name) && line.contains("or later"));
        anyhow::ensure!(answer.status == 503 && is_named, "{}: {text}", answer.status);
        Ok(())
    })
    .await?;
    let index = &pipeline.config.elasticsearch.index_name;
    assert!(pipeline.search.call(Method::GET, &format!("_alias/{index}"), &Value::Null).await.is_err(), "it was made");
    front.hides.store(false, Ordering::SeqCst);
    harness::pipeline::ready(&indexer.admin_url()).await?;
    delivers(&pipeline, indexer).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hides_its_version_is_recognised() -> Result<()> {
    for status in [403, 404] {
        let mut pipeline = Pipeline::new(&Stack::running()?, "hidden").await?;
        let hidden = json!({"error": {"type": "security_exception", "reason": "no"}, "status": status});
        let front = Front::start(&pipeline.config.elasticsearch.url, status, hidden).await?;
        pipeline.config.elasticsearch.url.clone_from(&front.url);
        let indexer = pipeline.indexer().await?;
        delivers(&pipeline, indexer).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_shows_the_refusals_of_the_server() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "dry-run").await?;
    let name = pipeline.config.elasticsearch.index_name.clone();
    pipeline.config.elasticsearch.mapping.subject = Some(name.clone());
    let dry = SetUp { dry_run: true, force: false };
    let requests = set_up(&pipeline.config.of_indexer(), dry).await?;
    assert!(requests.iter().any(|request| request.starts_with("PUT /_index_template/")), "{requests:?}");
    // Nothing was created. Existing templates are checked again.
    assert!(
        pipeline.search.call(Method::GET, &format!("_index_template/penstock-{name}"), &Value::Null).await.is_err()
    );
    set_up(&pipeline.config.of_indexer(), SetUp::default()).await?;
    set_up(&pipeline.config.of_indexer(), dry).await?;

    let text = json!({"type": "text", "analyzer": "no-such-analyzer"});
    pipeline.config.elasticsearch.mapping.fields = serde_json::from_value(json!({ "action_type": text }))?;
    let refused = set_up(&pipeline.config.of_indexer(), dry).await.unwrap_err().to_string();
    assert!(refused.contains("_simulate") && refused.contains("no-such-analyzer"), "{refused}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fields_of_the_operators_template_apply_without_a_conflict() -> Result<()> {
    let pipeline = Pipeline::new(&Stack::running()?, "custom").await?;
    let name = &pipeline.config.elasticsearch.index_name;
    let fields = json!({"action_type": {"type": "text"}, "theirs": {"type": "keyword"}});
    let custom = json!({"template": {"mappings": {"properties": fields}, "settings": {"refresh_interval": "7s"}}});
    pipeline.search.call(Method::PUT, &format!("_component_template/{name}@custom"), &custom).await?;
    set_up(&pipeline.config.of_indexer(), SetUp::default()).await?;
    let indexer = pipeline.indexer().await?;
    let url = indexer.admin_url();
    let mix = Mix::good(Events::unique());
    pipeline.feed(mix).write(0..EVENTS).await?;
    pipeline.all_committed().await?;
    let conflicts = harness::pipeline::metric(&url, "penstock_indexer_mapping_conflicts").await?;
    assert_eq!(conflicts, 0.0);
    let index = pipeline.search.call(Method::GET, &format!("{name}-000001"), &Value::Null).await?;
    let index = &index[format!("{name}-000001")];
    assert_eq!(index["mappings"]["properties"]["action_type"]["type"], "text", "{index}");
    assert_eq!(index["settings"]["index"]["refresh_interval"], "7s", "{index}");
    pipeline.delivered_exactly(&mix.indexable(&(0..EVENTS).collect::<Vec<_>>())).await?;
    indexer.stop().await
}

/// The build of the real OpenSearch has no Index State Management.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_lifecycle_policies_still_gets_every_document() -> Result<()> {
    for (strategy, lifecycle) in [
        (Strategy::Rollover, None),
        (Strategy::Rollover, Some(Lifecycle::Ism)),
        (Strategy::DataStream, Some(Lifecycle::Ism)),
        (Strategy::DataStream, Some(Lifecycle::Dsl)),
        (Strategy::Time, None),
        (Strategy::Single, None),
    ] {
        let mut pipeline = Pipeline::new(&Stack::running()?, "lifecycle").await?;
        let path = pipeline.file("ilm.yaml");
        let rollover = if strategy == Strategy::Time { "" } else { "hot:\n  rollover_max_docs: 1000000\n" };
        let name = &pipeline.config.elasticsearch.index_name;
        std::fs::write(&path, format!("policy_name: {name}\n{rollover}delete:\n  min_age: 90d\n"))?;
        if strategy != Strategy::Single {
            pipeline.config.ilm_config_path = Some(path);
        }
        pipeline.config.elasticsearch.strategy = strategy;
        pipeline.config.elasticsearch.lifecycle = lifecycle;
        let indexer = pipeline.indexer().await.with_context(|| format!("{strategy:?}, {lifecycle:?}"))?;
        delivers(&pipeline, indexer).await.with_context(|| format!("{strategy:?}, {lifecycle:?}"))?;
    }
    Ok(())
}

harness::on_opensearch! {
    a_server_that_is_too_old_is_refused_until_it_is_upgraded,
    a_server_that_hides_its_version_is_recognised,
    a_dry_run_shows_the_refusals_of_the_server,
    fields_of_the_operators_template_apply_without_a_conflict,
    a_server_without_lifecycle_policies_still_gets_every_document,
}
