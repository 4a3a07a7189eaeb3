use std::time::Duration;

use serde_json::{Value, json};
use service::admin::Readiness;
use service::metrics::Registry;

use super::*;
use crate::bulk::Bulk;
use crate::bulk::tests::config;
use crate::bulk::tests::stub::{Reply, Stub, failure};
use crate::config::{Config, Delete, Hot, Lifecycle, LifecyclePolicy, Strategy};
use crate::elasticsearch::Client;
use fake::{Store, changes};

/// An index of `config`, with its readiness and metrics.
struct Fixture {
    index: Index,
    readiness: Arc<Readiness>,
    metrics: Metrics,
}

fn rollover(url: &str) -> Config {
    let mut config = config(url);
    config.elasticsearch.strategy = Strategy::Rollover;
    config
}

fn fixture(config: &Config, policy: Option<LifecyclePolicy>) -> Fixture {
    let lifecycle = if policy.is_some() { Lifecycle::Ilm } else { Lifecycle::None };
    fixture_of(config, policy, lifecycle, Requests::new)
}

/// Returns an index with `lifecycle` that sends with `requests`.
fn fixture_of(
    config: &Config,
    policy: Option<LifecyclePolicy>,
    lifecycle: Lifecycle,
    requests: impl Fn(Arc<Client>) -> Requests,
) -> Fixture {
    let client = Arc::new(Client::new(&config.elasticsearch).unwrap());
    let (readiness, metrics) = (Readiness::new(), Metrics::new(&Registry::new()).unwrap());
    let settings = IndexSettings { lifecycle, policy, ..IndexSettings::of(config).unwrap() };
    let backoff = Backoff { initial: Duration::from_millis(1), max: Duration::from_millis(5) };
    let index = Index::new(requests(client), settings, backoff, readiness.condition("index"), metrics.clone());
    Fixture { index, readiness, metrics }
}

fn policy(max_docs: u64) -> LifecyclePolicy {
    let hot = Hot { rollover_max_docs: Some(max_docs), ..Hot::default() };
    LifecyclePolicy { policy_name: "p".to_owned(), hot, warm: None, cold: None, delete: None }
}

