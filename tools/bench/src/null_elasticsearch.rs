//! An Elasticsearch that accepts everything: it reports each item of a bulk request as created, and acknowledges all
//! other requests.
//!
//! It shares the machine with the measured process, so it does as little as possible: one thread, and bodies are
//! counted on arrival and not stored.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use super::child;

/// The path of the counts so far, as JSON.
pub(super) const COUNTS_PATH: &str = "/_bench";

/// An item of the answer under a `filter_path` that asks only for status and error.
const ITEM: &str = r#"{"create":{"status":201}},"#;

/// Counts what the server has received.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Counts {
    /// Documents.
    pub(super) documents: u64,
    /// Bulk requests.
    pub(super) requests: u64,
    /// Bytes of the bulk bodies.
    pub(super) bytes: u64,
    /// The time from the head of the first request to the last byte of the last one.
    pub(super) duration: Duration,
    #[serde(skip)]
    first: Option<Instant>,
}

/// The backing indices of each alias.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backing {
    /// How many there are.
    pub(super) count: u32,
    /// When the first one was created, in milliseconds since the Unix epoch.
    pub(super) first: i64,
    /// The time between two creations, in milliseconds.
    pub(super) interval: i64,
}

/// Serves until the process is killed.
pub(super) fn run(backing: Backing) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        child::say(&listener.local_addr()?);
        let counts = Arc::new(Mutex::new(Counts::default()));
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let counts = Arc::clone(&counts);
            let service = service_fn(move |request| answer(request, Arc::clone(&counts), backing));
            tokio::spawn(async move {
                // A broken connection is the client's concern.
                http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
            });
        }
    })
}

async fn answer(
    request: Request<Incoming>,
    counts: Arc<Mutex<Counts>>,
    backing: Backing,
) -> anyhow::Result<Response<Full<Bytes>>> {
    if request.uri().path() == COUNTS_PATH {
        let counts = *counts.lock().unwrap_or_else(PoisonError::into_inner);
        return json(StatusCode::OK, serde_json::to_string(&counts)?);
    }
    if request.uri().query().is_some_and(|query| query.contains("features=")) {
        return json(StatusCode::OK, backing.list(request.uri().path().trim_start_matches('/')));
    }
    if !request.uri().path().ends_with("/_bulk") {
        let head_only = request.method() == Method::HEAD;
        request.into_body().collect().await?;
        return json(StatusCode::OK, if head_only { "" } else { r#"{"acknowledged":true}"# });
    }
    if request.headers().contains_key(CONTENT_ENCODING) {
        return json(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            r#"{"error":{"type":"bench","reason":"compressed"},"status":415}"#,
        );
    }
    let begin = Instant::now();
    let (lines, bytes) = drain(request.into_body()).await?;
    let documents = lines / 2;
    counts.lock().unwrap_or_else(PoisonError::into_inner).add(begin, documents, bytes);
    let mut body = String::with_capacity(documents * ITEM.len() + 16);
    body.push_str(r#"{"items":["#);
    body.push_str(&ITEM.repeat(documents));
    body.truncate(body.trim_end_matches(',').len());
    body.push_str("]}");
    json(StatusCode::OK, body)
}

/// Returns the number of lines and bytes of a body.
async fn drain(mut body: Incoming) -> anyhow::Result<(usize, usize)> {
    let (mut lines, mut bytes) = (0, 0);
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            lines += memchr::memchr_iter(b'\n', &data).count();
            bytes += data.len();
        }
    }
    Ok((lines, bytes))
}

fn json(status: StatusCode, body: impl Into<Bytes>) -> anyhow::Result<Response<Full<Bytes>>> {
    Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "application/json")
        .header("x-elastic-product", "Elasticsearch")
        .body(Full::new(body.into()))
        .context("the answer cannot be built")
}

impl Backing {
    /// A single index, old enough for all events.
    pub(super) const ONE: Self = Self { count: 1, first: 0, interval: 0 };

    /// Returns the list of the backing indices of `aliases`, separated by commas. The last one of each is its write
    /// index.
    fn list(self, aliases: &str) -> String {
        let mut indices = serde_json::Map::new();
        for alias in aliases.split(',') {
            for number in 1..=self.count {
                let created = self.first + self.interval * i64::from(number - 1);
                let index = serde_json::json!({
                    "aliases": { alias: { "is_write_index": number == self.count } },
                    "settings": { "index": { "creation_date": created.to_string() } },
                });
                indices.insert(format!("{alias}-{number:06}"), index);
            }
        }
        serde_json::Value::Object(indices).to_string()
    }
}

impl Counts {
    fn add(&mut self, begin: Instant, documents: usize, bytes: usize) {
        let first = *self.first.get_or_insert(begin);
        self.documents += documents as u64;
        self.requests += 1;
        self.bytes += bytes as u64;
        self.duration = first.elapsed();
    }
}

#[cfg(test)]
mod tests;
