//! Tests what operators, and proxies before the server, do to templates, aliases and answers.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::index::swap::{Member, comparison};
use crate::placement::{FoundIndex, Table};

const PAGE: &str = "<html>log in</html>";

/// Starts a server that holds `store`, behind a proxy that answers the next `pages` requests with a page.
async fn behind_a_portal(store: &Store, pages: &Arc<AtomicUsize>) -> Stub {
    let (store, pages) = (Arc::clone(store), Arc::clone(pages));
    Stub::start(move |received| {
        let is_page = pages.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        match is_page {
            true => Reply::Answer(200, PAGE.to_owned()),
            false => fake::answer(&mut store.lock().unwrap(), received),
        }
    })
    .await
}

/// If a page counted as "nothing exists", manual changes would be overwritten.
#[tokio::test]
async fn a_page_instead_of_an_answer_overwrites_nothing() {
    let (stub, store) = fake::start().await;
    fixture(&rollover(&stub.url()), Some(policy(7))).index.ensure(Known::Nothing).await;
    let theirs = json!({ "number_of_replicas": 0 });
    store.lock().unwrap().get_mut("/_ilm/policy/p").unwrap()["policy"]["phases"]["warm"] = theirs.clone();
    for pages in 1..12 {
        let left = Arc::new(AtomicUsize::new(pages));
        let stub = behind_a_portal(&store, &left).await;
        fixture(&rollover(&stub.url()), Some(policy(8))).index.ensure(Known::Nothing).await;
        assert_eq!(left.load(Ordering::Relaxed), 0, "{pages}");
        assert_eq!(held(&store, "/_ilm/policy/p")["policy"]["phases"]["warm"], theirs, "after {pages} pages");
    }
}

/// Another indexer has just created the index, and the node has not applied the new state yet.
#[tokio::test]
async fn an_index_that_the_node_does_not_show_yet_is_waited_for() {
    let (stub, store) = fake::start().await;
    fixture(&rollover(&stub.url()), None).index.bootstrap.run(Known::Nothing).await.unwrap();
    let hidden = AtomicUsize::new(6);
    let stub = Stub::start(move |received| {
        let is_hidden =
            || hidden.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        match received.line.starts_with("HEAD ") && is_hidden() {
            true => failure(404, "not_found"),
            false => fake::answer(&mut store.lock().unwrap(), received),
        }
    })
    .await;
    fixture(&rollover(&stub.url()), None).index.bootstrap.run(Known::Nothing).await.unwrap();
}

#[tokio::test]
async fn a_success_with_an_error_in_its_body_is_a_failure() {
    let body = r#"{"error":{"type":"unavailable_exception","reason":"try again"},"status":503}"#;
    let stub = Stub::start(move |_| Reply::Answer(200, body.to_owned())).await;
    let fixture = fixture(&rollover(&stub.url()), None);
    let requests = &fixture.index.requests;
    for outcome in [
        requests.get("/x").await.map(drop),
        requests.put("/x", &json!({})).await,
        requests.post("/x", &json!({})).await,
        requests.ask("/x", &json!({})).await.map(drop),
    ] {
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains("unavailable_exception: try again"), "{error}");
    }
}

/// The file may have a shorter time than the cluster. The value in the cluster counts until another one is read.
#[tokio::test]
async fn the_retention_does_not_change_if_a_request_fails() {
    const DAY: i64 = 86_400_000;
    let store = Store::default();
    let reply: Arc<std::sync::Mutex<Option<(u16, &str)>>> = Arc::default();
    let (held, replied) = (Arc::clone(&store), Arc::clone(&reply));
    let stub = Stub::start(move |received| match *replied.lock().unwrap() {
        Some((status, PAGE)) => Reply::Answer(status, PAGE.to_owned()),
        Some((status, error_type)) => failure(status, error_type),
        None => fake::answer(&mut held.lock().unwrap(), received),
    })
    .await;
    let mut config = config(&stub.url());
    config.elasticsearch.strategy = Strategy::Time;
    let file = LifecyclePolicy { delete: Some(Delete { min_age: "7d".to_owned() }), ..policy(7) };
    let index = fixture(&config, Some(file)).index;
    let live = json!({ "policy": { "phases": { "delete": { "min_age": "365d" } } } });
    store.lock().unwrap().insert("/_ilm/policy/p".to_owned(), live);
    index.retention.read().await.unwrap();
    assert_eq!(index.retention.value().get(), Some(365 * DAY));
    for failing in [(503, "x"), (429, "x"), (200, PAGE), (404, PAGE), (403, PAGE)] {
        *reply.lock().unwrap() = Some(failing);
        assert!(index.retention.read().await.is_err(), "{failing:?}");
        assert_eq!(index.retention.value().get(), Some(365 * DAY), "{failing:?}");
    }
    *reply.lock().unwrap() = Some((403, "security_exception"));
    index.retention.read().await.unwrap();
    assert_eq!(index.retention.value().get(), Some(7 * DAY), "the role may not read it");
}

