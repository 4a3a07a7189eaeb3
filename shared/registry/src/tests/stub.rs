//! A registry with canned answers. Unlike a real one, the stub counts requests, delays answers, goes down and answers
//! wrongly on command. The integration tests check that the real registry answers in this form.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::SchemaRegistry;

/// A running stub.
#[derive(Clone)]
pub(super) struct Stub {
    pub(super) address: String,
    state: Arc<StubState>,
}

struct StubState {
    answers: Mutex<HashMap<String, (StatusCode, String)>>,
    /// Method, path and headers of each request.
    requests: Mutex<Vec<(String, HeaderMap)>>,
    /// Each answer takes one permit from the gate.
    gate: Semaphore,
}

impl Stub {
    pub(super) async fn start() -> Self {
        let state = Arc::new(StubState {
            answers: Mutex::default(),
            requests: Mutex::default(),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, state }
    }

    /// Returns the settings for a registry at this stub, without patience. Tests may change them.
    pub(super) fn settings(&self) -> config::SchemaRegistry {
        let patience = Duration::ZERO;
        config::SchemaRegistry {
            url: format!("http://{}", self.address),
            patience,
            ..config::SchemaRegistry::default()
        }
    }

    pub(super) fn registry(&self) -> SchemaRegistry {
        SchemaRegistry::new(&self.settings()).unwrap()
    }

    /// Returns a registry client whose cached answers expire immediately.
    pub(super) fn forgetful_registry(&self) -> SchemaRegistry {
        let moment = Duration::from_nanos(1);
        SchemaRegistry::new(&config::SchemaRegistry { refresh: moment, negative_ttl: moment, ..self.settings() })
            .unwrap()
    }

    /// Sets the answer to requests for `path`, with any query or only with the given one.
    pub(super) fn answer(&self, path: &str, status: u16, body: impl ToString) {
        let answer = (StatusCode::from_u16(status).unwrap(), body.to_string());
        self.state.answers.lock().unwrap().insert(path.to_owned(), answer);
    }

    pub(super) fn has_schema(&self, id: u32, schema: &str) {
        self.answer(&format!("/schemas/ids/{id}"), 200, json!({"schema": schema}));
    }

    pub(super) fn has_version(&self, subject: &str, version: &str, id: u32, schema: &str, references: &Value) {
        let body = json!({"subject": subject, "version": 1, "id": id, "schema": schema, "references": references});
        self.answer(&format!("/subjects/{subject}/versions/{version}"), 200, body);
    }

    /// Holds back all answers from now on.
    pub(super) fn hold(&self) {
        let permits = self.state.gate.available_permits();
        self.state.gate.forget_permits(permits);
    }

    /// Releases the answers.
    pub(super) fn release(&self) {
        self.state.gate.add_permits(Semaphore::MAX_PERMITS / 2);
    }

    /// Returns method and path of each request so far.
    pub(super) fn requests(&self) -> Vec<String> {
        self.state.requests.lock().unwrap().iter().map(|(request, _)| request.clone()).collect()
    }

    pub(super) fn last_authorization(&self) -> Option<String> {
        self.last_header(&header::AUTHORIZATION)
    }

    pub(super) fn last_header(&self, name: &HeaderName) -> Option<String> {
        let requests = self.state.requests.lock().unwrap();
        let (_, headers) = requests.last()?;
        headers.get(name).map(|value| value.to_str().unwrap().to_owned())
    }

    /// Waits until `count` requests have arrived.
    pub(super) async fn requested(&self, count: usize) {
        while self.requests().len() < count {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

async fn answer(
    State(state): State<Arc<StubState>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    _: Bytes,
) -> Response {
    state.requests.lock().unwrap().push((format!("{method} {}", uri.path()), headers));
    state.gate.acquire().await.unwrap().forget();
    let with_query = uri.path_and_query().map_or("", |target| target.as_str());
    let answers = state.answers.lock().unwrap().clone();
    let known = answers.get(with_query).or_else(|| answers.get(uri.path())).cloned();
    match known {
        Some((status, body)) if status.is_redirection() => (status, [(header::LOCATION, body)]).into_response(),
        Some(answer) => answer.into_response(),
        None => {
            let code = if uri.path().starts_with("/subjects") { 40401 } else { 40403 };
            let body = json!({"error_code": code, "message": "not found"});
            (StatusCode::NOT_FOUND, body.to_string()).into_response()
        }
    }
}
