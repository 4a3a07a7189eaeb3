//! A receiver as a separate process, for scenarios about its memory or about misbehaving senders.

use std::convert::Infallible;
use std::net::SocketAddr;

use anyhow::Context;
use bytes::Bytes;
use futures::stream::Pending;
use http_body_util::StreamBody;
use hyper::body::Frame;
use hyper::client::conn::http2::{Builder, Connection, SendRequest};
use hyper::header::HOST;
use hyper::{Method, Request};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;

use crate::config::Config;
use crate::pipeline::{PATH, Pipeline, ready};
use crate::ports;
use crate::process::{Binary, Process, write_config};
use crate::usage::Usage;

/// A receiver process. Killed when dropped.
pub struct Front {
    address: SocketAddr,
    admin_url: String,
    process: Process,
}

/// A body that never arrives.
pub type Never = StreamBody<Pending<Result<Frame<Bytes>, Infallible>>>;

impl Front {
    /// Starts a receiver of `pipeline` with its config after `change`, and waits until it is ready. Call
    /// [`crate::process::build`] before.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn start(pipeline: &Pipeline, change: impl FnOnce(&mut Config)) -> anyhow::Result<Self> {
        let mut config = pipeline.config.clone();
        config.receiver.listen = SocketAddr::from(([127, 0, 0, 1], ports::free()?));
        config.receiver.admin_listen = SocketAddr::from(([127, 0, 0, 1], ports::free()?));
        change(&mut config);
        let path = pipeline.file("receiver.yaml");
        write_config(&config, &path)?;
        let process = Process::start(Binary::Receiver, &path, &[], &pipeline.file("receiver.log"))?;
        let admin_url = format!("http://{}", config.receiver.admin_listen);
        ready(&admin_url).await.with_context(|| process.last_lines())?;
        Ok(Self { address: config.receiver.listen, admin_url, process })
    }

    /// Returns `host:port` of the webhooks.
    pub fn target(&self) -> String {
        self.address.to_string()
    }

    /// Returns the URL of the pipeline's webhook.
    pub fn url(&self) -> String {
        format!("http://{}{PATH}", self.address)
    }

    /// Returns `http://host:port` of the admin port.
    pub fn admin_url(&self) -> &str {
        &self.admin_url
    }

    /// Returns the largest resident set so far, in bytes.
    ///
    /// # Errors
    /// If it has ended.
    pub fn peak(&self) -> anyhow::Result<u64> {
        Ok(Usage::of(self.process.id())?.peak_bytes)
    }

    /// Returns the current resident set, in bytes.
    ///
    /// # Errors
    /// If it has ended.
    pub fn resident(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes * 1024)
    }

    /// Returns the end of its log.
    pub fn last_lines(&self) -> String {
        self.process.last_lines()
    }
}

/// The sending side of an HTTP/2 connection, and the connection itself, which must be polled.
pub type Http2 = (SendRequest<Never>, Connection<TokioIo<TcpStream>, Never, TokioExecutor>);

/// Opens an HTTP/2 connection to `address`. The client pings the server four times a second.
///
/// # Errors
/// If the connection is refused.
pub async fn http2(address: &str) -> anyhow::Result<Http2> {
    let stream = TcpStream::connect(address).await?;
    let mut builder = Builder::new(TokioExecutor::new());
    builder.timer(TokioTimer::new()).keep_alive_while_idle(true);
    builder.keep_alive_interval(std::time::Duration::from_millis(250));
    Ok(builder.handshake(TokioIo::new(stream)).await?)
}

/// Returns a request to `path` whose body never arrives.
///
/// # Errors
/// If a header is invalid.
pub fn without_end(address: &str, path: &str, headers: &[(&str, &str)]) -> anyhow::Result<Request<Never>> {
    let mut request = Request::builder().method(Method::POST).uri(format!("http://{address}{path}"));
    for (name, value) in headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case(HOST.as_str())) {
        request = request.header(*name, *value);
    }
    Ok(request.body(StreamBody::new(futures::stream::pending()))?)
}
