//! Tests what `OpenSearch` receives instead of features that it lacks.

use super::*;

/// Starts a store that reports itself as `OpenSearch`.
async fn opensearch() -> (Stub, Store) {
    let (stub, store) = fake::start().await;
    let main = json!({ "version": { "distribution": "opensearch", "number": "3.3.0" } });
    store.lock().unwrap().insert("/".to_owned(), main);
    (stub, store)
}

const TEMPLATE: &str = "/_index_template/penstock-cxone-events";
const MAPS: &str = r#"{"name":"a","type":{"type":"map","values":"string"}},{"name":"b","type":"boolean"}"#;

#[tokio::test]
async fn templates_contain_only_what_opensearch_supports() {
    let (stub, store) = opensearch().await;
    let fixture = fixture(&rollover(&stub.url()), None);
    fixture.index.ensure(Known::Nothing).await;
    let template = held(&store, TEMPLATE);
    assert_eq!(template["composed_of"], json!(["penstock-cxone-events"]));
    for key in ["allow_auto_create", "ignore_missing_component_templates"] {
        assert!(template.get(key).is_none(), "{template}");
    }
    // The operator's component template is included from the next check.
    let custom = json!({ "template": {} });
    store.lock().unwrap().insert("/_component_template/cxone-events@custom".to_owned(), custom);
    fixture.index.ensure(Known::Missing).await;
    assert_eq!(held(&store, TEMPLATE)["composed_of"], json!(["penstock-cxone-events", "cxone-events@custom"]));
}

#[tokio::test]
async fn a_map_is_a_flat_object_without_parameters_or_conflicts() {
    let (stub, store) = opensearch().await;
    let fixture = fixture(&rollover(&stub.url()), None);
    fixture.index.ensure(Known::Nothing).await;
    for _ in 0..2 {
        fixture.index.adopt(&schema(MAPS)).await;
    }
    let index = held(&store, "/cxone-events-000001");
    assert_eq!(index["mappings"]["properties"]["a"], json!({ "type": "flat_object" }));
    assert_eq!(held(&store, COMPONENT)["template"]["mappings"]["properties"]["a"], json!({ "type": "flat_object" }));
    assert_eq!(fixture.metrics.mapping_conflicts.get(), 0);
}

#[tokio::test]
async fn without_the_plugin_no_policy_or_setting_is_created() {
    for lifecycle in [Lifecycle::Ilm, Lifecycle::Ism] {
        let store = Store::default();
        let main = json!({ "version": { "distribution": "opensearch", "number": "2.19.4" } });
        store.lock().unwrap().insert("/".to_owned(), main);
        let held_by_stub = Arc::clone(&store);
        let stub = Stub::start(move |received| match received.line.contains("/_plugins/") {
            true => {
                Reply::Answer(400, r#"{"error":"no handler found for uri [/_plugins] and method [GET]"}"#.to_owned())
            }
            false => fake::answer(&mut held_by_stub.lock().unwrap(), received),
        })
        .await;
        let fixture = fixture_of(&rollover(&stub.url()), Some(policy(7)), lifecycle, Requests::new);
        fixture.index.ensure(Known::Nothing).await;
        assert!(fixture.readiness.is_ready(), "{:?}", fixture.readiness.unmet());
        assert_eq!(held(&store, COMPONENT)["template"]["settings"], Value::Null);
    }
}

#[tokio::test]
async fn with_the_plugin_its_policy_is_created_whichever_the_config_names() {
    let (stub, store) = opensearch().await;
    fixture(&rollover(&stub.url()), Some(policy(7))).index.ensure(Known::Nothing).await;
    assert!(!held(&store, "/_plugins/_ism/policies/p").is_null());
    let settings = &held(&store, COMPONENT)["template"]["settings"]["index"];
    assert_eq!(*settings, json!({ "plugins": { "index_state_management": { "rollover_alias": "cxone-events" } } }));
}

#[tokio::test]
async fn a_server_that_is_too_old_gets_no_writes_until_it_is_upgraded() {
    let (stub, store) = fake::start().await;
    let main = |number: &str| json!({ "version": { "number": number }, "tagline": "You Know, for Search" });
    store.lock().unwrap().insert("/".to_owned(), main("8.6.2"));
    let fixture = Arc::new(fixture(&rollover(&stub.url()), None));
    let error = fixture.index.set_up().await.unwrap_err().to_string();
    assert!(error.contains("Elasticsearch 8.6.2 is too old") && error.contains("8.7.0 or later"), "{error}");
    let starting = Arc::clone(&fixture);
    let ensured = tokio::spawn(async move { starting.index.ensure(Known::Nothing).await });
    while !fixture.readiness.unmet().iter().any(|reason| reason.1.contains("8.6.2 is too old")) {
        tokio::task::yield_now().await;
    }
    assert!(changes(&stub).is_empty());
    // The server is upgraded.
    store.lock().unwrap().insert("/".to_owned(), main("8.7.0"));
    ensured.await.unwrap();
    assert!(fixture.readiness.is_ready());
}

#[tokio::test]
async fn a_text_type_chosen_for_a_string_is_no_conflict() {
    let (stub, store) = fake::start().await;
    let fixture = fixture(&rollover(&stub.url()), None);
    fixture.index.ensure(Known::Nothing).await;
    for name in ["text", "match_only_text", "wildcard"] {
        let field = json!({ "a": { "type": name } });
        store.lock().unwrap().get_mut("/cxone-events-000001").unwrap()["mappings"]["properties"] = field;
        fixture.index.adopt(&schema(r#"{"name":"a","type":"string"}"#)).await;
        assert_eq!(fixture.metrics.mapping_conflicts.get(), 0, "{name}");
    }
}