fn schema(fields: &str) -> Schema {
    Schema::parse(&format!(r#"{{"type":"record","name":"E","fields":[{fields}]}}"#)).unwrap()
}

fn held(store: &Store, path: &str) -> Value {
    store.lock().unwrap().get(path).cloned().unwrap_or_default()
}

mod figures;
mod hands;

const COMPONENT: &str = "/_component_template/penstock-cxone-events";

#[tokio::test]
async fn a_single_index_is_created_with_its_template() {
    let (stub, store) = fake::start().await;
    let fixture = fixture(&config(&stub.url()), None);
    assert!(!fixture.readiness.is_ready());
    fixture.index.ensure(Known::Nothing).await;
    assert!(fixture.readiness.is_ready(), "{:?}", fixture.readiness.unmet());
    let template = "PUT /_index_template/penstock-cxone-events";
    // The index template is put twice, the second time with the hash of what is returned.
    assert_eq!(changes(&stub), [&format!("PUT {COMPONENT}"), template, template, "PUT /cxone-events"]);
    assert_eq!(held(&store, "/cxone-events")["mappings"]["dynamic"], "strict");
    assert_eq!(held(&store, &template[4..])["index_patterns"], json!(["cxone-events"]));
}

#[tokio::test]
async fn with_rollover_the_policy_and_the_first_backing_index_are_created() {
    let (stub, store) = fake::start().await;
    fixture(&rollover(&stub.url()), Some(policy(7))).index.ensure(Known::Nothing).await;
    let first = held(&store, "/cxone-events-000001");
    assert_eq!(first["aliases"], json!({ "cxone-events": { "is_write_index": true } }));
    assert_eq!(held(&store, "/_ilm/policy/p")["policy"]["phases"]["hot"]["actions"]["rollover"]["max_docs"], 7);
    let lifecycle = &held(&store, COMPONENT)["template"]["settings"]["index"]["lifecycle"];
    assert_eq!(*lifecycle, json!({ "name": "p", "rollover_alias": "cxone-events" }));
}

#[tokio::test]
async fn existing_resources_are_left_unchanged() {
    let (stub, _store) = fake::start().await;
    let fixture = fixture(&rollover(&stub.url()), Some(policy(7)));
    fixture.index.ensure(Known::Nothing).await;
    let before = changes(&stub).len();
    fixture.index.ensure(Known::Missing).await;
    assert_eq!(changes(&stub).len(), before);
}

#[tokio::test]
async fn a_changed_policy_is_updated_unless_it_was_changed_by_hand() {
    let (stub, store) = fake::start().await;
    let max_docs =
        || held(&store, "/_ilm/policy/p")["policy"]["phases"]["hot"]["actions"]["rollover"]["max_docs"].clone();
    fixture(&rollover(&stub.url()), Some(policy(7))).index.ensure(Known::Nothing).await;
    fixture(&rollover(&stub.url()), Some(policy(8))).index.ensure(Known::Nothing).await;
    assert_eq!(max_docs(), 8);
    store.lock().unwrap().get_mut("/_ilm/policy/p").unwrap()["policy"]["phases"]["hot"]["actions"]["rollover"]["max_docs"] =
        json!(99);
    fixture(&rollover(&stub.url()), Some(policy(9))).index.ensure(Known::Nothing).await;
    assert_eq!(max_docs(), 99);
    let overwriting = |client| Requests::new(client).overwriting(true);
    let forced = fixture_of(&rollover(&stub.url()), Some(policy(9)), Lifecycle::Ilm, overwriting);
    forced.index.set_up().await.unwrap();
    assert_eq!(max_docs(), 9);
}

#[tokio::test]
async fn a_dry_run_returns_its_requests_and_sends_none() {
    let (stub, _store) = fake::start().await;
    let dry = fixture_of(&rollover(&stub.url()), Some(policy(7)), Lifecycle::Ilm, Requests::dry_run);
    let requests = dry.index.set_up().await.unwrap();
    let paths: Vec<&str> = requests.iter().filter_map(|request| request.lines().next()).collect();
    let template = "PUT /_index_template/penstock-cxone-events";
    assert_eq!(paths, ["PUT /_ilm/policy/p", &format!("PUT {COMPONENT}"), template, "PUT /cxone-events-000001"]);
    assert!(changes(&stub).is_empty());
}

#[tokio::test]
async fn new_fields_are_added_to_template_and_index_once() {
    let (stub, store) = fake::start().await;
    let fixture = fixture(&rollover(&stub.url()), None);
    fixture.index.ensure(Known::Nothing).await;
    fixture.index.adopt(&schema(r#"{"name":"a","type":"string"}"#)).await;
    fixture.index.adopt(&schema(r#"{"name":"b","type":["null","long"]}"#)).await;
    for mapping in [&held(&store, "/cxone-events-000001")["mappings"], &held(&store, COMPONENT)["template"]["mappings"]]
    {
        assert_eq!(mapping["properties"]["a"]["type"], "keyword", "{mapping}");
        assert_eq!(mapping["properties"]["b"]["type"], "long", "{mapping}");
    }
    let before = changes(&stub).len();
    fixture.index.adopt(&schema(r#"{"name":"a","type":"string"}"#)).await;
    assert_eq!(changes(&stub).len(), before);
}

#[tokio::test]
async fn a_widened_type_conflicts_in_the_index_and_wins_in_the_template() {
    let (stub, store) = fake::start().await;
    let fixture = fixture(&rollover(&stub.url()), None);
    fixture.index.ensure(Known::Nothing).await;
    fixture.index.adopt(&schema(r#"{"name":"a","type":"int"}"#)).await;
    assert_eq!(fixture.metrics.mapping_conflicts.get(), 0);
    fixture.index.adopt(&schema(r#"{"name":"a","type":"long"}"#)).await;
    assert_eq!(fixture.metrics.mapping_conflicts.get(), 1);
    assert_eq!(held(&store, "/cxone-events-000001")["mappings"]["properties"]["a"]["type"], "integer");
    assert_eq!(held(&store, COMPONENT)["template"]["mappings"]["properties"]["a"]["type"], "long");
}

#[tokio::test]
async fn a_template_changed_by_hand_gets_new_fields_and_keeps_the_rest() {
    let (stub, store) = fake::start().await;
    let fixture = fixture(&rollover(&stub.url()), Some(policy(7)));
    fixture.index.ensure(Known::Nothing).await;
    {
        let mut store = store.lock().unwrap();
        let template = &mut store.get_mut(COMPONENT).unwrap()["template"];
        template["settings"]["index"]["lifecycle"]["name"] = json!("theirs");
        template["mappings"]["dynamic"] = json!("false");
    }
    fixture.index.adopt(&schema(r#"{"name":"a","type":"int"}"#)).await;
    let template = held(&store, COMPONENT)["template"].clone();
    assert_eq!(template["mappings"]["properties"]["a"]["type"], "integer");
    assert_eq!(template["mappings"]["dynamic"], "false");
    assert_eq!(template["settings"]["index"]["lifecycle"]["name"], "theirs");
}

#[tokio::test]
async fn an_opensearch_policy_is_updated_by_its_sequence_number() {
    let (stub, _store) = fake::start().await;
    let ism =
        |max_docs| fixture_of(&rollover(&stub.url()), Some(policy(max_docs)), Lifecycle::Ism, Requests::new).index;
    for _ in 0..2 {
        ism(7).ensure(Known::Nothing).await;
    }
    ism(8).ensure(Known::Nothing).await;
    let path = "PUT /_plugins/_ism/policies/p";
    let policies: Vec<String> = changes(&stub).into_iter().filter(|line| line.starts_with(path)).collect();
    assert_eq!(policies, [path, &format!("{path}?if_seq_no=0&if_primary_term=0")]);
}

#[tokio::test]
async fn the_data_stream_lifecycle_is_part_of_the_template() {
    let (stub, store) = fake::start().await;
    let mut config = config(&stub.url());
    config.elasticsearch.strategy = Strategy::DataStream;
    let delete = Some(Delete { min_age: "90d".to_owned() });
    let policy = LifecyclePolicy { delete, ..policy(7) };
    let fixture = fixture_of(&config, Some(policy), Lifecycle::Dsl, Requests::new);
    fixture.index.ensure(Known::Nothing).await;
    let template = held(&store, "/_index_template/penstock-cxone-events");
    assert_eq!(template["template"]["lifecycle"], json!({ "enabled": true, "data_retention": "90d" }));
    assert_eq!(template["data_stream"], json!({}));
    assert_eq!(held(&store, COMPONENT)["template"]["settings"], Value::Null);
    assert!(changes(&stub).iter().any(|line| line == "PUT /_data_stream/cxone-events"));
}

#[tokio::test]
async fn an_index_with_the_name_of_the_alias_is_reported() {
    let (stub, store) = fake::start().await;
    store.lock().unwrap().insert("/cxone-events".to_owned(), json!({ "mappings": {} }));
    let error = fixture(&rollover(&stub.url()), None).index.set_up().await.unwrap_err().to_string();
    assert!(error.contains("cxone-events is an index"), "{error}");
}

#[tokio::test]
async fn a_backing_index_without_its_alias_is_reported() {
    let (stub, store) = fake::start().await;
    store.lock().unwrap().insert("/cxone-events-000001".to_owned(), json!({ "mappings": {} }));
    let error = fixture(&rollover(&stub.url()), None).index.set_up().await.unwrap_err().to_string();
    assert!(error.contains("has no alias cxone-events"), "{error}");
}

#[tokio::test]
async fn a_role_that_may_only_write_becomes_ready() {
    let stub = Stub::start(|_| failure(403, "security_exception")).await;
    let readiness = Readiness::new();
    let bulk = Bulk::new(&config(&stub.url()), Metrics::new(&Registry::new()).unwrap(), &readiness).unwrap();
    bulk.ensure_index().await;
    assert!(readiness.is_ready());
    bulk.adopt(&schema(r#"{"name":"a","type":"int"}"#)).await;
    assert!(readiness.is_ready());
}

#[tokio::test]
async fn other_failures_are_retried() {
    let mut failures = vec![
        failure(403, "cluster_block_exception"),
        failure(503, "cluster_block_exception"),
        failure(401, "security_exception"),
        Reply::Break,
    ];
    let store = Store::default();
    let stub = Stub::start(move |received| match received.line.starts_with("PUT ").then(|| failures.pop()) {
        Some(Some(reply)) => reply,
        Some(None) | None => fake::answer(&mut store.lock().unwrap(), received),
    })
    .await;
    let fixture = fixture(&config(&stub.url()), None);
    fixture.index.ensure(Known::Nothing).await;
    assert!(fixture.readiness.is_ready());
    assert_eq!(changes(&stub).len(), 4 + 4);
}

#[tokio::test]
async fn a_refusal_is_reported_with_all_its_causes() {
    let body = json!({ "error": { "type": "x_content_parse_exception", "reason": "outer",
        "caused_by": { "type": "illegal_argument_exception", "reason": "inner" } }, "status": 400 });
    let stub = Stub::start(move |received| match received.line.starts_with("PUT ") {
        true => Reply::Answer(400, body.to_string()),
        false => failure(404, "not_found"),
    })
    .await;
    let error = fixture(&rollover(&stub.url()), Some(policy(7))).index.set_up().await.unwrap_err();
    let expected = "PUT /_ilm/policy/p was answered 400 x_content_parse_exception: outer; caused by: inner";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn invalid_index_names_are_refused() {
    for name in ["cxone-events", "a", "events.2026_01", "+b".trim_start_matches('+'), "ключ"] {
        assert!(check_name(name).is_ok(), "{name}");
    }
    let long = "x".repeat(256);
    for name in
        ["", "Events", "-a", "_a", "+a", ".", "..", "a/b", "a*", "a b", "a,b", "a#b", "a:b", "a?b", "<a>", &long]
    {
        assert!(check_name(name).is_err(), "{name}");
    }
}

mod servers;
