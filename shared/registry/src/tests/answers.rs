//! The meaning of each answer of a registry, or of a server that pretends to be one.

use tokio::net::TcpListener;

use super::*;

/// Returns the error for schema 7 after this answer.
async fn asked(status: u16, body: impl ToString) -> RegistryError {
    let stub = Stub::start().await;
    stub.answer("/schemas/ids/7", status, body);
    stub.registry().by_id(ID).await.unwrap_err()
}

#[tokio::test]
async fn only_a_registrys_404_means_not_found() {
    for code in [40401, 40402, 40403] {
        let error = asked(404, json!({"error_code": code, "message": "no"})).await;
        assert!(matches!(error, RegistryError::NotFound { .. }), "{error}");
    }
    for body in ["", "<html>404</html>", r#"{"error_code":404,"message":"HTTP 404 Not Found"}"#] {
        let error = asked(404, body).await;
        assert!(matches!(error, RegistryError::Unavailable { .. }), "{error}");
        assert!(error.to_string().contains("404"), "{error}");
    }
}

#[tokio::test]
async fn other_errors_of_the_registry_mean_unavailable() {
    for (status, body) in [(503, "<html>Service Unavailable</html>"), (504, "upstream request timeout"), (200, "504")] {
        let error = asked(status, body).await;
        assert!(matches!(error, RegistryError::Unavailable { .. }), "{status}: {error}");
    }
    for status in [401, 403, 429, 500, 502, 503] {
        let error = asked(status, json!({"error_code": 50001, "message": "the store is down"})).await;
        assert!(matches!(error, RegistryError::Unavailable { .. }), "{error}");
        assert!(error.to_string().contains(&status.to_string()), "{error}");
        assert!(error.to_string().contains("the store is down"), "{error}");
    }
}

#[tokio::test]
async fn an_unreadable_answer_means_unavailable() {
    for body in ["", "<html>Sign in</html>", "[]", "{}", r#"{"schema":1}"#] {
        let error = asked(200, body).await;
        assert!(matches!(error, RegistryError::Unavailable { .. }), "{body}: {error}");
    }
}

#[tokio::test]
async fn a_redirect_is_reported_and_not_followed() {
    let error = asked(302, "http://127.0.0.1:1/login").await;
    assert!(matches!(error, RegistryError::Unavailable { .. }), "{error}");
    assert!(error.to_string().contains("302"), "{error}");
}

/// mostafa/xk6-kafka#363: a registry began to compress its answers, and the client took them for JSON.
#[tokio::test]
async fn answers_must_not_be_compressed() {
    let stub = Stub::start().await;
    stub.has_schema(7, LONG);
    let registry = stub.registry();
    registry.by_id(ID).await.unwrap();
    let encoding = || stub.last_header(&axum::http::header::ACCEPT_ENCODING);
    assert_eq!(encoding().as_deref(), Some("identity"));
    assert!(registry.latest("events").await.is_err());
    assert_eq!(encoding().as_deref(), Some("identity"));
}

#[tokio::test]
async fn an_invalid_schema_is_unusable_and_remembered() {
    for body in [
        json!({"schema": "syntax = \"proto3\";", "schemaType": "PROTOBUF"}),
        json!({"schema": "{\"type\":\"nonsense\"}"}),
        json!({"schema": "not JSON"}),
    ] {
        let stub = Stub::start().await;
        stub.answer("/schemas/ids/7", 200, &body);
        let registry = stub.registry();
        for _ in 0..2 {
            let error = registry.by_id(ID).await.unwrap_err();
            assert!(matches!(error, RegistryError::Unusable { .. }), "{error}");
        }
        assert_eq!(stub.requests().len(), 1, "{body}");
    }
}

#[tokio::test]
async fn a_refused_connection_means_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let registry = SchemaRegistry::new(&config::SchemaRegistry { url, ..config::SchemaRegistry::default() }).unwrap();
    let error = registry.by_id(ID).await.unwrap_err();
    assert!(matches!(error, RegistryError::Unavailable { .. }), "{error}");
    assert!(error.to_string().to_lowercase().contains("refused"), "{error}");
}

