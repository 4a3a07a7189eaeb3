//! Permits every bulk request and receives its outcome: a [`Throttle`] behind a lock, with waiting, readiness and
//! metrics.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use service::admin::Condition;
use tokio::sync::{Notify, watch};

use super::aimd::{Aimd, Signal};
use super::breaker::{Breaker, Change, Pause, Position};
use super::outcome::BlockKind;
use crate::metrics::{BulkMetrics, as_i64};
use throttle::{Admitted, Later, Throttle};
pub use throttle::{Health, RequestBudget};

pub mod throttle;

/// Permits requests in the order in which they ask.
#[derive(Debug)]
pub struct Limiter {
    throttle: Mutex<Throttle>,
    /// Held by the first request in the queue; the others wait for it in their order.
    turn: tokio::sync::Mutex<()>,
    changed: Notify,
    pause: watch::Sender<Option<Pause>>,
    condition: Condition,
    metrics: BulkMetrics,
}

/// Permission for one request. Dropping it without [`Permit::report`] returns the slot and reports nothing.
#[derive(Debug)]
pub struct Permit<'a> {
    limiter: &'a Limiter,
    admitted: Admitted,
    reported: bool,
}

/// Returns the time, which tests can control.
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

impl Limiter {
    /// Creates an open limiter. `condition` reports whether requests are sent.
    pub fn new(aimd: Aimd, breaker: Breaker, condition: Condition, metrics: BulkMetrics) -> Self {
        let limiter = Self {
            throttle: Mutex::new(Throttle::new(aimd, breaker)),
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
                Err(Later::AtChange) => self.changed.notified().await,
                Err(Later::At(until)) => tokio::select! {
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
        self.lock().target_bytes()
    }

    /// Reports readiness, unless requests are held back. Called when Elasticsearch and the index exist.
    pub fn ready(&self) {
        if self.lock().pause().is_none() {
            self.condition.met();
        }
    }

    /// Returns a permit, or else when to ask again.
    fn admit(&self, needs_slot: bool) -> Result<Permit<'_>, Later> {
        let mut throttle = self.lock();
        let admitted = throttle.admit(needs_slot, now())?;
        self.measure(&throttle);
        Ok(Permit { limiter: self, admitted, reported: false })
    }

    fn report(&self, admitted: Admitted, bytes: usize, signal: Signal, health: Option<Health>) {
        let mut throttle = self.lock();
        let change = throttle.report(admitted, bytes, signal, health, rand::random(), now());
        self.measure(&throttle);
        self.publish(throttle.pause().cloned());
        drop(throttle);
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

    fn measure(&self, throttle: &Throttle) {
        let metrics = &self.metrics;
        metrics.concurrency_limit.set(as_i64(throttle.limit()));
        metrics.target_bytes.set(as_i64(throttle.target_bytes()));
        metrics.breaker_state.set(match throttle.position() {
            Position::Closed => 0,
            Position::HalfOpen => 1,
            Position::Open => 2,
        });
        let blocked = match throttle.pause() {
            Some(Pause::Blocked(block)) => Some(block.kind),
            Some(Pause::Failing(_)) | None => None,
        };
        metrics.blocked.set(blocked.map(BlockKind::as_str));
    }

    fn lock(&self) -> MutexGuard<'_, Throttle> {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit<'_> {
    /// Returns how much the request may hold.
    pub fn budget(&self) -> RequestBudget {
        self.admitted.budget
    }

    /// Returns whether the request tests if the trouble is over.
    pub fn is_probe(&self) -> bool {
        self.admitted.probe
    }

    /// Reports the outcome of the request, whose body had `bytes`.
    pub fn report(mut self, bytes: usize, signal: Signal, health: Health) {
        self.reported = true;
        self.limiter.report(self.admitted, bytes, signal, Some(health));
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if !self.reported {
            self.limiter.report(self.admitted, 0, Signal::Nothing, None);
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
