//! The sender: posts events over many connections until each has a final answer, and records every answer.
//!
//! It behaves as a sender of webhooks should: it repeats after 429, 5xx and a broken connection with a wait, respects
//! `Retry-After`, and takes any other answer as final. The outcome of a request on a broken connection is unknown, so
//! an event may reach the receiver more than once; its id stays the same.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use rand::RngExt;
use service::backoff::Backoff;
use tokio::time::{Instant, sleep, sleep_until};

use crate::http::{Connection, HttpAnswer, Method, Request, StatusCode};
pub use mix::{Flaw, Mix};

mod mix;

/// The longest `Retry-After` that the sender respects.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(5);
/// The waits after a broken connection.
const BACKOFF: Backoff = Backoff { initial: Duration::from_millis(100), max: Duration::from_secs(1) };

/// Describes what to send, and where.
#[derive(Clone, Debug)]
pub struct Load {
    /// The receivers, each as `host:port`. Connections are spread over them; after a break, a connection moves to the
    /// next receiver.
    pub targets: Vec<String>,
    /// The path.
    pub path: String,
    /// The bearer token.
    pub token: String,
    /// The number of connections.
    pub connections: usize,
    /// The minimum number of events: those with numbers 0 to `count` - 1, and further ones while [`Progress`] is held.
    pub count: u64,
    /// The most events per second; `None` sends as fast as answers arrive.
    pub per_second: Option<u64>,
    /// The events to send, by number.
    pub mix: Mix,
    /// The time limit for the whole load.
    pub patience: Duration,
}

/// Tracks the progress of a running load, and whether it may end.
#[derive(Debug, Default)]
pub struct Progress {
    /// Events answered 200.
    pub acknowledged: AtomicU64,
    /// Events refused permanently.
    pub refused: AtomicU64,
    held: AtomicBool,
}

/// The result of a load.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The numbers of the events that were answered 200.
    pub acknowledged: Vec<u64>,
    /// The numbers of the events that were refused, with the status.
    pub refused: BTreeMap<u64, u16>,
    /// The number of answers by status, including those before another attempt.
    pub answers: BTreeMap<u16, u64>,
    /// How often a connection failed or broke.
    pub broken: u64,
    /// How long it took.
    pub elapsed: Duration,
}

impl Progress {
    /// Returns the progress of a load that continues until it is [released](Self::release), so that it outlasts other
    /// work on a machine of any speed.
    pub fn held() -> Self {
        Self { held: true.into(), ..Self::default() }
    }

    /// Lets the load end once all of [`Load::count`] have a final answer.
    pub fn release(&self) {
        self.held.store(false, Ordering::Relaxed);
    }

    /// Returns the number of events with a final answer.
    pub fn done(&self) -> u64 {
        self.acknowledged.load(Ordering::Relaxed) + self.refused.load(Ordering::Relaxed)
    }
}

impl Outcome {
    /// Returns the events per second.
    pub fn rate(&self) -> f64 {
        let done = self.acknowledged.len() + self.refused.len();
        done as f64 / self.elapsed.as_secs_f64().max(f64::EPSILON)
    }
}

impl Load {
    /// Sends the whole load.
    ///
    /// # Errors
    /// If it is not finished within [`Load::patience`].
    pub async fn send(&self, progress: &Arc<Progress>) -> anyhow::Result<Outcome> {
        let start = Instant::now();
        let next = Arc::new(AtomicU64::new(0));
        let workers: Vec<_> = (0..self.connections)
            .map(|number| Worker {
                load: self.clone(),
                target: number,
                connection: None,
                next: Arc::clone(&next),
                progress: Arc::clone(progress),
                start,
                outcome: Outcome::default(),
            })
            .map(|worker| tokio::spawn(worker.run()))
            .collect();
        let mut total = Outcome::default();
        for worker in workers {
            let outcome = worker.await??;
            total.acknowledged.extend(outcome.acknowledged);
            total.refused.extend(outcome.refused);
            total.broken += outcome.broken;
            for (status, count) in outcome.answers {
                *total.answers.entry(status).or_default() += count;
            }
        }
        total.elapsed = start.elapsed();
        Ok(total)
    }
}

/// Sends events over one connection.
struct Worker {
    load: Load,
    target: usize,
    connection: Option<Connection>,
    next: Arc<AtomicU64>,
    progress: Arc<Progress>,
    start: Instant,
    outcome: Outcome,
}

impl Worker {
    async fn run(mut self) -> anyhow::Result<Outcome> {
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.load.count && !self.progress.held.load(Ordering::Relaxed) {
                return Ok(self.outcome);
            }
            if let Some(per_second) = self.load.per_second {
                sleep_until(self.start + Duration::from_micros(number * 1_000_000 / per_second)).await;
            }
            self.post(number).await?;
        }
    }

    /// Posts one event until its answer is final.
    async fn post(&mut self, number: u64) -> anyhow::Result<()> {
        let body = Bytes::from(self.load.mix.body(number));
        let mut failures = 0;
        loop {
            let late = self.start.elapsed() > self.load.patience;
            let answer = self.attempt(body.clone()).await;
            let wait = match answer {
                Ok(answer) => match self.judge(number, &answer) {
                    None => return Ok(()),
                    Some(wait) if late => anyhow::bail!("event {number}: still {} ({wait:?})", answer.status),
                    Some(wait) => wait,
                },
                Err(error) if late => return Err(error.context(format!("event {number}: no answer"))),
                Err(_) => {
                    self.outcome.broken += 1;
                    self.connection = None;
                    self.target += 1;
                    failures += 1;
                    BACKOFF.wait(failures, &mut rand::rng())
                }
            };
            sleep(wait).await;
        }
    }

    async fn attempt(&mut self, body: Bytes) -> anyhow::Result<HttpAnswer> {
        let target = &self.load.targets[self.target % self.load.targets.len()];
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(Connection::open(target).await?),
        };
        let request = Request::builder()
            .method(Method::POST)
            .uri(&self.load.path)
            .header(HOST, target)
            .header(AUTHORIZATION, format!("Bearer {}", self.load.token))
            .header(CONTENT_TYPE, "application/avro")
            .body(Full::new(body))
            .context("the request cannot be built")?;
        connection.send(request).await
    }

    /// Records an answer. Returns the wait before the next attempt, or `None` if the answer is final.
    fn judge(&mut self, number: u64, answer: &HttpAnswer) -> Option<Duration> {
        *self.outcome.answers.entry(answer.status.as_u16()).or_default() += 1;
        if answer.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")) {
            self.connection = None;
        }
        if answer.status == StatusCode::OK {
            self.outcome.acknowledged.push(number);
            self.progress.acknowledged.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        if answer.status == StatusCode::TOO_MANY_REQUESTS || answer.status.is_server_error() {
            let seconds = answer.header("retry-after").and_then(|value| value.parse().ok()).unwrap_or(1);
            let jitter = rand::rng().random_range(Duration::ZERO..Duration::from_millis(250));
            return Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER) + jitter);
        }
        self.outcome.refused.insert(number, answer.status.as_u16());
        self.progress.refused.fetch_add(1, Ordering::Relaxed);
        None
    }
}