#[tokio::test]
async fn a_missing_answer_means_unavailable_after_the_timeout() {
    let stub = Stub::start().await;
    stub.hold();
    let settings = config::SchemaRegistry { timeout: Duration::from_millis(20), ..stub.settings() };
    let error = SchemaRegistry::new(&settings).unwrap().by_id(ID).await.unwrap_err();
    assert!(matches!(error, RegistryError::Unavailable { .. }), "{error}");
    assert!(error.to_string().contains("timed out"), "{error}");
}

#[tokio::test]
async fn user_and_password_of_the_address_are_sent_but_never_shown() {
    let stub = Stub::start().await;
    stub.answer("/api/schemas/ids/7", 503, "");
    let url = format!("http://me:p%40ss@{}/api/", stub.address);
    let registry = SchemaRegistry::new(&config::SchemaRegistry { url, ..stub.settings() }).unwrap();
    let error = registry.by_id(ID).await.unwrap_err();
    // me:p@ss
    assert_eq!(stub.last_authorization().as_deref(), Some("Basic bWU6cEBzcw=="));
    let shown = format!("{error} {error:?} {registry:?}");
    assert!(!shown.contains("me:") && !shown.contains("p@ss") && !shown.contains("p%40ss"), "{shown}");
    assert!(error.to_string().contains(&format!("http://{}/api", stub.address)), "{error}");
}

#[tokio::test]
async fn an_invalid_address_is_refused_without_being_shown() {
    for url in ["", "registry:8081", "ftp://me:hunter2@registry", "http://me:hunter2@", "http://me:hunter2@a:b"] {
        let settings = config::SchemaRegistry { url: url.to_owned(), ..config::SchemaRegistry::default() };
        let error = SchemaRegistry::new(&settings).unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
        assert!(error.contains("schema_registry.url"), "{error}");
    }
}

#[tokio::test]
async fn a_subject_may_contain_any_characters() {
    let stub = Stub::start().await;
    let registry = stub.registry();
    registry.latest("a/b c?d#e%f-ä").await.unwrap_err();
    assert_eq!(stub.requests(), ["GET /subjects/a%2Fb%20c%3Fd%23e%25f-%C3%A4/versions/latest"]);
}

#[tokio::test]
async fn a_schema_refused_by_the_registry_is_unusable() {
    for (status, code) in [(409, 409), (409, 40901), (422, 42201), (422, 422)] {
        let stub = Stub::start().await;
        let body = json!({"error_code": code, "message": "Schema being registered is incompatible"});
        stub.answer("/subjects/s/versions", status, body);
        let error = stub.registry().register("s", LONG).await.unwrap_err();
        assert!(matches!(error, RegistryError::Unusable { .. }), "{error}");
        assert!(error.to_string().contains("incompatible"), "{error}");
    }
}

#[tokio::test]
async fn a_registry_in_read_only_mode_refuses_no_schema() {
    let stub = Stub::start().await;
    let body = json!({"error_code": 42205, "message": "Subject s is in read-only mode"});
    stub.answer("/subjects/s/versions", 422, body);
    let registry = stub.registry();
    let error = registry.register("s", LONG).await.unwrap_err();
    assert!(matches!(error, RegistryError::Unavailable { .. }), "{error}");
    assert!(error.to_string().contains("read-only mode"), "{error}");
    stub.answer("/subjects/s/versions", 200, json!({"id": 7}));
    assert_eq!(registry.register("s", LONG).await.unwrap(), ID);
}

const USER: &str =
    r#"{"type":"record","name":"User","namespace":"n","fields":[{"name":"address","type":"n.Address"}]}"#;
const ADDRESS: &str =
    r#"{"type":"record","name":"Address","namespace":"n","fields":[{"name":"street","type":"string"}]}"#;
