//! Several addresses, and credentials.

use tempfile::TempDir;

use super::*;
use config::SchemaRegistryAuth;
use service::secret::Secret;

fn with(stub: &Stub, auth: SchemaRegistryAuth) -> Result<SchemaRegistry, RegistrySetupError> {
    SchemaRegistry::new(&config::SchemaRegistry { auth, ..stub.settings() })
}

/// Returns the authorization header that the stub receives.
async fn authorization(stub: &Stub, registry: &SchemaRegistry) -> String {
    let error = registry.by_id(ID).await.unwrap_err();
    let shown = format!("{error} {error:?} {registry:?}");
    assert!(!shown.contains("hunter") && !shown.contains("aHVudGVy"), "{shown}");
    stub.last_authorization().unwrap()
}

#[tokio::test]
async fn a_dead_address_is_skipped_and_then_avoided_for_a_while() {
    let (dead, alive) = (Stub::start().await, Stub::start().await);
    alive.has_schema(7, LONG);
    alive.has_schema(8, LONG);
    dead.answer("/schemas/ids/7", 503, "");
    let url = format!("http://{}, http://{}", dead.address, alive.address);
    let registry = SchemaRegistry::new(&config::SchemaRegistry { url, ..dead.settings() }).unwrap();
    registry.by_id(ID).await.unwrap();
    registry.by_id(SchemaId(8)).await.unwrap();
    assert_eq!(dead.requests(), ["GET /schemas/ids/7"]);
    assert_eq!(alive.requests(), ["GET /schemas/ids/7", "GET /schemas/ids/8"]);
}

#[tokio::test]
async fn the_first_address_with_an_answer_is_believed() {
    let (first, second) = (Stub::start().await, Stub::start().await);
    first.has_schema(7, LONG);
    let url = format!("http://{},http://{}", first.address, second.address);
    let registry = SchemaRegistry::new(&config::SchemaRegistry { url, ..first.settings() }).unwrap();
    registry.by_id(ID).await.unwrap();
    assert!(second.requests().is_empty());
}

#[tokio::test]
async fn user_and_password_are_sent() {
    let stub = Stub::start().await;
    stub.answer("/schemas/ids/7", 503, "");
    let password = Some(Secret::new("hunter2"));
    let auth = SchemaRegistryAuth::Basic { username: "me".to_owned(), password, password_file: None };
    let registry = with(&stub, auth).unwrap();
    // me:hunter2
    assert_eq!(authorization(&stub, &registry).await, "Basic bWU6aHVudGVyMg==");
}

#[tokio::test]
async fn a_token_is_sent_and_its_file_is_read_again() {
    let (stub, dir) = (Stub::start().await, TempDir::new().unwrap());
    stub.answer("/schemas/ids/7", 503, "");
    let file = dir.path().join("token");
    std::fs::write(&file, "hunter2\n").unwrap();
    let auth = SchemaRegistryAuth::Bearer { token: None, token_file: Some(file.clone()) };
    let registry = with(&stub, auth).unwrap();
    assert_eq!(authorization(&stub, &registry).await, "Bearer hunter2");
    std::fs::write(&file, "hunter3\n").unwrap();
    assert_eq!(authorization(&stub, &registry).await, "Bearer hunter3");
    for gone in [true, false] {
        if gone {
            std::fs::remove_file(&file).unwrap()
        } else {
            std::fs::write(&file, "").unwrap()
        }
        assert_eq!(authorization(&stub, &registry).await, "Bearer hunter3");
    }
}

#[tokio::test]
async fn unusable_credentials_are_refused_without_showing_them() {
    let stub = Stub::start().await;
    let token = |token: &str| SchemaRegistryAuth::Bearer { token: Some(Secret::new(token)), token_file: None };
    for bad in ["", "hunter 2", "hunter\n2"] {
        let error = with(&stub, token(bad)).unwrap_err().to_string();
        assert!(error.starts_with("schema_registry.auth: ") && !error.contains("hunter"), "{error}");
    }
    let url = format!("http://me:hunter2@{}", stub.address);
    let both = config::SchemaRegistry { url, auth: token("x"), ..stub.settings() };
    let error = SchemaRegistry::new(&both).unwrap_err().to_string();
    assert!(error.contains("schema_registry.url") && !error.contains("hunter"), "{error}");
}

#[tokio::test]
async fn invalid_certificate_files_are_refused_with_their_key() {
    let (stub, dir) = (Stub::start().await, TempDir::new().unwrap());
    let file = dir.path().join("not.pem");
    std::fs::write(&file, "no certificate").unwrap();
    let (none, some) = (None, Some(file.clone()));
    let missing = Some(dir.path().join("missing.pem"));
    for (key, ca_file, client_certificate_file, client_key_file) in [
        ("ca_file", &some, &none, &none),
        ("ca_file", &missing, &none, &none),
        ("client_certificate_file", &none, &some, &some),
        ("client_certificate_file", &none, &some, &none),
        ("client_key_file", &none, &some, &missing),
    ] {
        let settings = config::SchemaRegistry {
            ca_file: ca_file.clone(),
            client_certificate_file: client_certificate_file.clone(),
            client_key_file: client_key_file.clone(),
            ..stub.settings()
        };
        let error = SchemaRegistry::new(&settings).unwrap_err();
        assert_eq!(error.key, key, "{error}");
    }
}
