//! The registry client against a stub: its caches, and the meaning of each answer.

use std::time::Duration;

use serde_json::json;

use super::*;
use stub::Stub;

mod access;
mod answers;
mod disk_cache;
mod missing;
mod owners;
mod stub;
mod versions;

const LONG: &str = r#""long""#;
const ID: SchemaId = SchemaId(7);

#[tokio::test]
async fn concurrent_calls_for_one_id_make_one_request() {
    let stub = Stub::start().await;
    stub.has_schema(7, LONG);
    let registry = stub.registry();
    stub.hold();
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let registry = registry.clone();
            tokio::spawn(async move { registry.by_id(ID).await })
        })
        .collect();
    stub.requested(1).await;
    assert!(registry.cached(ID).is_none());
    stub.release();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(stub.requests(), ["GET /schemas/ids/7"]);
    assert!(registry.cached(ID).is_some());
    registry.by_id(ID).await.unwrap();
    assert_eq!(stub.requests().len(), 1);
}

#[tokio::test]
async fn concurrent_calls_share_a_failure_too() {
    let stub = Stub::start().await;
    stub.answer("/schemas/ids/7", 503, "");
    let registry = stub.registry();
    stub.hold();
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let registry = registry.clone();
            tokio::spawn(async move { registry.by_id(ID).await })
        })
        .collect();
    stub.requested(1).await;
    tokio::task::yield_now().await;
    stub.release();
    for call in calls {
        assert!(matches!(call.await.unwrap(), Err(RegistryError::Unavailable { .. })));
    }
    assert!(stub.requests().len() < 20, "{}", stub.requests().len());
}

#[tokio::test]
async fn a_cancelled_call_does_not_block_the_others() {
    let stub = Stub::start().await;
    stub.has_schema(7, LONG);
    let registry = stub.registry();
    stub.hold();
    let first = tokio::spawn({
        let registry = registry.clone();
        async move { registry.by_id(ID).await }
    });
    stub.requested(1).await;
    let second = tokio::spawn(async move { registry.by_id(ID).await });
    first.abort();
    stub.release();
    second.await.unwrap().unwrap();
}

#[tokio::test]
async fn an_id_that_is_not_found_is_remembered_for_a_while() {
    let stub = Stub::start().await;
    let registry = stub.registry();
    for _ in 0..3 {
        assert!(matches!(registry.by_id(ID).await, Err(RegistryError::NotFound { .. })));
    }
    assert_eq!(stub.requests().len(), 1);
}

