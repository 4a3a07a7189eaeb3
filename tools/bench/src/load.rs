//! The load on a webhook: prepared requests on persistent connections, each sent as soon as the previous one is
//! answered.
//!
//! It shares the cores with the server, so it does as little as possible: one thread, no HTTP library.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use apache_avro::Codec;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::sample::Sample;
use harness::container;
use harness::event::{Events, SCHEMA};
use harness::pipeline::PATH;

/// The number of different requests. They repeat, which makes no difference to the receiver.
const DIFFERENT: u64 = 10_000;
/// The number of events in a container file.
const IN_A_FILE: u64 = 1_000;
/// The number of events sent before the measured ones.
const WARM_UP: u64 = 5_000;
/// The divisor of the load's time limit that gives the one for these events.
const WARM_UP_SHARE: u32 = 4;
/// The time limit for one answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest head of an answer.
const MAX_HEAD: usize = 16 << 10;

/// Describes what to send.
#[derive(Clone, Debug)]
pub(super) struct Load {
    requests: Arc<[Vec<u8>]>,
    connections: u16,
    /// The number of requests.
    count: u64,
    /// The number of events per request.
    each: u64,
    /// The time between two requests; `None` sends the next one as soon as a connection is free.
    interval: Option<Duration>,
    /// The time after which no request is begun any more.
    limit: Option<Duration>,
}

impl Load {
    /// Returns a load of `count` requests with one event each over `connections` connections, with the bearer `token`.
    ///
    /// # Errors
    /// If there are fewer requests than connections.
    pub(super) fn new(token: &str, connections: u16, count: u64) -> anyhow::Result<Self> {
        let events = Events::unique();
        let bodies = (0..DIFFERENT.min(count)).map(|number| events.event(number).encode());
        Self::of_bodies(token, "application/avro", bodies, connections, count)
    }

    /// Returns a load like [`Load::new`] with the events in `bodies`, in turn, which are of this media type.
    ///
    /// # Errors
    /// As for [`Load::new`].
    pub(super) fn of_bodies(
        token: &str,
        media_type: &str,
        bodies: impl Iterator<Item = Vec<u8>>,
        connections: u16,
        count: u64,
    ) -> anyhow::Result<Self> {
        anyhow::ensure!(count >= u64::from(connections), "fewer requests than connections");
        let requests = bodies.map(|body| request(token, media_type, &body)).collect();
        Ok(Self { requests, connections, count, each: 1, interval: None, limit: None })
    }

    /// Returns a load of `count` events in container files of 1,000, at least one file, over up to 8 connections.
    ///
    /// # Errors
    /// If a file cannot be created.
    pub(super) fn files(token: &str, connections: u16, count: u64) -> anyhow::Result<Self> {
        let count = (count / IN_A_FILE).max(1);
        let connections = connections.min(8).min(u16::try_from(count).unwrap_or(u16::MAX));
        let events = Events::unique();
        let file = |number: u64| {
            let numbers = number * IN_A_FILE..(number + 1) * IN_A_FILE;
            let datums: Vec<Vec<u8>> = numbers.map(|number| events.event(number).encode()).collect();
            let file = container::file(SCHEMA, Codec::Null, &[&datums])?;
            anyhow::Ok(request(token, "application/vnd.apache.avro+container", &file))
        };
        let requests = (0..count.min(DIFFERENT / IN_A_FILE)).map(file).collect::<anyhow::Result<_>>()?;
        Ok(Self { requests, connections, count, each: IN_A_FILE, interval: None, limit: None })
    }

    /// Returns the same load, limited to this many requests per second.
    pub(super) fn at_rate(&self, per_second: f64) -> Self {
        Self { interval: Some(Duration::from_secs_f64(1.0 / per_second.max(1.0))), ..self.clone() }
    }

    /// Returns the same load with this many times the connections.
    pub(super) fn crowded(&self, times: u16) -> Self {
        Self { connections: self.connections.saturating_mul(times), ..self.clone() }
    }

    /// Returns the same load, but ends it after `limit` if there are requests left.
    pub(super) fn within(&self, limit: Duration) -> Self {
        Self { limit: Some(limit), ..self.clone() }
    }

    /// Returns the same load with at most `count` requests.
    pub(super) fn of(&self, count: u64) -> Self {
        Self { count: self.count.min(count), ..self.clone() }
    }