const EVENT: &str = r#"{"type":"record","name":"Event","namespace":"n","fields":[
    {"name":"user","type":"n.User"},{"name":"address","type":"n.Address"}]}"#;

#[tokio::test]
async fn nested_references_are_resolved_once_each() {
    let stub = Stub::start().await;
    let to = |name: &str, subject: &str| json!({"name": name, "subject": subject, "version": 1});
    let references = json!([to("n.User", "user"), to("n.Address", "address")]);
    stub.answer("/schemas/ids/7", 200, json!({"schema": EVENT, "references": references}));
    stub.has_version("user", "1", 2, USER, &json!([to("n.Address", "address")]));
    stub.has_version("address", "1", 1, ADDRESS, &json!([]));
    let schema = stub.registry().by_id(ID).await.unwrap();
    assert_eq!(schema.fullname(), Some("n.Event"));
    schema.field("user.address.street").unwrap();
    assert_eq!(stub.requests().len(), 3, "{:?}", stub.requests());
}

#[tokio::test]
async fn a_missing_reference_makes_the_schema_unusable() {
    let stub = Stub::start().await;
    let references = json!([{"name": "n.User", "subject": "user", "version": 1}]);
    stub.answer("/schemas/ids/7", 200, json!({"schema": EVENT, "references": references}));
    let error = stub.registry().by_id(ID).await.unwrap_err();
    assert!(matches!(error, RegistryError::Unusable { .. }), "{error}");
    assert!(error.to_string().contains("subject user version 1"), "{error}");
}

/// Confluent's clients read deleted references too: the records that need them still exist.
#[tokio::test]
async fn a_reference_to_a_deleted_version_is_read() {
    let stub = Stub::start().await;
    let references = json!([{"name": "n.Address", "subject": "address", "version": 1}]);
    stub.answer("/schemas/ids/7", 200, json!({"schema": USER, "references": references}));
    stub.answer("/subjects/address/versions/1", 404, json!({"error_code": 40402, "message": "Version 1 not found."}));
    stub.answer("/subjects/address/versions/1?deleted=true", 200, json!({"schema": ADDRESS, "references": null}));
    stub.registry().by_id(ID).await.unwrap().field("address.street").unwrap();
}

#[tokio::test]
async fn circular_and_endless_references_are_bounded() {
    let stub = Stub::start().await;
    let to = |subject: &str| json!([{"name": "n.User", "subject": subject, "version": 1}]);
    stub.answer("/schemas/ids/7", 200, json!({"schema": EVENT, "references": to("0")}));
    for number in 0..200 {
        stub.has_version(&number.to_string(), "1", number, USER, &to(&(number + 1).to_string()));
    }
    let error = stub.registry().by_id(ID).await.unwrap_err();
    assert!(error.to_string().contains("more than 100"), "{error}");
    stub.has_version("0", "1", 0, USER, &to("0"));
    let asked = stub.requests().len();
    stub.registry().by_id(ID).await.unwrap_err();
    assert_eq!(stub.requests().len() - asked, 2);
}

/// Apicurio/apicurio-registry#1081: its errors have more members. #1547, #1530: before version 2.1, it answered 404
/// without a code of its own, as a wrong path is answered too. That proves nothing about a schema.
#[tokio::test]
async fn errors_of_apicurio_have_their_meaning() {
    let missing = "No artifact with ID '7' in group 'null' was found.";
    let error = json!({"error_code": 40403, "message": missing, "detail": "ArtifactNotFoundException: …", "name": "x"});
    assert!(matches!(asked(404, error).await, RegistryError::NotFound { .. }));
    let error = asked(404, json!({"message": missing, "error_code": 404})).await;
    assert!(matches!(&error, RegistryError::Unavailable { .. }) && error.to_string().contains(missing), "{error}");
    // #2498
    let error = asked(400, json!({"message": "Failed to discover artifact type from content.", "error_code": 0})).await;
    assert!(matches!(error, RegistryError::Unavailable { .. }), "{error}");
}