#[tokio::test]
async fn an_id_that_was_not_found_is_asked_for_again_after_a_while() {
    let stub = Stub::start().await;
    let registry = stub.forgetful_registry();
    assert!(matches!(registry.by_id(ID).await, Err(RegistryError::NotFound { .. })));
    stub.has_schema(7, LONG);
    while registry.by_id(ID).await.is_err() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn an_unavailable_registry_is_asked_again_at_the_next_call() {
    let stub = Stub::start().await;
    stub.answer("/schemas/ids/7", 503, "");
    let registry = stub.registry();
    assert!(matches!(registry.by_id(ID).await, Err(RegistryError::Unavailable { .. })));
    stub.has_schema(7, LONG);
    registry.by_id(ID).await.unwrap();
}

#[tokio::test]
async fn the_cache_keeps_to_its_capacity_and_serves_every_schema() {
    let stub = Stub::start().await;
    let settings = config::SchemaRegistry { cache_capacity: 2, ..stub.settings() };
    let registry = SchemaRegistry::new(&settings).unwrap();
    for round in 0..2 {
        for id in 0..10 {
            stub.has_schema(id, LONG);
            registry.by_id(SchemaId(id)).await.unwrap();
            assert!(registry.cached(SchemaId(id)).is_some());
            assert!(registry.inner.store.cached_count() <= 2, "round {round}");
        }
    }
    registry.inner.store.by_id.run_pending_tasks().await;
    assert!(registry.inner.store.by_id.entry_count() <= 2);
}

#[tokio::test]
async fn the_latest_schema_is_cached_and_known_by_its_id() {
    let stub = Stub::start().await;
    stub.has_version("s", "latest", 7, LONG, &json!([]));
    let registry = stub.registry();
    for _ in 0..3 {
        assert_eq!(registry.latest("s").await.unwrap().id, ID);
    }
    assert!(registry.cached(ID).is_some());
    registry.by_id(ID).await.unwrap();
    assert_eq!(stub.requests(), ["GET /subjects/s/versions/latest"]);
}

#[tokio::test]
async fn a_new_version_becomes_the_latest() {
    let stub = Stub::start().await;
    stub.has_version("s", "latest", 7, LONG, &json!([]));
    let registry = stub.forgetful_registry();
    assert_eq!(registry.latest("s").await.unwrap().id, ID);
    stub.has_version("s", "latest", 8, LONG, &json!([]));
    while registry.latest("s").await.unwrap().id != SchemaId(8) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn the_last_known_schema_is_used_while_the_registry_is_down() {
    let stub = Stub::start().await;
    stub.has_version("s", "latest", 7, LONG, &json!([]));
    let registry = stub.forgetful_registry();
    registry.latest("s").await.unwrap();
    stub.answer("/subjects/s/versions/latest", 503, "");
    while stub.requests().len() < 3 {
        assert_eq!(registry.latest("s").await.unwrap().id, ID);
    }
    stub.has_version("s", "latest", 8, LONG, &json!([]));
    while registry.latest("s").await.unwrap().id != SchemaId(8) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_registry_that_is_down_gets_no_extra_requests() {
    let stub = Stub::start().await;
    stub.answer("/subjects/s/versions/latest", 503, "");
    let registry = stub.registry();
    let known = RegisteredSchema { id: ID, schema: Arc::new(Schema::parse(LONG).unwrap()) };
    registry.inner.latest.last_known.insert("s".to_owned(), known).await;
    for _ in 0..3 {
        assert_eq!(registry.latest("s").await.unwrap().id, ID);
    }
    assert_eq!(stub.requests().len(), 1);
}

#[tokio::test]
async fn a_deleted_subject_is_not_found_even_if_cached() {
    let stub = Stub::start().await;
    stub.has_version("s", "latest", 7, LONG, &json!([]));
    let registry = stub.forgetful_registry();
    registry.latest("s").await.unwrap();
    stub.answer("/subjects/s/versions/latest", 404, r#"{"error_code":40401,"message":"gone"}"#);
    loop {
        match registry.latest("s").await {
            Ok(_) => tokio::time::sleep(Duration::from_millis(1)).await,
            Err(error) => break assert!(matches!(error, RegistryError::NotFound { .. }), "{error}"),
        }
    }
}

#[tokio::test]
async fn an_unknown_subject_is_unavailable_while_the_registry_is_down() {
    let stub = Stub::start().await;
    stub.answer("/subjects/s/versions/latest", 503, "");
    assert!(matches!(stub.registry().latest("s").await, Err(RegistryError::Unavailable { .. })));
}

#[tokio::test]
async fn a_registered_schema_is_the_latest_at_once() {
    let stub = Stub::start().await;
    let registry = stub.registry();
    assert!(matches!(registry.latest("s").await, Err(RegistryError::NotFound { .. })));
    assert!(matches!(registry.by_id(ID).await, Err(RegistryError::NotFound { .. })));
    stub.answer("/subjects/s/versions", 200, r#"{"id":7}"#);
    assert_eq!(registry.register("s", LONG).await.unwrap(), ID);
    stub.has_version("s", "latest", 7, LONG, &json!([]));
    stub.has_schema(7, LONG);
    assert_eq!(registry.latest("s").await.unwrap().id, ID);
    registry.by_id(ID).await.unwrap();
}
