//! A forward proxy that passes on plain requests with an absolute target, and opens tunnels (`CONNECT`) to servers with
//! TLS. It requires a user, and counts both kinds per server.

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
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::http::Connection;

/// A running proxy. It ends when dropped.
pub struct ForwardProxy {
    address: SocketAddr,
    counts: Counts,
    _stop: DropGuard,
}

/// Counts what passed to one server.
#[derive(Clone, Copy, Debug, Default)]
struct Passed {
    requests: u64,
    tunnels: u64,
}

/// The counts for each server, by `host:port`.
type Counts = Arc<Mutex<BTreeMap<String, Passed>>>;

impl ForwardProxy {
    /// The required user and password, as in [`ForwardProxy::url`].
    const USER: &str = "the:p%40ss";

    /// The password of [`ForwardProxy::url_of_stranger`].
    const WRONG: &str = "wr0ng-one";

    /// The passwords, which must not be shown anywhere.
    pub const PASSWORDS: [&str; 3] = ["p%40ss", "p@ss", Self::WRONG];

    /// Starts a proxy.
    ///
    /// # Errors
    /// If no port is free.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let (address, counts) = (listener.local_addr()?, Counts::default());
        let (stop, counting) = (CancellationToken::new(), Arc::clone(&counts));
        let serving = stop.clone();
        tokio::spawn(async move { serving.run_until_cancelled(serve(listener, counting)).await });
        Ok(Self { address, counts, _stop: stop.drop_guard() })
    }

    /// Returns its address with the right user.
    pub fn url(&self) -> String {
        format!("http://{}@{}", Self::USER, self.address)
    }

    /// Returns its address with a wrong password.
    pub fn url_of_stranger(&self) -> String {
        format!("http://the:{}@{}", Self::WRONG, self.address)
    }

    /// Returns how many readable requests it passed on to the server of `url`.
    pub fn requests(&self, url: &str) -> u64 {
        self.passed(url).requests
    }

    /// Returns how many tunnels it opened to the server of `url`.
    pub fn tunnels(&self, url: &str) -> u64 {
        self.passed(url).tunnels
    }

    fn passed(&self, url: &str) -> Passed {
        let authority = url.split_once("://").map_or(url, |(_, rest)| rest).split('/').next().unwrap_or_default();
        lock(&self.counts).get(authority).copied().unwrap_or_default()
    }
}

/// Returns the environment for a process with these proxy variables, and without those of this process.
pub fn environment(variables: &[(&str, &str)]) -> Vec<(String, String)> {
    const ALL: [&str; 8] =
        ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"];
    // An empty variable would hide others of its kind, so only existing ones are emptied.
    let emptied = ALL.iter().filter(|name| std::env::var_os(name).is_some()).map(|name| (*name, ""));
    emptied.chain(variables.iter().copied()).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn lock(counts: &Counts) -> MutexGuard<'_, BTreeMap<String, Passed>> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, counts: Counts) {
    while let Ok((stream, _)) = listener.accept().await {
        let counts = Arc::clone(&counts);
        let service = service_fn(move |request| forward(request, Arc::clone(&counts)));
        // A broken connection is the client's concern.
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades();
        tokio::spawn(async move { connection.await.ok() });
    }
}

async fn forward(mut request: Request<Incoming>, counts: Counts) -> anyhow::Result<Response<Full<Bytes>>> {
    let wanted = format!("Basic {}", STANDARD.encode("the:p@ss"));
    if request.headers_mut().remove(PROXY_AUTHORIZATION).is_none_or(|value| value.as_bytes() != wanted.as_bytes()) {
        let refused = Response::builder().status(StatusCode::PROXY_AUTHENTICATION_REQUIRED);
        return Ok(refused.body(Full::default())?);
    }
    let authority = request.uri().authority().context("the target of the request is not absolute")?.to_string();
    if request.method() == Method::CONNECT {
        return tunnel(request, authority, &counts).await;
    }
    lock(&counts).entry(authority.clone()).or_default().requests += 1;
    let (mut head, body) = request.into_parts();
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

/// Passes on bytes between the client of `request` and the server at `authority` until one of them closes.
async fn tunnel(
    request: Request<Incoming>,
    authority: String,
    counts: &Counts,
) -> anyhow::Result<Response<Full<Bytes>>> {
    let mut server = TcpStream::connect(&authority).await?;
    lock(counts).entry(authority).or_default().tunnels += 1;
    tokio::spawn(async move {
        let client = hyper::upgrade::on(request).await?;
        copy_bidirectional(&mut TokioIo::new(client), &mut server).await?;
        anyhow::Ok(())
    });
    Ok(Response::new(Full::default()))
}
