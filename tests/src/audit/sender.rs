//! The sender: posts the events of the plan, repeats each until the answer is final, and keeps the journal.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use rand::RngExt;
use registry::wire::{SchemaId, frame};
use tokio::task::JoinSet;
use tokio::time::{Duration, Instant, sleep, sleep_until};

use super::journal::{Entry, HttpAnswer, Journal};
use super::plan::{Item, Plan, Variant};
use crate::http::{Connection, HttpAnswer as Response, Method, Request, StatusCode};

/// How long a right token may be refused, until a receiver has read the new one.
const ROTATION: Duration = Duration::from_secs(90);
/// The time limit for one attempt. It is short, since a connection may be a black hole.
const ATTEMPT: Duration = Duration::from_secs(10);
/// The longest wait between two attempts.
const MAX_WAIT: Duration = Duration::from_secs(2);

/// Says where to send, and how much.
#[derive(Clone, Debug)]
pub struct Aim {
    /// The receivers, each as `host:port`.
    pub targets: Vec<String>,
    /// The path of the webhook.
    pub path: String,
    /// The number of connections.
    pub connections: usize,
    /// The most events per second.
    pub per_second: u64,
    /// How long an event may lack a final answer after the sender has been asked to stop.
    pub patience: Duration,
}

/// A running sender.
pub struct Sender {
    shared: Arc<Shared>,
    workers: tokio::sync::Mutex<JoinSet<anyhow::Result<()>>>,
}

/// The progress of a sender.
#[derive(Clone, Debug, Default)]
pub struct Fared {
    /// Events with a final answer.
    pub events: u64,
    /// The number of answers by status, including those before another attempt; 0 stands for no answer.
    pub answers: BTreeMap<u16, u64>,
}

struct Shared {
    aim: Aim,
    journal: Journal,
    plan: Mutex<Plan>,
    token: Mutex<String>,
    answers: Mutex<BTreeMap<u16, u64>>,
    next: AtomicU64,
    done: AtomicU64,
    is_stopped: AtomicBool,
    begin: Instant,
}

struct Worker {
    shared: Arc<Shared>,
    target: usize,
    connection: Option<Connection>,
}

impl Sender {
    /// Starts sending the events of `plan`, with the bearer token `token` and the new file `journal`.
    ///
    /// # Errors
    /// If the journal cannot be written.
    pub fn start(aim: Aim, plan: Plan, token: &str, journal: &Path) -> anyhow::Result<Self> {
        let connections = aim.connections;
        let shared = Arc::new(Shared {
            aim,
            journal: Journal::create(journal)?,
            plan: Mutex::new(plan),
            token: Mutex::new(token.to_owned()),
            answers: Mutex::default(),
            next: AtomicU64::new(0),
            done: AtomicU64::new(0),
            is_stopped: AtomicBool::new(false),
            begin: Instant::now(),
        });
        let mut workers = JoinSet::new();
        for target in 0..connections {
            workers.spawn(Worker { shared: Arc::clone(&shared), target, connection: None }.run());
        }
        Ok(Self { shared, workers: workers.into() })
    }

    /// Makes some of the later events use `variant`.
    pub fn add(&self, variant: Variant) {
        lock(&self.shared.plan).add(variant);
    }

    /// Sends later events with `token`.
    pub fn use_token(&self, token: &str) {
        token.clone_into(&mut lock(&self.shared.token));
    }

    /// Sets the clock of later events ahead by this many milliseconds.
    pub fn set_clock(&self, ahead: i64) {
        lock(&self.shared.plan).set_clock(ahead);
    }

    /// Returns the progress so far.
    pub fn fared(&self) -> Fared {
        Fared { events: self.shared.done.load(Ordering::Relaxed), answers: lock(&self.shared.answers).clone() }
    }

    /// Stops once each event in progress has its final answer, and writes the journal.
    ///
    /// # Errors
    /// If the journal could not be written.
    pub async fn stop(&self) -> anyhow::Result<Fared> {
        self.shared.is_stopped.store(true, Ordering::Relaxed);
        let mut workers = self.workers.lock().await;
        while let Some(worker) = workers.join_next().await {
            worker??;
        }
        self.shared.journal.flush()?;
        Ok(self.fared())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Worker {
    async fn run(mut self) -> anyhow::Result<()> {
        while !self.shared.is_stopped.load(Ordering::Relaxed) {
            let number = self.shared.next.fetch_add(1, Ordering::Relaxed);
            sleep_until(self.shared.begin + Duration::from_micros(number * 1_000_000 / self.shared.aim.per_second))
                .await;
            let item = lock(&self.shared.plan).item(number);
            let answer = self.post(&item).await;
            let id = item.event.event_id.clone();
            let (schema, datum, intent) = (item.schema, item.datum.clone(), item.intent);
            self.shared.journal.append(&Entry { id, schema, datum, intent, answer })?;
            self.shared.done.fetch_add(1, Ordering::Relaxed);
            if answer == HttpAnswer::Accepted {
                lock(&self.shared.plan).acknowledged(item);
            }
        }
        Ok(())
    }

    /// Posts `item` until the answer is final.
    async fn post(&mut self, item: &Item) -> HttpAnswer {
        let begin = Instant::now();
        let mut stopped_at = None;
        loop {
            let response = tokio::time::timeout(ATTEMPT, self.attempt(item)).await;
            let response = response.context("no answer in time").flatten();
            let status = response.as_ref().map_or(0, |response| response.status.as_u16());
            *lock(&self.shared.answers).entry(status).or_default() += 1;
            match response {
                Ok(response) if response.status == StatusCode::OK => return HttpAnswer::Accepted,
                Ok(response) if !is_transient(&response, item, begin) => return HttpAnswer::Refused(status),
                // The outcome of the request is unknown.
                _ => self.connection = None,
            }
            if self.shared.is_stopped.load(Ordering::Relaxed) {
                let stopped_at = *stopped_at.get_or_insert_with(Instant::now);
                if stopped_at.elapsed() > self.shared.aim.patience {
                    return HttpAnswer::Unknown;
                }
            }
            self.target += 1;
            let wait = rand::rng().random_range(Duration::from_millis(20)..MAX_WAIT);
            sleep(wait).await;
        }
    }

    async fn attempt(&mut self, item: &Item) -> anyhow::Result<Response> {
        let target = &self.shared.aim.targets[self.target % self.shared.aim.targets.len()];
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::open(target).await?,
        };
        let token = if item.is_authorized { lock(&self.shared.token).clone() } else { "wrong".to_owned() };
        let body = match item.is_framed {
            true => [frame(SchemaId(item.schema)).as_slice(), &item.datum].concat(),
            false => item.datum.clone(),
        };
        let request = Request::builder()
            .method(Method::POST)
            .uri(&self.shared.aim.path)
            .header(HOST, target)
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .header(CONTENT_TYPE, "application/avro")
            .body(Full::new(Bytes::from(body)))?;
        let response = connection.send(request).await?;
        if !response.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")) {
            self.connection = Some(connection);
        }
        Ok(response)
    }
}

/// Returns whether another attempt may have another answer.
fn is_transient(response: &Response, item: &Item, begin: Instant) -> bool {
    let is_rotating = response.status == StatusCode::UNAUTHORIZED && item.is_authorized && begin.elapsed() < ROTATION;
    is_rotating || response.status == StatusCode::TOO_MANY_REQUESTS || response.status.is_server_error()
}
