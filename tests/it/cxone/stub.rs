//! A stub of CXone. It returns a token for client credentials, and for the token the schema that the test has set.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::AUTHORIZATION;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use receiver::config::Cxone;
use tokio::net::TcpListener;

pub(super) const SECRET: &str = "the-secret-of-the-stand-in";
const TOKEN: &str = "the-token-of-the-stand-in";

/// A running stub.
#[derive(Clone)]
pub(super) struct Stub {
    address: String,
    schema: Arc<Mutex<String>>,
}

impl Stub {
    /// Starts a stub with `schema`.
    pub(super) async fn start(schema: &str) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let stub =
            Self { address: listener.local_addr()?.to_string(), schema: Arc::new(Mutex::new(schema.to_owned())) };
        let serving = stub.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let stub = serving.clone();
                let service = service_fn(move |request| answer(request, stub.clone()));
                tokio::spawn(async move {
                    http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok()
                });
            }
        });
        Ok(stub)
    }

    /// Sets the schema to return from now on.
    pub(super) fn set(&self, schema: &str) {
        schema.clone_into(&mut self.schema.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Returns the section of a config that uses the stub. The secret is in `file`.
    pub(super) fn section(&self, file: &std::path::Path) -> Result<Cxone> {
        std::fs::write(file, SECRET)?;
        Ok(Cxone {
            tenant_url: Some(format!("http://{}", self.address)),
            client_id: Some("penstock".to_owned()),
            client_secret_file: Some(file.to_owned()),
            schema_path: Some("/schemas/{subject}/latest".to_owned()),
            schema_pointer: Some("/latest/avro".to_owned()),
            ..Cxone::default()
        })
    }
}

async fn answer(request: Request<Incoming>, stub: Stub) -> Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = String::from_utf8(body.collect().await?.to_bytes().to_vec())?;
    let (status, answer) = match head.uri.path() {
        "/api/v2/oauth/token" if body.contains(&format!("client_secret={SECRET}&")) => {
            (StatusCode::OK, serde_json::json!({"access_token": TOKEN, "expires_in": 3600}))
        }
        "/api/v2/oauth/token" => (StatusCode::UNAUTHORIZED, serde_json::json!({"error": "invalid_client"})),
        path if path.starts_with("/schemas/") => {
            let bearer = head.headers.get(AUTHORIZATION).is_some_and(|value| value == &format!("Bearer {TOKEN}"));
            let schema = stub.schema.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let status = if bearer { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
            (status, serde_json::json!({"latest": {"avro": schema}}))
        }
        _ => (StatusCode::NOT_FOUND, serde_json::Value::Null),
    };
    Ok(Response::builder().status(status).body(Full::new(answer.to_string().into()))?)
}
