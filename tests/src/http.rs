//! A small HTTP client on hyper: one persistent connection, with one request after another.
//!
//! The client is as thin as possible, since the load of a test shares the cores with the services. Tests of strange
//! requests also need full control over what is sent.

use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::HOST;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

pub use hyper::header::HeaderMap;
pub use hyper::{Method, Request, StatusCode};
pub use raw::{HalfSent, by_hand, endless, half_closed, until_closed};

mod raw;

/// The time limit for one request.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A persistent connection to one server.
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
}

/// An answer with its whole body.
#[derive(Clone, Debug)]
pub struct HttpAnswer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Connection {
    /// Connects to `address`, a `host:port`.
    ///
    /// # Errors
    /// If the connection is refused.
    pub async fn open(address: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        Self::over(stream).await
    }

    /// Uses HTTP/1.1 over `stream`, for example one with TLS.
    ///
    /// # Errors
    /// If the stream is broken.
    pub async fn over(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> anyhow::Result<Self> {
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(async move { connection.await.ok() });
        Ok(Self { sender })
    }

    /// Sends `request` and reads the whole answer.
    ///
    /// # Errors
    /// If the connection breaks, or there is no answer within 30 s. The outcome of the request is then unknown, and the
    /// connection must not be used again.
    pub async fn send(&mut self, request: Request<Full<Bytes>>) -> anyhow::Result<HttpAnswer> {
        let exchange = async {
            self.sender.ready().await?;
            let (head, body) = self.sender.send_request(request).await?.into_parts();
            anyhow::Ok(HttpAnswer {
                status: head.status,
                headers: head.headers,
                body: body.collect().await?.to_bytes(),
            })
        };
        tokio::time::timeout(TIMEOUT, exchange).await.context("no answer within 30 s")?
    }
}

impl HttpAnswer {
    /// Returns the body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns the body as JSON.
    ///
    /// # Errors
    /// If it is not JSON.
    pub fn json(&self) -> anyhow::Result<serde_json::Value> {
        serde_json::from_slice(&self.body)
            .with_context(|| format!("{} with {:?} is not JSON", self.status, self.text()))
    }

    /// Returns a header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Sends one request on a new connection. `url` is `http://host:port/path`.
///
/// # Errors
/// As for [`Connection::open`] and [`Connection::send`].
pub async fn send(
    method: Method,
    url: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> anyhow::Result<HttpAnswer> {
    let rest = url.strip_prefix("http://").with_context(|| format!("{url} is not an http URL"))?;
    let (address, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut request = Request::builder().method(method).uri(format!("/{path}")).header(HOST, address);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = Connection::open(address).await?.send(request.body(Full::new(body.into()))?).await;
    answer.with_context(|| url.to_owned())
}

/// Sends `GET url`.
///
/// # Errors
/// As for [`send`].
pub async fn get(url: &str) -> anyhow::Result<HttpAnswer> {
    send(Method::GET, url, &[], Bytes::new()).await
}

/// Sends `method url` with a JSON body. Returns the JSON of a successful answer.
///
/// # Errors
/// As for [`send`]; also if the status is not a success. The message contains the answer.
pub async fn json(method: Method, url: &str, body: &serde_json::Value) -> anyhow::Result<serde_json::Value> {
    let answer = send(method, url, &[("content-type", "application/json")], body.to_string()).await?;
    anyhow::ensure!(answer.status.is_success(), "{url}: {}: {}", answer.status, answer.text());
    answer.json()
}