#[tokio::test]
async fn the_retention_is_that_of_the_policy_of_the_next_index() {
    const DAY: i64 = 86_400_000;
    let lifecycle: Arc<std::sync::Mutex<Value>> = Arc::default();
    let said = Arc::clone(&lifecycle);
    let stub = Stub::start(move |received| match received.line.as_str() {
        line if line.starts_with("POST /_index_template/_simulate_index/cxone-events-") => {
            let settings = json!({ "index": { "lifecycle": *said.lock().unwrap() } });
            Reply::Answer(200, json!({ "template": { "settings": settings } }).to_string())
        }
        line if line.starts_with("GET /_ilm/policy/theirs") => {
            let policy = json!({ "phases": { "delete": { "min_age": "3d" } } });
            Reply::Answer(200, json!({ "theirs": { "policy": policy } }).to_string())
        }
        _ => failure(404, "not_found"),
    })
    .await;
    let mut config = config(&stub.url());
    config.elasticsearch.strategy = Strategy::Time;
    let file = LifecyclePolicy { delete: Some(Delete { min_age: "7d".to_owned() }), ..policy(7) };
    let index = fixture(&config, Some(file)).index;
    for (set, days) in [
        (json!({ "name": "theirs", "parse_origination_date": "true" }), Some(3)),
        (json!({ "name": "p", "parse_origination_date": "true" }), Some(7)),
        (json!({ "name": "theirs" }), None),
        (json!({}), Some(7)),
    ] {
        *lifecycle.lock().unwrap() = set.clone();
        index.retention.read().await.unwrap();
        assert_eq!(index.retention.value().get(), days.map(|days| days * DAY), "{set}");
    }
}

/// This happens after years, when the lifecycle has deleted the first backing indices.
#[tokio::test]
async fn if_only_the_alias_is_gone_no_first_index_is_created() {
    for server in [json!({}), json!({ "version": { "distribution": "opensearch", "number": "3.3.0" } })] {
        let (stub, _) = bereft(&server, "1").await;
        let error = fixture(&rollover(&stub.url()), None).index.set_up().await.unwrap_err().to_string();
        assert!(error.contains("cxone-events is gone") && error.contains("(cxone-events-000005)"), "{error}");
        assert!(
            !changes(&stub).iter().any(|line| line.starts_with("PUT /cxone-events-000001")),
            "{:?}",
            changes(&stub)
        );
    }
}

/// All were deleted, and documents on their way made two of them again.
#[tokio::test]
async fn what_opensearch_re_created_for_documents_prevents_no_first_index() {
    let (stub, _) = bereft(&json!({ "version": { "distribution": "opensearch", "number": "3.3.0" } }), "2").await;
    let index = fixture(&rollover(&stub.url()), None).index;
    index.set_up().await.unwrap_err();
    let known = |name: &str, is_write: bool| FoundIndex {
        name: name.to_owned(),
        created: 1,
        writable: true,
        is_write,
        is_resized: false,
    };
    let found = vec![known("cxone-events-000004", false), known("cxone-events-000005", true)];
    let table = Table::new("cxone-events", found, None, 1, Duration::ZERO).unwrap();
    index.strays.rejoin(&table).await.unwrap_err();
    index.set_up().await.unwrap();
    assert!(changes(&stub).iter().any(|line| line.starts_with("PUT /cxone-events-000001")), "{:?}", changes(&stub));
}

/// A server of `version` where two backing indices are there without their alias.
async fn bereft(version: &Value, created: &'static str) -> (Stub, Store) {
    let store = Store::default();
    if version.is_object() && version != &json!({}) {
        store.lock().unwrap().insert("/".to_owned(), version.clone());
    }
    let held = Arc::clone(&store);
    let stub = Stub::start(move |received| match received.line.starts_with("GET /cxone-events-*?") {
        true => {
            let index = json!({ "aliases": {}, "settings": { "index": { "creation_date": created } } });
            let found = json!({ "cxone-events-000004": index, "cxone-events-000005": index, "cxone-events-eu": index });
            Reply::Answer(200, found.to_string())
        }
        false => fake::answer(&mut held.lock().unwrap(), received),
    })
    .await;
    (stub, store)
}

