//! Versions by number and by fingerprint: what is found, what is remembered, how often the registry is asked.

use serde_json::json;

use super::*;
use avro::Schema;

const INT: &str = r#""int""#;

fn fingerprint(schema: &str) -> u64 {
    Schema::parse(schema).unwrap().fingerprint()
}

async fn three_versions() -> Stub {
    let stub = Stub::start().await;
    stub.answer("/subjects/x/versions", 200, json!([1, 2, 3]));
    stub.has_version("x", "1", 11, INT, &json!([]));
    stub.has_version("x", "2", 12, r#""string""#, &json!([]));
    stub.has_version("x", "3", 13, LONG, &json!([]));
    stub.has_version("x", "latest", 13, LONG, &json!([]));
    stub
}

#[tokio::test]
async fn a_version_is_asked_for_once() {
    let stub = three_versions().await;
    let registry = stub.registry();
    for _ in 0..2 {
        assert_eq!(registry.by_version("x", 2).await.unwrap().id, SchemaId(12));
    }
    assert_eq!(stub.requests(), ["GET /subjects/x/versions/2"]);
    assert!(registry.cached(SchemaId(12)).is_some());
}

#[tokio::test]
async fn a_version_that_is_not_there_is_remembered_as_such() {
    let stub = three_versions().await;
    let registry = stub.registry();
    for _ in 0..2 {
        assert!(matches!(registry.by_version("x", 9).await, Err(RegistryError::NotFound { .. })));
    }
    assert_eq!(stub.requests().len(), 1);
}

#[tokio::test]
async fn the_version_with_a_fingerprint_is_found_however_old_and_remembered() {
    let stub = three_versions().await;
    let registry = stub.registry();
    assert_eq!(registry.by_fingerprint("x", fingerprint(LONG)).await.unwrap().id, SchemaId(13));
    // The list, and each version once.
    assert_eq!(stub.requests().len(), 4, "{:?}", stub.requests());
    assert_eq!(registry.by_fingerprint("x", fingerprint(INT)).await.unwrap().id, SchemaId(11));
    assert_eq!(registry.by_fingerprint("x", fingerprint(INT)).await.unwrap().id, SchemaId(11));
    assert_eq!(stub.requests().len(), 4, "{:?}", stub.requests());
}

#[tokio::test]
async fn many_unknown_fingerprints_cost_the_registry_one_look() {
    let stub = three_versions().await;
    let registry = stub.registry();
    for unknown in 0..50 {
        assert!(matches!(registry.by_fingerprint("x", unknown).await, Err(RegistryError::NotFound { .. })));
    }
    assert_eq!(stub.requests().len(), 4, "{:?}", stub.requests());
}

fn decimal(scale: u16) -> String {
    format!(r#"{{"type":"bytes","logicalType":"decimal","precision":9,"scale":{scale}}}"#)
}

#[tokio::test]
async fn a_schema_is_found_by_what_it_means_and_not_by_its_canonical_form() {
    let stub = three_versions().await;
    stub.has_version("x", "1", 11, &decimal(2), &json!([]));
    let registry = stub.registry();
    let schema = |text: &str| Schema::parse(text).unwrap();
    assert_eq!(registry.by_meaning("x", &schema(&decimal(2))).await.unwrap().id, SchemaId(11));
    assert_eq!(registry.by_meaning("x", &schema(LONG)).await.unwrap().id, SchemaId(13));
    for other in [decimal(4), r#""bytes""#.to_owned()] {
        let found = registry.by_meaning("x", &schema(&other)).await;
        assert!(matches!(found, Err(RegistryError::NotFound { .. })), "{other}: {found:?}");
    }
}

#[tokio::test]
async fn a_fingerprint_of_versions_that_mean_different_values_is_never_guessed() {
    let stub = three_versions().await;
    stub.has_version("x", "1", 11, &decimal(2), &json!([]));
    stub.has_version("x", "2", 12, &decimal(2).replace("decimal", "\\u0064ecimal"), &json!([]));
    let registry = stub.forgetful_registry();
    assert_eq!(registry.by_fingerprint("x", fingerprint(r#""bytes""#)).await.unwrap().id, SchemaId(12));
    // A later version changes the answer, also where there was one before.
    stub.answer("/subjects/x/versions", 200, json!([1, 2, 3, 4]));
    stub.has_version("x", "4", 14, &decimal(4), &json!([]));
    let found = registry.by_fingerprint("x", fingerprint(r#""bytes""#)).await;
    assert!(matches!(found, Err(RegistryError::Ambiguous { .. })), "{found:?}");
    // What was known before counts as long as nobody can be asked.
    stub.answer("/subjects/x/versions", 503, "");
    assert_eq!(registry.by_fingerprint("x", fingerprint(r#""bytes""#)).await.unwrap().id, SchemaId(12));
}

#[tokio::test]
async fn a_version_of_no_use_does_not_hide_the_others() {
    let stub = three_versions().await;
    stub.has_version("x", "2", 12, "no schema", &json!([]));
    assert_eq!(stub.registry().by_fingerprint("x", fingerprint(INT)).await.unwrap().id, SchemaId(11));
}

#[tokio::test]
async fn the_latest_schema_can_be_asked_for_before_its_time() {
    let stub = three_versions().await;
    let registry = stub.registry();
    registry.latest("x").await.unwrap();
    stub.has_version("x", "latest", 14, INT, &json!([]));
    assert_eq!(registry.latest("x").await.unwrap().id, SchemaId(13));
    assert_eq!(registry.latest_now("x").await.unwrap().id, SchemaId(14));
}
