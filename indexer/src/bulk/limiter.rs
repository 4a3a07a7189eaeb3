//! Permits every bulk request and receives its outcome: [`Aimd`] and [`Breaker`] behind one lock, with readiness and
//! metrics.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use service::admin::Condition;
use tokio::sync::{Notify, watch};

use super::aimd::{Aimd, Signal};
use super::breaker::{Admission, Breaker, Change, Pause, Position};
use super::outcome::{Block, BlockKind, BulkFailure};
use crate::metrics::{BulkMetrics, as_i64};

/// The largest number of documents in a probe.
const PROBE_ITEMS: usize = 10;
/// After this many failed probes, each probe holds one document, a different one each time, because one document may
/// make every larger probe fail.
const MANY_PROBES: u32 = 3;

/// Permits requests in the order in which they ask.
#[derive(Debug)]
pub struct Limiter {
    state: Mutex<LimiterState>,
    /// Held by the first in the queue; the others wait for it in turn.
    turn: tokio::sync::Mutex<()>,
    changed: Notify,
    pause: watch::Sender<Option<Pause>>,
    condition: Condition,
    metrics: BulkMetrics,
}

#[derive(Debug)]
struct LimiterState {
    aimd: Aimd,
    breaker: Breaker,
}

/// Permission for one request. Dropping it without [`Permit::report`] returns the slot and reports nothing.
#[derive(Debug)]
pub struct Permit<'a> {
    limiter: &'a Limiter,
    started: Instant,
    probe: bool,
    /// Whether the request counts towards the limit of requests in flight.
    has_slot: bool,
    budget: RequestBudget,
    reported: bool,
}

/// How much a request may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestBudget {
    /// The number of documents.
    pub items: usize,
    /// The approximate number of bytes in the body.
    pub bytes: usize,
}

/// What a finished request shows about Elasticsearch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// The request settled documents, or its answer shows no failure of Elasticsearch.
    Well,
    /// All parts of the request failed for now.
    Failed(BulkFailure),
    /// The request was answered, but no document was accepted, and the cause is unknown.
    Unclear,
    /// An operator must fix something.
    Blocked(Block),
}

/// Returns the time, which tests can control.
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

impl Limiter {
    /// Creates an open limiter. `condition` reports whether requests are sent.
    pub fn new(aimd: Aimd, breaker: Breaker, condition: Condition, metrics: BulkMetrics) -> Self {
        let limiter = Self {
            state: Mutex::new(LimiterState { aimd, breaker }),
            turn: tokio::sync::Mutex::new(()),
            changed: Notify::new(),
            pause: watch::Sender::new(None),
            condition,
            metrics,
        };
        limiter.measure(&limiter.lock());
        limiter
    }