/// `index.blocks.metadata` on an old backing index: the server refuses whatever is asked about the alias as a whole.
#[tokio::test]
async fn an_old_index_that_does_not_let_its_metadata_be_read_stops_neither_a_start_nor_a_new_schema() {
    let store = Store::default();
    let alias =
        |is_write: bool| json!({ "aliases": { "cxone-events": { "is_write_index": is_write } }, "mappings": {} });
    for (number, is_write) in [(4, false), (5, true)] {
        store.lock().unwrap().insert(format!("/cxone-events-{number:06}"), alias(is_write));
    }
    let held = Arc::clone(&store);
    let stub = Stub::start(move |received| match received.line.as_str() {
        line if line.contains("000004") || line.contains(" /_alias/") || line.contains(" /cxone-events-*") => {
            failure(403, "cluster_block_exception")
        }
        line if line.starts_with("GET /_resolve/index/cxone-events ") => {
            let indices = ["cxone-events-000004", "cxone-events-000005"];
            Reply::Answer(200, json!({ "aliases": [{ "name": "cxone-events", "indices": indices }] }).to_string())
        }
        line if line.starts_with("GET /cxone-events-000005/_alias/") => {
            Reply::Answer(200, json!({ "cxone-events-000005": alias(true) }).to_string())
        }
        _ => fake::answer(&mut held.lock().unwrap(), received),
    })
    .await;
    let fixture = fixture(&rollover(&stub.url()), None);
    fixture.index.fields.learn(&schema(r#"{"name":"a","type":"string"}"#));
    fixture.index.set_up().await.unwrap();
    fixture.index.evolution.evolve_one("cxone-events-000004").await.unwrap();
    let changed = changes(&stub);
    assert!(changed.contains(&"PUT /cxone-events-000005/_mapping".to_owned()), "{changed:?}");
    assert!(!changed.iter().any(|line| line.contains("000001") || line.contains("000004")), "{changed:?}");
}

/// For example, a hosted service refuses the request in its own words.
#[tokio::test]
async fn a_refused_read_of_the_cluster_settings_is_ignored() {
    let store = Store::default();
    let main = json!({ "version": { "distribution": "opensearch", "number": "3.3.0" } });
    store.lock().unwrap().insert("/".to_owned(), main);
    let stub = Stub::start(move |received| match received.line.starts_with("GET /_cluster/settings") {
        true => Reply::Answer(403, r#"{"Message":"User: x is not authorized to perform: es:ESHttpGet"}"#.to_owned()),
        false => fake::answer(&mut store.lock().unwrap(), received),
    })
    .await;
    fixture(&rollover(&stub.url()), None).index.set_up().await.unwrap();
}

/// In the middle of a swap, when the new index was created like the old one.
#[tokio::test]
async fn the_write_index_of_an_alias_of_several_gets_the_new_fields() {
    let (stub, store) = fake::start().await;
    let fields = json!({ "properties": { "a": { "type": "integer" } } });
    for (name, is_write, mappings) in [("v1", false, fields), ("v2", true, json!({}))] {
        let alias = json!({ "cxone-events": { "is_write_index": is_write } });
        store.lock().unwrap().insert(format!("/{name}"), json!({ "aliases": alias, "mappings": mappings }));
    }
    fixture(&config(&stub.url()), None).index.adopt(&schema(r#"{"name":"a","type":"int"}"#)).await;
    assert_eq!(held(&store, "/v2")["mappings"]["properties"]["a"]["type"], "integer");
    assert_eq!(held(&store, "/v1")["mappings"]["properties"]["_ingested_at"], Value::Null, "it takes no documents");
}

#[tokio::test]
async fn the_limit_of_fields_is_raised_and_never_lowered() {
    for (limit, is_put) in [(None, true), (Some("1000"), true), (Some("2000"), false), (Some("20000"), false)] {
        let (stub, store) = fake::start().await;
        let fixture = fixture(&rollover(&stub.url()), None);
        fixture.index.ensure(Known::Nothing).await;
        if let Some(limit) = limit {
            let limit = json!({ "settings": { "index": { "mapping": { "total_fields": { "limit": limit } } } } });
            let settings = json!({ "cxone-events-000001": limit });
            store.lock().unwrap().insert("/cxone-events-000001/_settings".to_owned(), settings);
        }
        let fields: Vec<String> = (0..1_000).map(|number| format!(r#"{{"name":"f{number}","type":"int"}}"#)).collect();
        fixture.index.adopt(&schema(&fields.join(","))).await;
        let puts = changes(&stub).into_iter().filter(|line| line == "PUT /cxone-events-000001/_settings").count();
        assert_eq!(puts, usize::from(is_put), "{limit:?}");
        assert_eq!(held(&store, "/cxone-events-000001")["mappings"]["properties"]["f999"]["type"], "integer");
    }
}

/// A count without one of the shards would make a set look smaller than its replacement.
#[tokio::test]
async fn index_sets_are_not_compared_if_a_shard_does_not_answer() {
    let stub = Stub::start(|received| {
        let body = match received.line.contains("/_count") {
            true => r#"{"count":7,"_shards":{"total":2,"successful":1,"failed":1}}"#,
            false => r#"{"hits":{"hits":[]}}"#,
        };
        Reply::Answer(200, body.to_owned())
    })
    .await;
    let index = fixture(&config(&stub.url()), None).index;
    let old = [Member { index: "v1".to_owned(), is_write_index: true }];
    let error = comparison::compare(&index.requests, &old, "v2", 1).await.unwrap_err().to_string();
    assert!(error.contains("1 shards did not answer"), "{error}");
    let searches = stub.requests().into_iter().filter(|request| request.line.contains("/_search"));
    assert!(searches.clone().count() > 0);
    assert!(searches.into_iter().all(|request| request.line.contains("allow_partial_search_results=false")));
}

/// Elasticsearch 9.2 and later return templates with dates.
#[tokio::test]
async fn the_dates_of_a_template_are_not_manual_changes() {
    let store = Store::default();
    let held_by_stub = Arc::clone(&store);
    let puts = AtomicUsize::new(1);
    let stub = Stub::start(move |received| {
        let mut store = held_by_stub.lock().unwrap();
        let path = received.line.split(' ').nth(1).unwrap().to_owned();
        let reply = fake::answer(&mut store, received);
        if received.line.starts_with("PUT /_component_template/") || received.line.starts_with("PUT /_index_template/")
        {
            let put = puts.fetch_add(1, Ordering::Relaxed);
            let template = store.get_mut(&path).unwrap();
            template["created_date_millis"] = json!(1);
            template["modified_date_millis"] = json!(put);
        }
        reply
    })
    .await;
    fixture(&rollover(&stub.url()), Some(policy(7))).index.ensure(Known::Nothing).await;
    let index = fixture(&rollover(&stub.url()), Some(policy(7))).index;
    let before = changes(&stub).len();
    index.ensure(Known::Nothing).await;
    assert_eq!(changes(&stub)[before..], [] as [String; 0], "all is as it should be");
    index.adopt(&schema(r#"{"name":"a","type":"int"}"#)).await;
    assert_eq!(changes(&stub).len(), before + 2, "the field goes to the template and to the index");

    // Now the config changes.
    let other = LifecyclePolicy { policy_name: "q".to_owned(), ..policy(7) };
    fixture(&rollover(&stub.url()), Some(other)).index.ensure(Known::Nothing).await;
    let template = held(&store, COMPONENT)["template"].take();
    assert_eq!(template["settings"]["index"]["lifecycle"]["name"], "q", "{template}");
}

/// An operator's template may have names with dots instead of objects.
#[tokio::test]
async fn an_index_without_objects_gets_a_field_once() {
    let store = Store::default();
    let held_by_stub = Arc::clone(&store);
    let stub = Stub::start(move |received| {
        let mut store = held_by_stub.lock().unwrap();
        let reply = fake::answer(&mut store, received);
        if let Some(index) = store.get_mut("/cxone-events-000001") {
            let properties = index["mappings"]["properties"].as_object_mut().unwrap();
            if let Some(mut object) = properties.remove("a") {
                properties.insert("a.b".to_owned(), object["properties"]["b"].take());
            }
        }
        reply
    })
    .await;
    let index = fixture(&rollover(&stub.url()), None).index;
    index.ensure(Known::Nothing).await;
    let before = changes(&stub).len();
    let record = r#"{"name":"a","type":{"type":"record","name":"R","fields":[{"name":"b","type":"long"}]}}"#;
    index.adopt(&schema(record)).await;
    assert_eq!(held(&store, "/cxone-events-000001")["mappings"]["properties"]["a.b"]["type"], "long");
    assert_eq!(changes(&stub).len(), before + 2, "{:?}", changes(&stub));
    assert_eq!(held(&store, COMPONENT)["template"]["mappings"]["properties"]["a.b"], Value::Null);
}
