//! A stub of CXone with canned answers. It counts requests, and tests can make it wait or fail.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use service::secret::Secret;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::cxone::Cxone;

pub(super) const TOKEN_PATH: &str = "/api/v2/oauth/token";
pub(super) const KEY_PATH: &str = "/authentication/v1/token/access-key";
pub(super) const SECRET: &str = "hunter2-the-secret";
pub(super) const SCHEMA: &str = r#"{"fields":[],"name":"E","type":"record"}"#;

/// One canned answer: the status, the headers, the body.
pub(super) type Canned = (u16, Vec<(&'static str, &'static str)>, String);

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) what: String,
    pub(super) authorization: Option<String>,
    pub(super) content_type: Option<String>,
    pub(super) body: String,
}

#[derive(Clone)]
pub(super) struct Stub {
    address: String,
    state: Arc<StubState>,
}

struct StubState {
    /// The answers by path. The last one is repeated.
    answers: Mutex<HashMap<String, VecDeque<Canned>>>,
    seen: Mutex<Vec<Seen>>,
    /// Each answer takes one permit.
    gate: Semaphore,
}

impl Stub {
    /// Starts a stub that returns a token and a schema.
    pub(super) async fn start() -> Self {
        let state = Arc::new(StubState {
            answers: Mutex::default(),
            seen: Mutex::default(),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let stub = Self { address, state };
        stub.answers(TOKEN_PATH, vec![token("t1", 3_600)]);
        stub.answers("/schemas/s", vec![ok(SCHEMA)]);
        stub
    }

    /// Returns settings for a client of this stub with client credentials, for tests to change.
    pub(super) fn settings(&self) -> crate::config::Cxone {
        crate::config::Cxone {
            tenant_url: Some(format!("http://{}", self.address)),
            client_id: Some("penstock".to_owned()),
            client_secret: Some(Secret::new(SECRET)),
            schema_path: Some("/schemas/{subject}".to_owned()),
            ..crate::config::Cxone::default()
        }
    }

    pub(super) fn client(&self) -> Cxone {
        Cxone::new(&self.settings()).unwrap()
    }

    /// Sets the answers for `path`, which are given in turn. The last one is repeated.
    pub(super) fn answers(&self, path: &str, answers: Vec<Canned>) {
        self.state.answers.lock().unwrap().insert(path.to_owned(), answers.into());
    }

    /// Makes all answers wait from now on.
    pub(super) fn hold(&self) {
        self.state.gate.forget_permits(self.state.gate.available_permits());
    }

    /// Releases the answers.
    pub(super) fn release(&self) {
        self.state.gate.add_permits(Semaphore::MAX_PERMITS / 2);
    }

    /// Returns all requests until now.
    pub(super) fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().unwrap().clone()
    }

    /// Returns the number of requests for `path`.
    pub(super) fn count(&self, path: &str) -> usize {
        self.seen().iter().filter(|seen| seen.what.ends_with(path)).count()
    }
}

pub(super) fn ok(body: impl ToString) -> Canned {
    (200, Vec::new(), body.to_string())
}

pub(super) fn status(status: u16) -> Canned {
    (status, Vec::new(), String::new())
}

pub(super) fn token(token: &str, expires_in: u64) -> Canned {
    ok(json!({"access_token": token, "token_type": "bearer", "expires_in": expires_in}))
}

async fn answer(
    State(state): State<Arc<StubState>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> Response {
    let text = |name| headers.get(name).map(|value: &header::HeaderValue| value.to_str().unwrap().to_owned());
    state.seen.lock().unwrap().push(Seen {
        what: format!("{method} {}", uri.path()),
        authorization: text(header::AUTHORIZATION),
        content_type: text(header::CONTENT_TYPE),
        body,
    });
    state.gate.acquire().await.unwrap().forget();
    let mut answers = state.answers.lock().unwrap();
    let Some(canned) = answers.get_mut(uri.path()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let (status, headers, body) =
        if canned.len() > 1 { canned.pop_front().unwrap() } else { canned.front().unwrap().clone() };
    let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
    for (name, value) in headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}
