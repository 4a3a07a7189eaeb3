//! A proxy in front of the real Elasticsearch that inspects bulk requests: which documents are sent, how each is
//! answered, and whether an already successful document is sent again.
//!
//! A script can answer some documents itself, with a status that the real server cannot be made to return for them.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::http;

/// The status that the proxy returns for a document by itself; `None` asks the real Elasticsearch. The arguments are
/// the document's id, and how many times it was sent before.
pub type Script = Box<dyn Fn(&str, u32) -> Option<u16> + Send + Sync>;

/// The status that makes the proxy close the connection of a request with the document.
pub const BREAKS: u16 = 0;
/// The status that makes the proxy never answer the request.
pub const HANGS: u16 = 1;

/// A running proxy. It ends when dropped.
pub struct Proxy {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    _stop: DropGuard,
}

/// Records what has passed so far.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The number of documents of each bulk request, in order of arrival.
    pub requests: Vec<usize>,
    /// The number of answers to documents, by status. If a whole request was refused, each of its documents counts.
    pub answers: BTreeMap<u16, u64>,
    /// Documents sent again after an answer of 200, 201 or 409.
    pub again: Vec<String>,
    /// How often each document was sent, and whether it succeeded.
    documents: HashMap<String, (u32, bool)>,
}

struct Way {
    upstream: String,
    script: Script,
    seen: Arc<Mutex<Seen>>,
}

/// One document of a bulk request.
struct Item<'a> {
    id: String,
    lines: &'a [u8],
}

impl Proxy {
    /// Starts a proxy in front of the Elasticsearch at `upstream`, `http://host:port`.
    ///
    /// # Errors
    /// If no port is free.
    pub async fn start(upstream: &str, script: Script) -> anyhow::Result<Self> {
        Self::start_at(0, upstream, script).await
    }

    /// Starts a proxy like [`Proxy::start`], on a given port.
    ///
    /// # Errors
    /// If the port is taken.
    pub async fn start_at(port: u16, upstream: &str, script: Script) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let address = listener.local_addr()?;
        let seen = Arc::new(Mutex::new(Seen::default()));
        let way = Arc::new(Way { upstream: upstream.to_owned(), script, seen: Arc::clone(&seen) });
        let stop = CancellationToken::new();
        let serving = stop.clone();
        tokio::spawn(async move { serving.run_until_cancelled(serve(listener, way)).await });
        Ok(Self { address, seen, _stop: stop.drop_guard() })
    }

    /// Returns the value for `elasticsearch.url`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns what has passed so far.
    pub fn seen(&self) -> Seen {
        lock(&self.seen).clone()
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, way: Arc<Way>) {
    while let Ok((stream, _)) = listener.accept().await {
        let way = Arc::clone(&way);
        let service = service_fn(move |request| answer(request, Arc::clone(&way)));
        // A broken connection is the client's concern.
        tokio::spawn(async move { http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok() });
    }
}

async fn answer(request: Request<Incoming>, way: Arc<Way>) -> anyhow::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let url = format!("{}{target}", way.upstream);
    let content_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let headers: Vec<_> = content_type.iter().map(|value| ("content-type", value.as_str())).collect();
    if !head.uri.path().ends_with("/_bulk") {
        let answer = http::send(head.method, &url, &headers, body).await?;
        return respond(answer.status, answer.body);
    }
    let items = items(&body)?;
    let verdicts = way.arrive(&items);
    anyhow::ensure!(!verdicts.contains(&Some(BREAKS)), "the connection is closed at a document");
    if verdicts.contains(&Some(HANGS)) {
        return std::future::pending().await;
    }
    let mut forwarded = BytesMut::new();
    for (item, _) in items.iter().zip(&verdicts).filter(|(_, verdict)| verdict.is_none()) {
        forwarded.extend_from_slice(item.lines);
    }
    let real = match forwarded.is_empty() {
        true => None,
        false => Some(http::send(head.method, &url, &headers, forwarded.freeze()).await?),
    };
    if let Some(refused) = real.as_ref().filter(|answer| !answer.status.is_success()) {
        way.count(refused.status.as_u16(), items.len() as u64);
        return respond(refused.status, refused.body.clone());
    }
    let real = real.map(|answer| answer.json()).transpose()?.unwrap_or_default();
    let answer = way.merge(&items, &verdicts, &real)?;
    respond(StatusCode::OK, answer.to_string())
}

fn respond(status: StatusCode, body: impl Into<Bytes>) -> anyhow::Result<Response<Full<Bytes>>> {
    let response = Response::builder().status(status).header(CONTENT_TYPE, "application/json");
    response.header("x-elastic-product", "Elasticsearch").body(Full::new(body.into())).context("no answer can be built")
}

/// Returns the documents of a bulk body, each with an action line and a document line.
fn items(body: &[u8]) -> anyhow::Result<Vec<Item<'_>>> {
    let mut items = Vec::new();
    let mut start = 0;
    let mut ends = memchr::memchr_iter(b'\n', body);
    while let (Some(action), Some(document)) = (ends.next(), ends.next()) {
        let line: Value = serde_json::from_slice(&body[start..action])?;
        let action =
            line.as_object().and_then(|action| action.values().next()).context("an action line without one")?;
        let id = action["_id"].as_str().context("an action without an _id")?.to_owned();
        items.push(Item { id, lines: &body[start..=document] });
        start = document + 1;
    }
    Ok(items)
}

impl Way {
    /// Records documents that are sent. Returns the script's answer for each.
    fn arrive(&self, items: &[Item<'_>]) -> Vec<Option<u16>> {
        let mut seen = lock(&self.seen);
        seen.requests.push(items.len());
        let mut verdicts = Vec::with_capacity(items.len());
        for Item { id, .. } in items {
            let (sent, succeeded) = seen.documents.entry(id.clone()).or_default();
            verdicts.push((self.script)(id, *sent));
            *sent += 1;
            if *succeeded {
                seen.again.push(id.clone());
            }
        }
        verdicts
    }

    /// Returns the combined answer: the script's where it has one, else that of the real Elasticsearch.
    fn merge(&self, items: &[Item<'_>], verdicts: &[Option<u16>], real: &Value) -> anyhow::Result<Value> {
        let mut real = real["items"].as_array().cloned().unwrap_or_default().into_iter();
        let mut answers = Vec::with_capacity(items.len());
        for (item, verdict) in items.iter().zip(verdicts) {
            let answer = match verdict {
                Some(status) => {
                    json!({"create": {"status": status, "error": {"type": "scripted", "reason": "by the test"}}})
                }
                None => real.next().context("Elasticsearch answered fewer documents than it was sent")?,
            };
            let outcome = answer.as_object().and_then(|answer| answer.values().next()).context("an empty answer")?;
            let status = u16::try_from(outcome["status"].as_u64().context("an answer without a status")?)?;
            self.count(status, 1);
            if let Some((_, succeeded)) = lock(&self.seen).documents.get_mut(&item.id) {
                *succeeded |= matches!(status, 200 | 201 | 409);
            }
            answers.push(answer);
        }
        Ok(json!({"items": answers}))
    }

    fn count(&self, status: u16, documents: u64) {
        *lock(&self.seen).answers.entry(status).or_default() += documents;
    }
}
