//! Policies of Index State Management, on a stub of its API before the real OpenSearch, because no build available here
//! has the plugin. The stub keeps policies as the documentation of OpenSearch describes ("ISM API"), and hides the
//! plugin's setting from the real server, which does not know it. It does not execute policies.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method as HttpMethod, StatusCode};
use axum::response::{IntoResponse, Response};
use harness::event::Events;
use harness::pipeline::Pipeline;
use harness::sender::Mix;
use harness::stack::Stack;
use indexer::commands::{SetUp, set_up};
use indexer::config::{Lifecycle, Strategy};
use serde_json::{Value, json};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::servers::forward;

const EVENTS: u64 = 100;
const POLICIES: &str = "/_plugins/_ism/policies/";
const COMPONENTS: &str = "/_component_template/";
const NOW: SetUp = SetUp { dry_run: false, force: false };
const POLICY: &str = "hot:\n  rollover_max_age: 1d\n  rollover_max_size: 50gb\nwarm:\n  min_age: 2d\n  readonly: true\n\
    delete:\n  min_age: 90d\n";

/// An OpenSearch with a stub of the plugin.
struct Stub {
    url: String,
    kept: Kept,
    _stop: DropGuard,
}

/// The policies of the stub by path, and each request that changes one.
type Policies = (BTreeMap<String, Value>, Vec<String>);

#[derive(Clone, Debug, Default)]
struct Kept(Arc<Mutex<Policies>>);

#[derive(Clone)]
struct Way {
    upstream: String,
    kept: Kept,
}

impl Stub {
    async fn start(upstream: &str) -> Result<Self> {
        let kept = Kept::default();
        let way = Way { upstream: upstream.to_owned(), kept: kept.clone() };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let (stop, app) = (CancellationToken::new(), Router::new().fallback(answer).with_state(way));
        let stopped = stop.clone().cancelled_owned();
        tokio::spawn(async move { axum::serve(listener, app).with_graceful_shutdown(stopped).await });
        Ok(Self { url, kept, _stop: stop.drop_guard() })
    }

    fn policy(&self, name: &str) -> Value {
        self.kept.get(&format!("{POLICIES}{name}")).unwrap_or_default()
    }

    /// Returns the requests for policies since the last call.
    fn changes(&self) -> Vec<String> {
        std::mem::take(&mut self.kept.lock().1)
    }
}

impl Kept {
    fn lock(&self) -> std::sync::MutexGuard<'_, (BTreeMap<String, Value>, Vec<String>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, path: &str) -> Option<Value> {
        self.lock().0.get(path).cloned()
    }

    /// Stores the policy of `body` if it is new, or if `query` names the current version.
    fn put_policy(&self, path: &str, query: &str, body: &Value) -> (u16, Value) {
        let mut kept = self.lock();
        kept.1.push(format!("PUT {path}?{query}"));
        let sequence = kept.0.get(path).map(|known| known["_seq_no"].as_u64().unwrap_or_default());
        let expected = sequence.map(|sequence| format!("if_seq_no={sequence}&if_primary_term=1")).unwrap_or_default();
        if query != expected {
            return (409, error(409, "version_conflict_engine_exception"));
        }
        let policy = json!({
            "_id": path.trim_start_matches(POLICIES), "_seq_no": sequence.map_or(0, |last| last + 1),
            "_primary_term": 1, "policy": body["policy"],
        });
        kept.0.insert(path.to_owned(), policy.clone());
        (if sequence.is_some() { 200 } else { 201 }, policy)
    }
}

fn error(status: u16, error_type: &str) -> Value {
    json!({"error": {"type": error_type, "reason": "a stub's", "root_cause": []}, "status": status})
}

