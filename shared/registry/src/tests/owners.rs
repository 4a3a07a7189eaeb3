//! Whose a schema id is.

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
async fn an_id_of_one_of_the_subjects_is_asked_about_once() {
    let stub = Stub::start().await;
    is_of(&stub, 7, &["theirs", "ours"]);
    let registry = stub.registry();
    for _ in 0..3 {
        registry.by_id_of(ID, &own()).await.unwrap();
    }
    assert_eq!(stub.requests(), ["GET /schemas/ids/7/versions", "GET /schemas/ids/7"]);
}

#[tokio::test]
async fn the_schema_of_another_subject_is_not_even_asked_for() {
    let stub = Stub::start().await;
    is_of(&stub, 7, &["theirs"]);
    let registry = stub.registry();
    for _ in 0..3 {
        let error = registry.by_id_of(ID, &own()).await.unwrap_err();
        assert!(matches!(error, RegistryError::NotFound { .. }), "{error}");
    }
    assert_eq!(stub.requests(), ["GET /schemas/ids/7/versions"]);
    // In memory for somebody else, it is refused all the same.
    registry.by_id(ID).await.unwrap();
    assert!(registry.by_id_of(ID, &own()).await.is_err());
}

#[tokio::test]
async fn a_registry_that_cannot_say_whose_an_id_is_has_its_versions_looked_through() {
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
async fn while_the_registry_is_away_what_is_known_counts() {
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