    /// Sends the whole load to `address`. Returns the rate and the latencies.
    ///
    /// # Errors
    /// If an answer is missing or not 200.
    pub(super) async fn send(&self, address: SocketAddr) -> anyhow::Result<Sample> {
        let load = self.clone();
        // The work has its own thread, which ends when the server does.
        let work = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(load.send_here(address))
        };
        tokio::task::spawn_blocking(work).await?
    }

    /// Sends a small part of the load, so that connections, caches and Kafka reach their usual state.
    ///
    /// # Errors
    /// As for [`Load::send`].
    pub(super) async fn warm_up(&self, address: SocketAddr) -> anyhow::Result<()> {
        let count = (WARM_UP / self.each).min(self.count);
        let limit = self.limit.map(|limit| limit / WARM_UP_SHARE);
        let little = Self { count, interval: None, limit, ..self.clone() };
        little.send(address).await.map(drop)
    }

    async fn send_here(self, address: SocketAddr) -> anyhow::Result<Sample> {
        let mut streams = Vec::new();
        for _ in 0..self.connections {
            let stream = TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
            stream.set_nodelay(true)?;
            streams.push(stream);
        }
        let begin = Instant::now();
        let next = Arc::new(AtomicU64::new(0));
        let mut workers = JoinSet::new();
        for stream in streams {
            workers.spawn(self.clone().post(stream, Arc::clone(&next), begin));
        }
        let mut latencies = Vec::new();
        while let Some(worker) = workers.join_next().await {
            latencies.extend(worker??);
        }
        let elapsed = begin.elapsed();
        latencies.sort_unstable();
        let sample = Sample::new(latencies.len() as u64 * self.each, elapsed);
        let [p50_ms, p99_ms, max_ms] = [50, 99, 100].map(|percent| percentile(&latencies, percent));
        Ok(Sample { p50_ms, p99_ms, max_ms, ..sample })
    }

    /// Posts over one connection until all connections together have sent the load. Returns the time of each request.
    async fn post(self, mut stream: TcpStream, next: Arc<AtomicU64>, start: Instant) -> anyhow::Result<Vec<Duration>> {
        let mut latencies = Vec::new();
        let mut buffer = Vec::with_capacity(1 << 10);
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= self.count || self.limit.is_some_and(|limit| start.elapsed() >= limit) {
                return Ok(latencies);
            }
            if let Some(interval) = self.interval {
                tokio::time::sleep_until((start + interval.mul_f64(number as f64)).into()).await;
            }
            let request = &self.requests[number as usize % self.requests.len()];
            let begin = Instant::now();
            let exchange = async {
                stream.write_all(request).await?;
                read_answer(&mut stream, &mut buffer).await
            };
            tokio::time::timeout(PATIENCE, exchange)
                .await
                .with_context(|| format!("no answer within {PATIENCE:?}"))??;
            latencies.push(begin.elapsed());
        }
    }
}

/// Reads one answer, which must be a 200 with a `Content-Length`. Nothing follows it, since no other request was sent
/// yet.
async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> anyhow::Result<()> {
    buffer.clear();
    let mut length = None;
    loop {
        let more = stream.read_buf(buffer).await?;
        anyhow::ensure!(more > 0, "the server has closed the connection");
        if length.is_none() {
            length = answer_length(buffer)?;
            anyhow::ensure!(length.is_some() || buffer.len() < MAX_HEAD, "the head of the answer is too long");
        }
        if length.is_some_and(|length| buffer.len() >= length) {
            let ok = buffer.starts_with(b"HTTP/1.1 200 ");
            anyhow::ensure!(ok, "not a 200: {}", String::from_utf8_lossy(buffer));
            return Ok(());
        }
    }
}

/// Returns the total length of the answer at the start of `buffer`, or `None` while its head is incomplete.
fn answer_length(buffer: &[u8]) -> anyhow::Result<Option<usize>> {
    let Some(end) = memchr::memmem::find(buffer, b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&buffer[..end]).context("the head of the answer is not text")?;
    let value = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let (_, value) = value.with_context(|| format!("no Content-Length: {head}"))?;
    Ok(Some(end + 4 + value.trim().parse::<usize>()?))
}

fn request(token: &str, media_type: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\n\
         content-type: {media_type}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Returns the value that `percent` of the sorted values do not exceed, in milliseconds.
fn percentile(sorted: &[Duration], percent: usize) -> Option<f64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    Some(sorted.get(rank.checked_sub(1)?)?.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests;
