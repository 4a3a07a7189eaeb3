//! Counts the requests that schemas cost, for a topic with ten thousand backing indices.

use super::*;

const BACKING: usize = 10_000;
const SCHEMAS: usize = 1_000;

#[tokio::test]
async fn schemas_without_new_fields_cost_no_request() {
    let (stub, store) = fake::start().await;
    let fixture = fixture(&rollover(&stub.url()), None);
    for number in 1..=BACKING {
        let alias = json!({ "cxone-events": { "is_write_index": number == BACKING } });
        let index = json!({ "aliases": alias, "mappings": mapping::without_fields(&fixture.index.settings.mapping) });
        store.lock().unwrap().insert(format!("/cxone-events-{number:06}"), index);
    }
    fixture.index.ensure(Known::Nothing).await;
    let mut seen = stub.requests().len();
    let mut since = || {
        let before = std::mem::replace(&mut seen, stub.requests().len());
        seen - before
    };
    let field = |number: usize| format!(r#"{{"name":"f{number}","type":"string"}}"#);

    // The first schema adds its fields to the write index and to the template.
    fixture.index.adopt(&schema(&field(0))).await;
    let first = since();
    for _ in 1..SCHEMAS {
        fixture.index.adopt(&schema(&field(0))).await;
    }
    assert_eq!(since(), 0, "requests for schemas in which nothing is new");

    const NEW: usize = 10;
    for number in 1..=NEW {
        fixture.index.adopt(&schema(&format!("{},{}", field(0), field(number)))).await;
    }
    let new = since();
    eprintln!(
        "{BACKING} backing indices: {first} requests for the first schema, {new} for {NEW} with a new field each, 0 for {SCHEMAS} without"
    );
    assert!(first <= 10 && new <= 10 * NEW, "{first} {new}");

    // An old index costs one read and one change, when the next document goes there.
    for (index, expected) in [("cxone-events-010000", 0), ("cxone-events-000007", 2), ("cxone-events-000007", 0)] {
        fixture.index.prepare(index).await;
        assert_eq!(since(), expected, "{index}");
    }
    assert_eq!(held(&store, "/cxone-events-000007")["mappings"]["properties"]["f10"]["type"], "keyword");
    assert_eq!(held(&store, "/cxone-events-000008")["mappings"]["properties"]["f10"], Value::Null);
}

#[tokio::test]
async fn fields_beyond_the_index_limit_are_left_out_and_documents_accepted() {
    let (stub, store) = fake::start().await;
    let fixture = fixture(&rollover(&stub.url()), None);
    fixture.index.ensure(Known::Nothing).await;
    let fields = |schema: usize| {
        let field = |number| format!(r#"{{"name":"s{schema}f{number}","type":"string"}}"#);
        (0..4_000).map(field).collect::<Vec<_>>().join(",")
    };
    for number in 0..3 {
        fixture.index.adopt(&schema(&fields(number))).await;
    }
    let mappings = held(&store, COMPONENT)["template"]["mappings"].take();
    let is_there = |name: &str| !mappings["properties"][name].is_null();
    assert!(is_there("s0f0") && is_there("s1f3999") && !is_there("s2f0"));
    assert_eq!(mappings["dynamic"], "false");
    assert_eq!(fixture.metrics.mapping_conflicts.get(), 0);
}

#[tokio::test]
async fn a_foreign_index_gets_no_fields() {
    let (stub, store) = fake::start().await;
    for (name, is_write) in [("archive-2019", false), ("cxone-events-000001", false), ("other", true)] {
        let alias = json!({ "cxone-events": { "is_write_index": is_write } });
        store.lock().unwrap().insert(format!("/{name}"), json!({ "aliases": alias, "mappings": {} }));
    }
    let fixture = fixture(&rollover(&stub.url()), None);
    fixture.index.fields.learn(&schema(r#"{"name":"a","type":"int"}"#));
    fixture.index.set_up().await.unwrap();
    for (name, expected) in
        [("archive-2019", Value::Null), ("cxone-events-000001", json!("integer")), ("other", json!("integer"))]
    {
        assert_eq!(held(&store, &format!("/{name}"))["mappings"]["properties"]["a"]["type"], expected, "{name}");
    }
}

#[tokio::test]
async fn a_template_that_wins_our_names_is_reported_until_it_is_gone() {
    let templates = Arc::new(std::sync::Mutex::new(json!([
        {"name": "penstock-cxone-events", "index_template": {"index_patterns": ["cxone-events-*"], "priority": 512}},
        {"name": "org", "index_template": {"index_patterns": ["cxone-*"], "priority": 1_000}},
    ])));
    let answer = Arc::clone(&templates);
    let mut store = std::collections::BTreeMap::new();
    let stub = Stub::start(move |received| match received.line.starts_with("GET /_index_template?") {
        true => Reply::Answer(200, json!({"index_templates": *answer.lock().unwrap()}).to_string()),
        false => fake::answer(&mut store, received),
    })
    .await;
    let fixture = fixture(&rollover(&stub.url()), None);
    let shadowed = |template| fixture.metrics.template_shadowed.with_label_values(&["cxone-events", template]).get();
    fixture.index.ensure(Known::Nothing).await;
    assert_eq!(shadowed("org"), 1);
    templates.lock().unwrap()[1]["index_template"]["priority"] = json!(1);
    fixture.index.check_new("cxone-events-000002").await;
    assert_eq!(shadowed("org"), 0);
    *templates.lock().unwrap() = json!([]);
    fixture.index.shadow.check().await;
    assert_eq!(shadowed("(none)"), 1);
}
