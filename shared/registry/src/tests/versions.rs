//! Versions by number and by fingerprint: results, caching, and the number of requests.

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
async fn a_version_is_requested_once() {
    let stub = three_versions().await;
    let registry = stub.registry();
    for _ in 0..2 {
        assert_eq!(registry.by_version("x", 2).await.unwrap().id, SchemaId(12));
    }
    assert_eq!(stub.requests(), ["GET /subjects/x/versions/2"]);
    assert!(registry.cached(SchemaId(12)).is_some());
}

#[tokio::test]
async fn a_missing_version_is_remembered() {
    let stub = three_versions().await;
    let registry = stub.registry();
    for _ in 0..2 {
        assert!(matches!(registry.by_version("x", 9).await, Err(RegistryError::NotFound { .. })));
    }
    assert_eq!(stub.requests().len(), 1);
}

#[tokio::test]
async fn old_versions_are_found_by_fingerprint_and_remembered() {
    let stub = three_versions().await;
    let registry = stub.registry();
    assert_eq!(registry.by_fingerprint("x", fingerprint(LONG)).await.unwrap().id, SchemaId(13));
    // One request for the list, and one for each version.
    assert_eq!(stub.requests().len(), 4, "{:?}", stub.requests());
    assert_eq!(registry.by_fingerprint("x", fingerprint(INT)).await.unwrap().id, SchemaId(11));
    assert_eq!(registry.by_fingerprint("x", fingerprint(INT)).await.unwrap().id, SchemaId(11));
    assert_eq!(stub.requests().len(), 4, "{:?}", stub.requests());
}

#[tokio::test]
async fn many_unknown_fingerprints_cause_one_look_up() {
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
async fn a_schema_is_found_by_meaning_not_by_canonical_form() {
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
async fn an_ambiguous_fingerprint_is_an_error() {
    let stub = three_versions().await;
    stub.has_version("x", "1", 11, &decimal(2), &json!([]));
    stub.has_version("x", "2", 12, &decimal(2).replace("decimal", "\\u0064ecimal"), &json!([]));
    let registry = stub.forgetful_registry();
    assert_eq!(registry.by_fingerprint("x", fingerprint(r#""bytes""#)).await.unwrap().id, SchemaId(12));
    // A later version changes the answer, even if there was one before.
    stub.answer("/subjects/x/versions", 200, json!([1, 2, 3, 4]));
    stub.has_version("x", "4", 14, &decimal(4), &json!([]));
    let found = registry.by_fingerprint("x", fingerprint(r#""bytes""#)).await;
    assert!(matches!(found, Err(RegistryError::Ambiguous { .. })), "{found:?}");
    // The earlier answer counts while the registry is down.
    stub.answer("/subjects/x/versions", 503, "");
    assert_eq!(registry.by_fingerprint("x", fingerprint(r#""bytes""#)).await.unwrap().id, SchemaId(12));
}

#[tokio::test]
async fn an_unusable_version_does_not_hide_the_others() {
    let stub = three_versions().await;
    stub.has_version("x", "2", 12, "no schema", &json!([]));
    assert_eq!(stub.registry().by_fingerprint("x", fingerprint(INT)).await.unwrap().id, SchemaId(11));
}

#[tokio::test]
async fn latest_now_bypasses_the_cache() {
    let stub = three_versions().await;
    let registry = stub.registry();
    registry.latest("x").await.unwrap();
    stub.has_version("x", "latest", 14, INT, &json!([]));
    assert_eq!(registry.latest("x").await.unwrap().id, SchemaId(13));
    assert_eq!(registry.latest_now("x").await.unwrap().id, SchemaId(14));
}

/// As after a registry was emptied, or restored from a backup that lacks its newest schemas.
#[tokio::test]
async fn an_id_that_the_registry_gives_to_another_schema_is_noticed() {
    let stub = three_versions().await;
    let registry = stub.registry();
    registry.latest("x").await.unwrap();
    registry.by_version("x", 2).await.unwrap();
    let long = registry.by_id(SchemaId(13)).await.unwrap();

    stub.has_version("x", "latest", 13, INT, &json!([]));
    stub.has_version("x", "2", 12, LONG, &json!([]));
    stub.has_schema(13, INT);
    stub.has_schema(12, LONG);
    let now = registry.latest_now("x").await.unwrap().schema;
    assert_ne!(now.meaning(), long.meaning());
    assert_eq!(registry.by_id(SchemaId(13)).await.unwrap().meaning(), now.meaning());
    assert_eq!(registry.by_id(SchemaId(12)).await.unwrap().meaning(), long.meaning(), "other ids are not believed");
    assert_eq!(registry.by_version("x", 2).await.unwrap().schema.meaning(), long.meaning());
}

/// A reader of old ids requests nothing else, so it must ask from time to time.
#[tokio::test]
async fn a_check_notices_that_a_known_id_stands_for_another_schema() {
    let stub = Stub::start().await;
    let registry = stub.registry();
    stub.has_schema(7, LONG);
    let long = registry.by_id(ID).await.unwrap();
    registry.check(ID).await;
    stub.has_schema(7, INT);
    assert_eq!(registry.forgotten(), 0);
    assert_eq!(registry.by_id(ID).await.unwrap().meaning(), long.meaning(), "nobody has asked");
    registry.check(ID).await;
    assert_eq!(registry.forgotten(), 1);
    assert_ne!(registry.by_id(ID).await.unwrap().meaning(), long.meaning());
    for status in [404, 503] {
        stub.answer("/schemas/ids/7", status, "");
        registry.check(ID).await;
        assert_eq!(registry.forgotten(), 1, "an outage changes nothing");
    }
    assert!(registry.cached(ID).is_some());
}
