use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use service::secret::Secret;

use super::*;
use stub::{KEY_PATH, SCHEMA, SECRET, Stub, TOKEN_PATH, ok, status, token};

mod stub;

/// Returns the error's text. Fails if the error shows the secret.
fn shown(error: &CxoneError) -> String {
    let text = format!("{error} {error:?}");
    assert!(!text.contains(SECRET), "{text}");
    error.to_string()
}

#[tokio::test]
async fn a_token_is_requested_by_a_form_and_then_used() {
    let stub = Stub::start().await;
    let client = stub.client();
    assert_eq!(client.schema("s").await.unwrap(), SCHEMA);
    assert_eq!(client.schema("s").await.unwrap(), SCHEMA);
    let seen = stub.seen();
    let what: Vec<&str> = seen.iter().map(|seen| seen.what.as_str()).collect();
    assert_eq!(what, ["POST /api/v2/oauth/token", "GET /schemas/s", "GET /schemas/s"]);
    assert_eq!(seen[0].content_type.as_deref(), Some("application/x-www-form-urlencoded"));
    assert_eq!(
        seen[0].body,
        "grant_type=client_credentials&client_id=penstock&client_secret=hunter2-the-secret&scope=data-action%3Aread+data-action%3Awrite"
    );
    assert_eq!((&seen[0].authorization, seen[1].authorization.as_deref()), (&None, Some("Bearer t1")));
    assert!(!format!("{client:?}").contains(SECRET));
}

#[tokio::test]
async fn an_access_key_is_sent_as_json() {
    let stub = Stub::start().await;
    stub.answers(KEY_PATH, vec![token("t1", 3_600)]);
    let key = crate::config::Cxone {
        client_id: None,
        client_secret: None,
        access_key_id: Some("key".to_owned()),
        access_key_secret: Some(Secret::new(SECRET)),
        ..stub.settings()
    };
    assert_eq!(Cxone::new(&key).unwrap().schema("s").await.unwrap(), SCHEMA);
    let seen = stub.seen();
    assert_eq!(seen[0].what, format!("POST {KEY_PATH}"));
    let body: Value = serde_json::from_str(&seen[0].body).unwrap();
    assert_eq!(body, json!({"accessKeyId": "key", "accessKeySecret": SECRET}));

    stub.answers(KEY_PATH, vec![status(401)]);
    let error = shown(&Cxone::new(&key).unwrap().schema("s").await.unwrap_err());
    assert!(error.contains("cxone.access_key_id or cxone.access_key_secret"), "{error}");
}

#[tokio::test]
async fn a_secret_in_a_file_is_read_for_each_token() {
    let stub = Stub::start().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    let settings = crate::config::Cxone { client_secret_file: Some(file.path().to_owned()), ..stub.settings() };
    stub.answers(TOKEN_PATH, vec![token("t1", 0)]);
    let client = Cxone::new(&settings).unwrap();
    let error = client.schema("s").await.unwrap_err().to_string();
    assert!(error.starts_with("cxone.client_secret: is missing or empty"), "{error}");
    for secret in ["first", "second"] {
        std::fs::write(file.path(), format!("{secret}\n")).unwrap();
        client.schema("s").await.unwrap();
        let asked = stub.seen().into_iter().rfind(|seen| seen.what.starts_with("POST")).unwrap();
        assert!(asked.body.contains(&format!("client_secret={secret}&")), "{}", asked.body);
    }
}

#[tokio::test]
async fn a_token_is_replaced_five_minutes_before_it_expires() {
    let stub = Stub::start().await;
    stub.answers(TOKEN_PATH, vec![token("t1", 3_600), token("t2", 3_600)]);
    let client = stub.client();
    client.schema("s").await.unwrap();
    for (minutes, tokens) in [(54, 1), (2, 2)] {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(minutes * 60)).await;
        tokio::time::resume();
        client.schema("s").await.unwrap();
        assert_eq!(stub.count(TOKEN_PATH), tokens, "{minutes} minutes later");
    }
    assert_eq!(stub.seen().last().unwrap().authorization.as_deref(), Some("Bearer t2"));
}

#[tokio::test]
async fn concurrent_calls_share_one_request_for_a_token() {
    for (answer, good) in [(token("t1", 3_600), true), (status(401), false)] {
        let stub = Stub::start().await;
        stub.answers(TOKEN_PATH, vec![answer]);
        stub.hold();
        let client = Arc::new(stub.client());
        let calls = join_all((0..10).map(|_| client.schema("s")));
        let release = async {
            while stub.seen().is_empty() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            stub.release();
        };
        let (results, ()) = tokio::join!(calls, release);
        assert!(results.iter().all(|result| result.is_ok() == good), "{results:?}");
        assert_eq!(stub.count(TOKEN_PATH), 1);
    }
}

#[tokio::test]
async fn a_401_is_explained_with_its_likely_causes() {
    let stub = Stub::start().await;
    stub.answers(TOKEN_PATH, vec![(401, Vec::new(), json!({"error": "invalid_client", "sent": SECRET}).to_string())]);
    let error = shown(&stub.client().schema("s").await.unwrap_err());
    for words in [
        "status 401, invalid_client",
        "cxone.client_id or cxone.client_secret is wrong",
        "client credentials or the scopes data-action:read data-action:write",
        "cxone.tenant_url or the path belongs to another tenant or region",
    ] {
        assert!(error.contains(words), "{words}: {error}");
    }
    assert_eq!(stub.seen().len(), 1, "a refusal is not tried again");
}

