//! An id that one node lacks: which others are asked, how long it is "not yet" there, and how many requests result.

use super::*;

fn at(stubs: &[&Stub], patience: Duration) -> SchemaRegistry {
    let url = stubs.iter().map(|stub| format!("http://{}", stub.address)).collect::<Vec<_>>().join(",");
    SchemaRegistry::new(&config::SchemaRegistry { url, patience, ..config::SchemaRegistry::default() }).unwrap()
}

#[tokio::test]
async fn the_other_addresses_are_asked_if_the_first_lacks_a_schema() {
    let (behind, other) = (Stub::start().await, Stub::start().await);
    other.has_schema(7, LONG);
    other.has_version("x", "1", 7, LONG, &json!([]));
    let registry = at(&[&behind, &other], Duration::ZERO);
    registry.by_id(ID).await.unwrap();
    registry.by_version("x", 1).await.unwrap();
    assert_eq!((behind.requests().len(), other.requests().len()), (2, 2));
}

#[tokio::test]
async fn a_proxys_404_is_ignored_and_the_next_address_is_asked() {
    let (proxy, registry) = (Stub::start().await, Stub::start().await);
    proxy.answer("/schemas/ids/7", 404, "<html>404</html>");
    registry.has_schema(7, LONG);
    at(&[&proxy, &registry], Duration::ZERO).by_id(ID).await.unwrap();
}

#[tokio::test]
async fn a_404_counts_if_the_other_addresses_do_not_answer() {
    let (behind, down) = (Stub::start().await, Stub::start().await);
    down.answer("/schemas/ids/7", 503, "");
    let error = at(&[&behind, &down], Duration::ZERO).by_id(ID).await.unwrap_err();
    assert!(matches!(error, RegistryError::NotFound { .. }), "{error}");
}

#[tokio::test]
async fn a_missing_id_is_not_yet_until_patience_ends() {
    let stub = Stub::start().await;
    let registry = at(&[&stub], Duration::from_secs(3_600));
    for _ in 0..100 {
        assert!(matches!(registry.by_id(ID).await, Err(RegistryError::NotYet { .. })));
    }
    assert!(stub.requests().len() < 50, "{}", stub.requests().len());
    let registry = at(&[&stub], Duration::from_nanos(1));
    assert!(matches!(registry.by_id(ID).await, Err(RegistryError::NotFound { .. })));
}

#[tokio::test]
async fn an_id_far_beyond_those_in_use_gets_no_patience() {
    let stub = Stub::start().await;
    stub.has_schema(7, LONG);
    let registry = at(&[&stub], Duration::from_secs(3_600));
    registry.by_id(ID).await.unwrap();
    assert!(matches!(registry.by_id(SchemaId(8)).await, Err(RegistryError::NotYet { .. })));
    assert!(matches!(registry.by_id(SchemaId(0x7fff_ffff)).await, Err(RegistryError::NotFound { .. })));
}

/// Confluent's registry answers a request for such an id as if its path did not exist.
#[tokio::test]
async fn an_id_that_no_registry_can_issue_is_not_found_at_once() {
    let stub = Stub::start().await;
    let registry = at(&[&stub], Duration::from_secs(3_600));
    for id in [1 << 31, u32::MAX] {
        for path in ["", "/versions"] {
            let body = json!({"error_code": 404, "message": "HTTP 404 Not Found"});
            stub.answer(&format!("/schemas/ids/{id}{path}"), 404, body);
        }
        let id = SchemaId(id);
        for asked in [registry.by_id(id).await, registry.by_id_of(id, &["mine".to_owned()]).await] {
            assert!(matches!(asked, Err(RegistryError::NotFound { .. })), "{asked:?}");
        }
    }
    assert!(stub.requests().is_empty(), "{:?}", stub.requests());
}

#[tokio::test]
async fn a_missing_reference_is_not_yet_until_patience_ends() {
    let stub = Stub::start().await;
    let references = json!([{"name": "n.Address", "subject": "address", "version": 1}]);
    stub.answer("/schemas/ids/7", 200, json!({"schema": LONG, "references": references}));
    let registry = at(&[&stub], Duration::from_secs(3_600));
    let error = registry.by_id(ID).await.unwrap_err();
    assert!(
        matches!(&error, RegistryError::NotYet { what, .. } if what.contains("subject address version 1")),
        "{error}"
    );
    let error = at(&[&stub], Duration::from_nanos(1)).by_id(ID).await.unwrap_err();
    assert!(matches!(error, RegistryError::Unusable { .. }), "{error}");
}

#[tokio::test]
async fn a_missing_version_is_not_yet_until_patience_ends() {
    let stub = Stub::start().await;
    stub.answer("/subjects/x/versions", 200, json!([1]));
    stub.has_version("x", "1", 7, LONG, &json!([]));
    stub.has_version("x", "latest", 7, LONG, &json!([]));
    let other = Schema::parse(r#""int""#).unwrap();
    for (patience, is_pending) in [(Duration::from_secs(3_600), true), (Duration::from_nanos(1), false)] {
        let registry = at(&[&stub], patience);
        for error in [
            registry.by_version("x", 2).await.unwrap_err(),
            registry.by_fingerprint("x", other.fingerprint()).await.unwrap_err(),
            registry.by_meaning("x", &other).await.unwrap_err(),
        ] {
            assert_eq!(matches!(error, RegistryError::NotYet { .. }), is_pending, "{error}");
            assert_eq!(matches!(error, RegistryError::NotFound { .. }), !is_pending, "{error}");
        }
    }
}