    /// Waits for permission.
    pub async fn acquire(&self) -> Permit<'_> {
        self.acquire_as(true).await
    }

    /// Waits for permission for a small request that does not count towards the limit of requests in flight.
    pub async fn acquire_beside(&self) -> Permit<'_> {
        self.acquire_as(false).await
    }

    async fn acquire_as(&self, needs_slot: bool) -> Permit<'_> {
        let _turn = self.turn.lock().await;
        loop {
            match self.admit(needs_slot) {
                Ok(permit) => return permit,
                Err(None) => self.changed.notified().await,
                Err(Some(until)) => tokio::select! {
                    () = self.changed.notified() => {}
                    () = tokio::time::sleep_until(until.into()) => {}
                },
            }
        }
    }

    /// Returns why requests are held back. The receiver reports each change.
    pub fn pause(&self) -> watch::Receiver<Option<Pause>> {
        self.pause.subscribe()
    }

    /// Returns how many bytes a body should have at most.
    pub fn target_bytes(&self) -> usize {
        self.lock().aimd.target_bytes()
    }

    /// Reports readiness, unless requests are held back. Called when Elasticsearch and the index exist.
    pub fn ready(&self) {
        if self.lock().breaker.pause().is_none() {
            self.condition.met();
        }
    }

    /// Returns a permit, or else when to ask again; `None` means at the next change.
    fn admit(&self, needs_slot: bool) -> Result<Permit<'_>, Option<Instant>> {
        let mut state = self.lock();
        let started = now();
        let budget = RequestBudget { items: usize::MAX, bytes: state.aimd.target_bytes() };
        let (probe, budget) = match state.breaker.admit(started) {
            Admission::Free if !needs_slot || state.aimd.has_slot() => (false, budget),
            Admission::Free | Admission::AfterProbe => return Err(None),
            Admission::At(until) => return Err(Some(until)),
            // Requests that have hung since before the outage do not delay the probe.
            Admission::Probe if state.breaker.failed_probes() >= MANY_PROBES => {
                (true, RequestBudget { items: 1, ..budget })
            }
            Admission::Probe => (true, RequestBudget { items: PROBE_ITEMS, ..budget }),
        };
        if needs_slot {
            state.aimd.start();
        }
        self.measure(&state);
        Ok(Permit { limiter: self, started, probe, has_slot: needs_slot, budget, reported: false })
    }

    fn report(&self, permit: &Permit<'_>, bytes: usize, signal: Signal, health: Option<Health>) {
        let mut state = self.lock();
        let now = now();
        let jitter = rand::random();
        if permit.has_slot {
            state.aimd.finish(permit.started, bytes, signal, now);
        }
        let was_open = state.breaker.pause().is_some();
        let change = match health {
            Some(Health::Well) => state.breaker.succeeded(permit.probe, now),
            Some(Health::Failed(failure)) => state.breaker.failed(permit.probe, failure, jitter, permit.started, now),
            Some(Health::Unclear) => state.breaker.unclear(permit.probe, jitter, now),
            Some(Health::Blocked(block)) => state.breaker.blocked(permit.probe, block, jitter, now),
            None => {
                if permit.probe {
                    state.breaker.abandoned();
                }
                None
            }
        };
        let pause = state.breaker.pause().cloned();
        if !was_open && pause.is_some() {
            state.aimd.restart();
        }
        self.measure(&state);
        self.publish(pause);
        drop(state);
        self.changed.notify_one();
        if let Some(change) = change {
            log_change(self.metrics.blocked.topic(), &change);
        }
    }

    fn publish(&self, pause: Option<Pause>) {
        self.pause.send_if_modified(|current| {
            if *current == pause {
                return false;
            }
            match &pause {
                None => self.condition.met(),
                Some(reason) => self.condition.unmet(reason.to_string()),
            }
            *current = pause;
            true
        });
    }

    fn measure(&self, state: &LimiterState) {
        let metrics = &self.metrics;
        metrics.concurrency_limit.set(as_i64(state.aimd.limit()));
        metrics.target_bytes.set(as_i64(state.aimd.target_bytes()));
        metrics.breaker_state.set(match state.breaker.position() {
            Position::Closed => 0,
            Position::HalfOpen => 1,
            Position::Open => 2,
        });
        let blocked = match state.breaker.pause() {
            Some(Pause::Blocked(block)) => Some(block.kind),
            Some(Pause::Failing(_)) | None => None,
        };
        metrics.blocked.set(blocked.map(BlockKind::as_str));
    }

    fn lock(&self) -> MutexGuard<'_, LimiterState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit<'_> {
    /// Returns how much the request may hold.
    pub fn budget(&self) -> RequestBudget {
        self.budget
    }

    /// Reports the outcome of the request, whose body had `bytes`.
    pub fn report(mut self, bytes: usize, signal: Signal, health: Health) {
        self.reported = true;
        self.limiter.report(&self, bytes, signal, Some(health));
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if !self.reported {
            self.limiter.report(self, 0, Signal::Nothing, None);
        }
    }
}

fn log_change(topic: &str, change: &Change) {
    match change {
        Change::Paused(Pause::Failing(failure)) => tracing::warn!(
            topic,
            trouble = failure.trouble.as_str(),
            detail = failure.detail,
            "Elasticsearch fails: the indexer sends only one small request every few seconds until one succeeds. \
             Nothing is lost."
        ),
        Change::Paused(Pause::Blocked(block)) => tracing::warn!(
            topic,
            kind = block.kind.as_str(),
            index = block.index,
            status = block.status,
            error_type = block.error_type,
            reason = block.reason,
            advice = block.kind.advice(),
            "Elasticsearch accepts no documents: indexing pauses until an operator fixes the cause, then resumes by \
             itself. Nothing is lost."
        ),
        Change::Resumed(after) => {
            tracing::info!(
                topic,
                after_ms = after.as_millis(),
                "Elasticsearch accepts documents again: indexing resumes."
            );
        }
    }
}

#[cfg(test)]
mod tests;