#[tokio::test]
async fn a_revoked_token_is_replaced_once() {
    let stub = Stub::start().await;
    stub.answers(TOKEN_PATH, vec![token("t1", 3_600), token("t2", 3_600)]);
    stub.answers("/schemas/s", vec![status(401), ok(SCHEMA)]);
    let client = stub.client();
    assert_eq!(client.schema("s").await.unwrap(), SCHEMA);
    assert_eq!(stub.seen().last().unwrap().authorization.as_deref(), Some("Bearer t2"));

    stub.answers("/schemas/s", vec![status(401)]);
    let error = shown(&client.schema("s").await.unwrap_err());
    assert!(error.contains("answered 401 to a fresh token") && error.contains("cxone.scopes"), "{error}");
    assert_eq!((stub.count(TOKEN_PATH), stub.count("/schemas/s")), (3, 4));
}

#[tokio::test]
async fn a_429_waits_as_long_as_requested_up_to_a_limit() {
    let stub = Stub::start().await;
    stub.answers(TOKEN_PATH, vec![(429, vec![("retry-after", "1")], String::new()), token("t1", 3_600)]);
    assert_eq!(stub.client().schema("s").await.unwrap(), SCHEMA);
    assert_eq!(stub.count(TOKEN_PATH), 2);

    stub.answers("/schemas/s", vec![(429, vec![("retry-after", "3600")], String::new())]);
    let error = shown(&stub.client().schema("s").await.unwrap_err());
    assert!(error.contains("asks to wait 3600 s"), "{error}");
    stub.answers("/schemas/s", vec![(429, vec![("retry-after", "0")], String::new())]);
    assert!(matches!(stub.client().schema("s").await, Err(CxoneError::Busy { seconds: 0, .. })));
    assert_eq!(stub.count("/schemas/s"), 1 + 1 + 4);
}

#[tokio::test]
async fn a_server_error_is_retried_a_few_times() {
    let stub = Stub::start().await;
    stub.answers(TOKEN_PATH, vec![status(500), status(503), token("t1", 3_600)]);
    assert_eq!(stub.client().schema("s").await.unwrap(), SCHEMA);
    assert_eq!(stub.count(TOKEN_PATH), 3);
    stub.answers("/schemas/s", vec![status(502)]);
    let error = shown(&stub.client().schema("s").await.unwrap_err());
    assert!(error.ends_with("/schemas/s answered 502"), "{error}");
    assert_eq!(stub.count("/schemas/s"), 1 + 4);
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_reported() {
    let stub = Stub::start().await;
    stub.hold();
    let settings = crate::config::Cxone { timeout: Duration::from_millis(50), ..stub.settings() };
    let error = shown(&Cxone::new(&settings).unwrap().schema("s").await.unwrap_err());
    assert!(error.contains("does not answer: no answer within cxone.timeout"), "{error}");
    assert_eq!(stub.count(TOKEN_PATH), 4);
    let nobody = crate::config::Cxone { tenant_url: Some("http://127.0.0.1:1".to_owned()), ..stub.settings() };
    let error = shown(&Cxone::new(&nobody).unwrap().schema("s").await.unwrap_err());
    assert!(error.contains("refused"), "{error}");
}

#[tokio::test]
async fn nonsense_instead_of_a_token_is_reported() {
    let stub = Stub::start().await;
    for (answer, words) in [
        (ok("<html>Sign in</html>"), "not JSON"),
        (ok("{}"), "without an access_token"),
        (ok(r#"{"access_token": ""}"#), "without an access_token"),
        (ok(r#"{"access_token": "a\nb"}"#), "no header can hold"),
        (ok("x".repeat(70_000)), "more than 65536 bytes"),
        (status(302), "answered 302"),
        (status(404), "answered 404"),
    ] {
        stub.answers(TOKEN_PATH, vec![answer]);
        let error = shown(&stub.client().schema("s").await.unwrap_err());
        assert!(error.contains(TOKEN_PATH) && error.contains(words), "{words}: {error}");
    }
    assert_eq!(stub.count("/schemas/s"), 0);
}

#[tokio::test]
async fn nonsense_instead_of_a_schema_is_reported() {
    let stub = Stub::start().await;
    for (answer, words) in [
        (ok("<html>"), "not JSON"),
        (ok("1"), "cxone.schema_pointer"),
        (ok("x".repeat(MAX_SCHEMA + 1)), "more than 4194304 bytes"),
        (status(403), "cxone.scopes"),
        (status(404), "cxone.schema_path"),
        (status(410), "answered 410"),
    ] {
        stub.answers("/schemas/s", vec![answer]);
        let error = shown(&stub.client().schema("s").await.unwrap_err());
        assert!(error.contains("/schemas/s") && error.contains(words), "{words}: {error}");
    }
}

#[tokio::test]
async fn a_byte_order_mark_before_an_answer_is_ignored() {
    let stub = Stub::start().await;
    let (status, headers, body) = token("t1", 3_600);
    stub.answers(TOKEN_PATH, vec![(status, headers, format!("\u{feff}{body}"))]);
    stub.answers("/schemas/s", vec![ok(format!("\u{feff}{SCHEMA}"))]);
    assert_eq!(stub.client().schema("s").await.unwrap(), SCHEMA);
}

#[tokio::test]
async fn a_subject_is_one_segment_of_the_path() {
    let stub = Stub::start().await;
    stub.answers("/schemas/a%2Fb%20c", vec![ok(SCHEMA)]);
    assert_eq!(stub.client().schema("a/b c").await.unwrap(), SCHEMA);
}