async fn answer(State(way): State<Way>, request: Request) -> Response {
    match answered(&way, request).await {
        Ok(response) => response,
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

async fn answered(way: &Way, request: Request) -> Result<Response> {
    let (head, body) = request.into_parts();
    let (path, query) = (head.uri.path().to_owned(), head.uri.query().unwrap_or_default().to_owned());
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
    let bytes = to_bytes(body, usize::MAX).await?;
    let mut json: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let is_put = head.method == HttpMethod::PUT;
    if path.starts_with(POLICIES) {
        let (status, answer) = match (is_put, way.kept.get(&path)) {
            (true, _) => way.kept.put_policy(&path, &query, &json),
            (false, Some(policy)) => (200, policy),
            (false, None) => (404, error(404, "status_exception")),
        };
        return Ok(response(status, &answer));
    }
    let name = path.strip_prefix(COMPONENTS).map(str::to_owned);
    if let (Some(name), false, Some(template)) = (&name, is_put, way.kept.get(&path)) {
        let kept = json!({"component_templates": [{"name": name, "component_template": template}]});
        return Ok(response(200, &kept));
    }
    let given = json.clone();
    let is_hidden = hide_setting(&mut json);
    let body = if is_hidden { json.to_string().into_bytes().into() } else { bytes };
    let forwarded = forward(&way.upstream, &target, Request::from_parts(head, Body::from(body))).await?;
    if name.is_some() && is_put && forwarded.status().is_success() {
        way.kept.lock().0.insert(path, given);
    }
    Ok(forwarded)
}

/// Removes the plugin's setting from a template. Returns whether it was there.
fn hide_setting(template: &mut Value) -> bool {
    let index = template.pointer_mut("/template/settings/index").and_then(Value::as_object_mut);
    index.is_some_and(|index| index.remove("plugins").is_some())
}

fn response(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [("content-type", "application/json")], body.to_string()).into_response()
}

fn set_policy(pipeline: &mut Pipeline, text: &str) -> Result<()> {
    let path = pipeline.file("ilm.yaml");
    std::fs::write(&path, format!("policy_name: {}\n{text}", pipeline.config.elasticsearch.index_name))?;
    pipeline.config.ilm_config_path = Some(path);
    Ok(())
}

async fn policies_are_created_once_and_follow_the_config() -> Result<()> {
    for strategy in [Strategy::Rollover, Strategy::DataStream] {
        let mut pipeline = Pipeline::new(&Stack::running()?, "ism-stub").await?;
        let stub = Stub::start(&pipeline.config.elasticsearch.url).await?;
        let name = pipeline.config.elasticsearch.index_name.clone();
        pipeline.config.elasticsearch.url.clone_from(&stub.url);
        pipeline.config.elasticsearch.strategy = strategy;
        pipeline.config.elasticsearch.lifecycle = Some(Lifecycle::Ism);
        set_policy(&mut pipeline, POLICY)?;

        set_up(&pipeline.config.of_indexer(), NOW).await?;
        let path = format!("{POLICIES}{name}");
        assert_eq!(stub.changes(), [format!("PUT {path}?")]);
        let policy = stub.policy(&name)["policy"].take();
        let states: Vec<&Value> = policy["states"].as_array().context("no states")?.iter().collect();
        let names: Vec<&Value> = states.iter().map(|state| &state["name"]).collect();
        assert_eq!(names, ["hot", "warm", "delete"]);
        assert_eq!(policy["default_state"], "hot");
        let rollover = json!([{"rollover": {"min_index_age": "1d", "min_size": "50gb"}}]);
        assert_eq!(states[0]["actions"], rollover);
        let pattern = if strategy == Strategy::DataStream { name.clone() } else { format!("{name}-*") };
        assert_eq!(policy["ism_template"][0]["index_patterns"], json!([pattern]));
        let template = stub.kept.get(&format!("{COMPONENTS}penstock-{name}")).context("no component template")?;
        let alias = template.pointer("/template/settings/index/plugins/index_state_management/rollover_alias");
        assert_eq!(alias, (strategy == Strategy::Rollover).then(|| json!(name)).as_ref());

        // Nothing needs to change, so a dry run prints nothing.
        set_up(&pipeline.config.of_indexer(), NOW).await?;
        assert_eq!(
            set_up(&pipeline.config.of_indexer(), SetUp { dry_run: true, force: false }).await?,
            Vec::<String>::new()
        );
        assert_eq!(stub.changes(), Vec::<String>::new());

        // Only the version that was read is replaced.
        set_policy(&mut pipeline, &POLICY.replace("90d", "30d"))?;
        set_up(&pipeline.config.of_indexer(), NOW).await?;
        assert_eq!(stub.changes(), [format!("PUT {path}?if_seq_no=0&if_primary_term=1")]);
        let changed = stub.policy(&name);
        assert!(changed.to_string().contains("30d") && changed["_seq_no"] == 1, "{changed}");

        let indexer = pipeline.indexer().await?;
        let mix = Mix::good(Events::unique());
        pipeline.feed(mix).write(0..EVENTS).await?;
        pipeline.delivered_exactly(&mix.indexable(&(0..EVENTS).collect::<Vec<_>>())).await?;
        indexer.stop().await?;
    }
    Ok(())
}

/// Somebody created the policy by hand, without Penstock's mark.
async fn a_foreign_policy_is_kept_until_setup_is_forced() -> Result<()> {
    let mut pipeline = Pipeline::new(&Stack::running()?, "ism-theirs").await?;
    let stub = Stub::start(&pipeline.config.elasticsearch.url).await?;
    let name = pipeline.config.elasticsearch.index_name.clone();
    pipeline.config.elasticsearch.url.clone_from(&stub.url);
    set_policy(&mut pipeline, POLICY)?;
    let theirs = json!({"policy": {"description": "ours since 2019", "default_state": "a", "states": []}});
    stub.kept.put_policy(&format!("{POLICIES}{name}"), "", &theirs);
    set_up(&pipeline.config.of_indexer(), NOW).await?;
    assert_eq!(stub.policy(&name)["policy"], theirs["policy"]);
    set_up(&pipeline.config.of_indexer(), SetUp { force: true, ..NOW }).await?;
    assert_eq!(stub.policy(&name)["policy"]["default_state"], "hot");
    Ok(())
}

mod opensearch {
    use harness::server::on_opensearch;

    #[test]
    fn policies_are_created_once_and_follow_the_config() -> anyhow::Result<()> {
        on_opensearch(|| run(super::policies_are_created_once_and_follow_the_config()))
    }

    #[test]
    fn a_foreign_policy_is_kept_until_setup_is_forced() -> anyhow::Result<()> {
        on_opensearch(|| run(super::a_foreign_policy_is_kept_until_setup_is_forced()))
    }

    fn run(scenario: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(scenario)
    }
}
