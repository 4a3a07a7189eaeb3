//! Where every bulk request asks for permission and reports back: [`Flow`] and [`Breaker`] behind one lock, and what is
//! reported of them.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use service::admin::Condition;
use tokio::sync::{Notify, watch};

use super::breaker::{Admission, Breaker, Change, Pause, Position};
use super::flow::{Flow, Sign};
use super::outcome::{Block, BlockKind, Failure};
use crate::metrics::{BulkMetrics, as_i64};

/// The most documents of a probe.
const PROBE_ITEMS: usize = 10;
/// After so many probes that failed there is one document in each, in turn: it may be a document in each of the others
/// that fails them.
const MANY_PROBES: u32 = 3;

/// The gate. Whoever waits at it is let through in the order of arrival.
#[derive(Debug)]
pub struct Gate {
    state: Mutex<State>,
    /// Held by who is first in the queue; the others wait for it in turn.
    turn: tokio::sync::Mutex<()>,
    changed: Notify,
    pause: watch::Sender<Option<Pause>>,
    condition: Condition,
    metrics: BulkMetrics,
}

#[derive(Debug)]
struct State {
    flow: Flow,
    breaker: Breaker,
}

/// Permission for one request. Dropping it without [`Pass::report`] gives the place back and says nothing.
#[derive(Debug)]
pub struct Pass<'a> {
    gate: &'a Gate,
    started: Instant,
    probe: bool,
    /// Whether it counts among the requests of which only so many may be in flight.
    has_slot: bool,
    room: Room,
    reported: bool,
}

/// How much a request may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Documents.
    pub items: usize,
    /// About how many bytes of its body.
    pub bytes: usize,
}

/// What a request that is over says about Elasticsearch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It brought documents forward, or was answered in a way that is no failure of Elasticsearch's.
    Well,
    /// It failed for now, in all its parts.
    Failed(Failure),
    /// It was answered, but no document was accepted, and it is not known what is at fault.
    Unclear,
    /// An operator must fix something.
    Blocked(Block),
}

/// Returns the time, as tests may set it.
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

impl Gate {
    /// An open gate. `condition` says whether requests go.
    pub fn new(flow: Flow, breaker: Breaker, condition: Condition, metrics: BulkMetrics) -> Self {
        let gate = Self {
            state: Mutex::new(State { flow, breaker }),
            turn: tokio::sync::Mutex::new(()),
            changed: Notify::new(),
            pause: watch::Sender::new(None),
            condition,
            metrics,
        };
        gate.measure(&gate.lock());
        gate
    }

    /// Waits for permission.
    pub async fn enter(&self) -> Pass<'_> {
        self.enter_as(true).await
    }

    /// Returns the same beside the requests of which only so many may be in flight, for a small one.
    pub async fn enter_beside(&self) -> Pass<'_> {
        self.enter_as(false).await
    }

    async fn enter_as(&self, needs_slot: bool) -> Pass<'_> {
        let _turn = self.turn.lock().await;
        loop {
            match self.admit(needs_slot) {
                Ok(pass) => return pass,
                Err(None) => self.changed.notified().await,
                Err(Some(until)) => tokio::select! {
                    () = self.changed.notified() => {}
                    () = tokio::time::sleep_until(until.into()) => {}
                },
            }
        }
    }

    /// Returns why requests are held back, now and whenever it changes.
    pub fn pause(&self) -> watch::Receiver<Option<Pause>> {
        self.pause.subscribe()
    }

    /// Returns how many bytes a body should have at most.
    pub fn target_bytes(&self) -> usize {
        self.lock().flow.target_bytes()
    }

    /// Elasticsearch is there and the index too: ready, unless requests are held back.
    pub fn ready(&self) {
        if self.lock().breaker.pause().is_none() {
            self.condition.met();
        }
    }

    /// A pass, or when to ask again; none: when something changes.
    fn admit(&self, needs_slot: bool) -> Result<Pass<'_>, Option<Instant>> {
        let mut state = self.lock();
        let started = now();
        let room = Room { items: usize::MAX, bytes: state.flow.target_bytes() };
        let (probe, room) = match state.breaker.admit(started) {
            Admission::Free if !needs_slot || state.flow.has_slot() => (false, room),
            Admission::Free | Admission::AfterProbe => return Err(None),
            Admission::At(until) => return Err(Some(until)),
            // Those that hang since before the outage do not stand in its way.
            Admission::Probe if state.breaker.failed_probes() >= MANY_PROBES => (true, Room { items: 1, ..room }),
            Admission::Probe => (true, Room { items: PROBE_ITEMS, ..room }),
        };
        if needs_slot {
            state.flow.start();
        }
        self.measure(&state);
        Ok(Pass { gate: self, started, probe, has_slot: needs_slot, room, reported: false })
    }

    fn report(&self, pass: &Pass<'_>, bytes: usize, sign: Sign, health: Option<Health>) {
        let mut state = self.lock();
        let now = now();
        let jitter = rand::random();
        if pass.has_slot {
            state.flow.finish(pass.started, bytes, sign, now);
        }
        let was_open = state.breaker.pause().is_some();
        let change = match health {
            Some(Health::Well) => state.breaker.succeeded(pass.probe, now),
            Some(Health::Failed(failure)) => state.breaker.failed(pass.probe, failure, jitter, pass.started, now),
            Some(Health::Unclear) => state.breaker.unclear(pass.probe, jitter, now),
            Some(Health::Blocked(block)) => state.breaker.blocked(pass.probe, block, jitter, now),
            None => {
                if pass.probe {
                    state.breaker.abandoned();
                }
                None
            }
        };
        let pause = state.breaker.pause().cloned();
        if !was_open && pause.is_some() {
            state.flow.restart();
        }
        self.measure(&state);
        self.publish(pause);
        drop(state);
        self.changed.notify_one();
        if let Some(change) = change {
            tell(self.metrics.blocked.topic(), &change);
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

    fn measure(&self, state: &State) {
        let metrics = &self.metrics;
        metrics.concurrency_limit.set(as_i64(state.flow.limit()));
        metrics.target_bytes.set(as_i64(state.flow.target_bytes()));
        metrics.breaker_state.set(match state.breaker.position() {
            Position::Closed => 0,
            Position::HalfOpen => 1,
            Position::Open => 2,
        });
        let blocked = match state.breaker.pause() {
            Some(Pause::Blocked(block)) => Some(block.kind),
            Some(Pause::Failing(_)) | None => None,
        };
        for kind in BlockKind::ALL {
            metrics.blocked.of(kind.as_str()).set(i64::from(blocked == Some(kind)));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    /// Returns how much the request may hold.
    pub fn room(&self) -> Room {
        self.room
    }

    /// The request, with a body of `bytes`, is over.
    pub fn report(mut self, bytes: usize, sign: Sign, health: Health) {
        self.reported = true;
        self.gate.report(&self, bytes, sign, Some(health));
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if !self.reported {
            self.gate.report(self, 0, Sign::Nothing, None);
        }
    }
}

fn tell(topic: &str, change: &Change) {
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
