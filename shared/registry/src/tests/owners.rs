//! The subjects of a schema id.

use super::*;

fn own() -> Vec<String> {
    vec!["mine".to_owned(), "ours".to_owned()]
}

fn is_of(stub: &Stub, id: u32, subjects: &[&str]) {
    let versions: Vec<_> = subjects.iter().map(|subject| json!({"subject": subject, "version": 1})).collect();
    stub.answer(&format!("/schemas/ids/{id}/versions"), 200, json!(versions));
    stub.has_schema(id, LONG);
}

#[tokio::test]
async fn the_subjects_of_an_id_are_requested_once() {
    let stub = Stub::start().await;
    is_of(&stub, 7, &["theirs", "ours"]);
    let registry = stub.registry();
    for _ in 0..3 {
        registry.by_id_of(ID, &own()).await.unwrap();
    }
    assert_eq!(stub.requests(), ["GET /schemas/ids/7/versions", "GET /schemas/ids/7"]);
}

/// confluentinc/schema-registry#2857: a version is deleted softly, and its events are still on their way.
#[tokio::test]
async fn an_id_whose_version_was_deleted_still_belongs_to_its_subject() {
    let stub = Stub::start().await;
    is_of(&stub, 7, &[]);
    stub.answer("/schemas/ids/7/versions?deleted=true", 200, json!([{"subject": "ours", "version": 1}]));
    stub.registry().by_id_of(ID, &own()).await.unwrap();
}

#[tokio::test]
async fn the_schema_of_another_subject_is_not_requested() {
    let stub = Stub::start().await;
    is_of(&stub, 7, &["theirs"]);
    let registry = stub.registry();
    for _ in 0..3 {
        let error = registry.by_id_of(ID, &own()).await.unwrap_err();
        assert!(matches!(error, RegistryError::NotFound { .. }), "{error}");
    }
    assert_eq!(stub.requests(), ["GET /schemas/ids/7/versions"]);
    // It is refused even if another subject brought it into memory.
    registry.by_id(ID).await.unwrap();
    assert!(registry.by_id_of(ID, &own()).await.is_err());
}

#[tokio::test]
async fn versions_are_searched_if_subjects_of_an_id_are_unavailable() {
    let stub = Stub::start().await;
    for id in [7, 8] {
        stub.answer(&format!("/schemas/ids/{id}/versions"), 404, json!({"error_code": 404, "message": "no such path"}));
        stub.has_schema(id, LONG);
    }
    stub.answer("/subjects/ours/versions", 200, json!([1, 2]));
    stub.has_version("ours", "1", 7, LONG, &json!([]));
    stub.has_version("ours", "2", 9, LONG, &json!([]));
    let registry = stub.registry();
    registry.by_id_of(ID, &own()).await.unwrap();
    let error = registry.by_id_of(SchemaId(8), &own()).await.unwrap_err();
    assert!(matches!(error, RegistryError::NotFound { .. }), "{error}");
}

#[tokio::test]
async fn an_id_is_foreign_only_if_each_version_of_the_subjects_was_read() {
    let stub = Stub::start().await;
    stub.answer("/schemas/ids/7/versions", 503, "");
    stub.has_schema(7, LONG);
    stub.answer("/subjects/mine/versions", 503, "");
    stub.answer("/subjects/ours/versions", 200, json!([1, 2]));
    stub.has_version("ours", "1", 8, LONG, &json!([]));
    stub.answer("/subjects/ours/versions/2", 503, "");
    let registry = stub.registry();
    let error = registry.by_id_of(ID, &own()).await.unwrap_err();
    assert!(matches!(error, RegistryError::Unavailable { .. }), "{error}");
    stub.answer("/subjects/mine/versions", 200, json!([]));
    let error = registry.by_id_of(ID, &own()).await.unwrap_err();
    assert!(matches!(error, RegistryError::Unavailable { .. }), "{error}");
    stub.has_version("ours", "2", 7, LONG, &json!([]));
    registry.by_id_of(ID, &own()).await.unwrap();
}

#[tokio::test]
async fn known_subjects_count_while_the_registry_is_down() {
    let stub = Stub::start().await;
    is_of(&stub, 7, &["mine"]);
    let registry = stub.registry();
    registry.by_id_of(ID, &own()).await.unwrap();
    stub.answer("/schemas/ids/7/versions", 503, "");
    registry.by_id_of(ID, &own()).await.unwrap();
    stub.answer("/schemas/ids/8/versions", 503, "");
    stub.answer("/subjects/mine/versions", 503, "");
    let error = registry.by_id_of(SchemaId(8), &own()).await.unwrap_err();
    assert!(matches!(error, RegistryError::Unavailable { .. }), "{error}");
}
