//! Starts while the registry is down, with `schema_registry.cache_dir`.

use std::path::Path;

use tempfile::TempDir;

use super::*;
use avro::Schema;

const USER: &str = r#"{"type":"record","name":"User","fields":[{"name":"a","type":"Address"}]}"#;
const ADDRESS: &str = r#"{"type":"record","name":"Address","fields":[{"name":"street","type":"string"}]}"#;

/// Returns a client as after a start, with nothing in memory.
fn started(stub: &Stub, dir: &Path) -> SchemaRegistry {
    let moment = Duration::from_nanos(1);
    let cache_dir = Some(dir.to_owned());
    let settings = config::SchemaRegistry { cache_dir, refresh: moment, negative_ttl: moment, ..stub.settings() };
    SchemaRegistry::new(&settings).unwrap()
}

/// Starts a registry with schema 7, the latest of subject `s`, which refers to another schema.
async fn stub() -> Stub {
    let stub = Stub::start().await;
    let references = json!([{"name": "Address", "subject": "address", "version": 1}]);
    stub.answer("/schemas/ids/7", 200, json!({"schema": USER, "references": references}));
    stub.has_version("s", "latest", 7, USER, &references);
    stub.has_version("address", "1", 1, ADDRESS, &json!([]));
    stub
}

fn take_down(stub: &Stub) {
    for path in ["/schemas/ids/7", "/subjects/s/versions/latest", "/subjects/address/versions/1"] {
        stub.answer(path, 503, "");
    }
}

#[tokio::test]
async fn a_start_without_the_registry_uses_schemas_from_disk() {
    let (stub, dir) = (stub().await, TempDir::new().unwrap());
    started(&stub, dir.path()).latest("s").await.unwrap();
    take_down(&stub);
    let registry = started(&stub, dir.path());
    let latest = registry.latest("s").await.unwrap();
    assert_eq!(latest.id, ID);
    latest.schema.field("a.street").unwrap();
    assert!(registry.cached(ID).is_some());
    started(&stub, dir.path()).by_id(ID).await.unwrap().field("a.street").unwrap();
    assert!(matches!(started(&stub, dir.path()).by_id(SchemaId(8)).await, Err(RegistryError::NotFound { .. })));
    assert!(matches!(stub.registry().by_id(ID).await, Err(RegistryError::Unavailable { .. })), "without the folder");
}

#[tokio::test]
async fn the_registrys_answer_replaces_schemas_from_disk() {
    let (stub, dir) = (stub().await, TempDir::new().unwrap());
    started(&stub, dir.path()).latest("s").await.unwrap();
    take_down(&stub);
    let registry = started(&stub, dir.path());
    registry.by_id(ID).await.unwrap();
    registry.latest("s").await.unwrap();
    stub.has_version("s", "latest", 8, r#""long""#, &json!([]));
    stub.has_schema(7, r#""int""#);
    while registry.latest("s").await.unwrap().id != SchemaId(8) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let int = Schema::parse(r#""int""#).unwrap().fingerprint();
    assert_eq!(registry.by_id(ID).await.unwrap().fingerprint(), int);
    stub.answer("/schemas/ids/7", 503, "");
    assert_eq!(started(&stub, dir.path()).by_id(ID).await.unwrap().fingerprint(), int, "the old one is on disk");
}

#[tokio::test]
async fn schemas_that_the_registry_lost_are_removed_from_disk() {
    let (stub, dir) = (stub().await, TempDir::new().unwrap());
    started(&stub, dir.path()).latest("s").await.unwrap();
    stub.answer("/schemas/ids/7", 404, json!({"error_code": 40403, "message": "gone"}));
    stub.answer("/subjects/s/versions/latest", 404, json!({"error_code": 40401, "message": "gone"}));
    let registry = started(&stub, dir.path());
    registry.latest("s").await.unwrap_err();
    registry.by_id(ID).await.unwrap_err();
    take_down(&stub);
    started(&stub, dir.path()).latest("s").await.unwrap_err();
    started(&stub, dir.path()).by_id(ID).await.unwrap_err();
}

#[tokio::test]
async fn broken_files_are_ignored() {
    let (stub, dir) = (stub().await, TempDir::new().unwrap());
    started(&stub, dir.path()).latest("s").await.unwrap();
    take_down(&stub);
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        std::fs::write(entry.unwrap().path(), "{").unwrap();
    }
    let registry = started(&stub, dir.path());
    assert!(matches!(registry.latest("s").await, Err(RegistryError::Unavailable { .. })));
    assert!(matches!(registry.by_id(ID).await, Err(RegistryError::Unavailable { .. })));
}

#[tokio::test]
async fn an_unusable_folder_does_no_harm() {
    let (stub, dir) = (stub().await, TempDir::new().unwrap());
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let registry = started(&stub, &file.join("folder"));
    assert_eq!(registry.latest("s").await.unwrap().id, ID);
}

#[tokio::test]
async fn schemas_of_another_registry_are_not_used() {
    let (before, dir) = (stub().await, TempDir::new().unwrap());
    started(&before, dir.path()).latest("s").await.unwrap();
    let after = stub().await;
    take_down(&after);
    assert!(matches!(started(&after, dir.path()).latest("s").await, Err(RegistryError::Unavailable { .. })));
}

#[tokio::test]
async fn the_last_usable_version_is_found_after_a_start() {
    let (stub, dir) = (Stub::start().await, TempDir::new().unwrap());
    stub.answer("/subjects/s/versions", 200, json!([1, 2, 3]));
    stub.has_version("s", "1", 7, USER.replace("Address", "long").as_str(), &json!([]));
    stub.has_version("s", "2", 8, r#""long""#, &json!([]));
    for version in ["3", "latest"] {
        stub.has_version("s", version, 9, "{", &json!([]));
    }
    let registry = started(&stub, dir.path());
    assert!(matches!(registry.latest("s").await, Err(RegistryError::Unusable { .. })));
    let has_key = |found: &RegisteredSchema| found.schema.field("a").is_ok();
    let found = registry.last_usable("s", has_key).await.unwrap().unwrap();
    assert_eq!(found.id, ID);
    assert!(registry.last_usable("s", |_| false).await.unwrap().is_none());
    for path in ["latest", "1", "2", "3"] {
        stub.answer(&format!("/subjects/s/versions/{path}"), 503, "");
    }
    assert_eq!(started(&stub, dir.path()).latest("s").await.unwrap().id, ID);
}
