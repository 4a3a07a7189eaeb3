//! A forward proxy for plain HTTP: takes requests with an absolute target, wants a user, and counts the requests for
//! each server.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_LENGTH, HOST, PROXY_AUTHORIZATION, TRANSFER_ENCODING};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::http::Connection;

/// A running proxy. It ends when dropped.
pub struct ForwardProxy {
    address: SocketAddr,
    counts: Counts,
    _stop: DropGuard,
}

/// The requests for each server, `host:port`.
type Counts = Arc<Mutex<BTreeMap<String, u64>>>;

impl ForwardProxy {
    /// The user and the password that it wants, as they stand in [`ForwardProxy::url`].
    const USER: &str = "the:p%40ss";

    /// The password, as it must be shown nowhere.
    pub const PASSWORDS: [&str; 2] = ["p%40ss", "p@ss"];

    /// Starts one.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let (address, counts) = (listener.local_addr()?, Counts::default());
        let (stop, counting) = (CancellationToken::new(), Arc::clone(&counts));
        let serving = stop.clone();
        tokio::spawn(async move { serving.run_until_cancelled(serve(listener, counting)).await });
        Ok(Self { address, counts, _stop: stop.drop_guard() })
    }

    /// Its address, with the user.
    pub fn url(&self) -> String {
        format!("http://{}@{}", Self::USER, self.address)
    }

    /// Returns how many requests for the server of `url`, `http://host:port/path`, have come.
    pub fn requests(&self, url: &str) -> u64 {
        let authority = url.trim_start_matches("http://").split('/').next().unwrap_or_default();
        lock(&self.counts).get(authority).copied().unwrap_or_default()
    }
}

fn lock(counts: &Counts) -> MutexGuard<'_, BTreeMap<String, u64>> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, counts: Counts) {
    while let Ok((stream, _)) = listener.accept().await {
        let counts = Arc::clone(&counts);
        let service = service_fn(move |request| forward(request, Arc::clone(&counts)));
        // A connection that breaks is the client's business.
        tokio::spawn(async move { http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok() });
    }
}

async fn forward(request: Request<Incoming>, counts: Counts) -> anyhow::Result<Response<Full<Bytes>>> {
    let (mut head, body) = request.into_parts();
    let wanted = format!("Basic {}", STANDARD.encode("the:p@ss"));
    if head.headers.remove(PROXY_AUTHORIZATION).is_none_or(|value| value.as_bytes() != wanted.as_bytes()) {
        let refused = Response::builder().status(StatusCode::PROXY_AUTHENTICATION_REQUIRED);
        return Ok(refused.body(Full::default())?);
    }
    let authority = head.uri.authority().context("the target of the request is not absolute")?.to_string();
    *lock(&counts).entry(authority.clone()).or_default() += 1;
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let mut forwarded = Request::builder().method(head.method).uri(path);
    for name in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
        head.headers.remove(name);
    }
    head.headers.insert(HOST, authority.parse()?);
    if let Some(headers) = forwarded.headers_mut() {
        *headers = head.headers;
    }
    let body = body.collect().await?.to_bytes();
    let answer = Connection::open(&authority).await?.send(forwarded.body(Full::new(body))?).await?;
    let mut response = Response::builder().status(answer.status);
    if let Some(headers) = response.headers_mut() {
        *headers = answer.headers;
        headers.remove(TRANSFER_ENCODING);
    }
    Ok(response.body(Full::new(answer.body))?)
}
