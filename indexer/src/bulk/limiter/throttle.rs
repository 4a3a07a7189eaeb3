//! Decides which request may be sent, and learns from its outcome: [`Aimd`] and [`Breaker`] together. Pure.

use std::time::Instant;

use crate::bulk::aimd::{Aimd, Signal};
use crate::bulk::breaker::{Admission, Breaker, Change, Pause, Position};
use crate::bulk::outcome::{Block, BulkFailure};

/// The largest number of documents in a probe.
pub(super) const PROBE_ITEMS: usize = 10;
/// After this many failed probes, each probe holds one document, a different one each time, because one document may
/// make every larger probe fail.
const MANY_PROBES: u32 = 3;

/// Decides which request may be sent.
#[derive(Clone, Debug)]
pub struct Throttle {
    aimd: Aimd,
    breaker: Breaker,
}

/// A request that may be sent. Its outcome must be reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Admitted {
    /// When it was admitted.
    pub started: Instant,
    /// Whether it tests if the trouble is over.
    pub probe: bool,
    /// Whether it counts towards the limit of requests in flight.
    pub has_slot: bool,
    /// How much it may hold.
    pub budget: RequestBudget,
}

/// When to ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Later {
    /// After the next report.
    AtChange,
    /// At this instant, or after the next report.
    At(Instant),
}

/// How much a request may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

impl Throttle {
    /// Creates a throttle that lets requests through.
    pub fn new(aimd: Aimd, breaker: Breaker) -> Self {
        Self { aimd, breaker }
    }

    /// Returns whether a request may be sent now. With `needs_slot` it counts towards the limit of requests in flight.
    ///
    /// # Errors
    /// [`Later`], if it may not.
    pub fn admit(&mut self, needs_slot: bool, now: Instant) -> Result<Admitted, Later> {
        let budget = RequestBudget { items: usize::MAX, bytes: self.aimd.target_bytes() };
        let (probe, budget) = match self.breaker.admit(now) {
            Admission::Free if !needs_slot || self.aimd.has_slot() => (false, budget),
            Admission::Free | Admission::AfterProbe => return Err(Later::AtChange),
            Admission::At(until) => return Err(Later::At(until)),
            // Requests that have hung since before the outage do not delay the probe.
            Admission::Probe if self.breaker.failed_probes() >= MANY_PROBES => {
                (true, RequestBudget { items: 1, ..budget })
            }
            Admission::Probe => (true, RequestBudget { items: PROBE_ITEMS, ..budget }),
        };
        if needs_slot {
            self.aimd.start();
        }
        Ok(Admitted { started: now, probe, has_slot: needs_slot, budget })
    }

    /// Notes that a request with a body of `bytes` has ended. `health` is `None` if it was given up before its outcome
    /// was known. `jitter` is between 0 and 1. Returns what is worth logging.
    pub fn report(
        &mut self,
        admitted: Admitted,
        bytes: usize,
        signal: Signal,
        health: Option<Health>,
        jitter: f64,
        now: Instant,
    ) -> Option<Change> {
        let Admitted { started, probe, has_slot, .. } = admitted;
        if has_slot {
            self.aimd.finish(started, bytes, signal, now);
        }
        let was_open = self.pause().is_some();
        let change = match health {
            Some(Health::Well) => self.breaker.succeeded(probe, now),
            Some(Health::Failed(failure)) => self.breaker.failed(probe, failure, jitter, started, now),
            Some(Health::Unclear) => self.breaker.unclear(probe, jitter, now),
            Some(Health::Blocked(block)) => self.breaker.blocked(probe, block, jitter, now),
            None => {
                if probe {
                    self.breaker.abandoned();
                }
                None
            }
        };
        if !was_open && self.pause().is_some() {
            self.aimd.restart();
        }
        change
    }

    /// Returns why requests are held back, if they are.
    pub fn pause(&self) -> Option<&Pause> {
        self.breaker.pause()
    }

    /// Returns the breaker's position.
    pub fn position(&self) -> Position {
        self.breaker.position()
    }

    /// Returns how many requests may be in flight.
    pub fn limit(&self) -> usize {
        self.aimd.limit()
    }

    /// Returns how many bytes a body should have at most.
    pub fn target_bytes(&self) -> usize {
        self.aimd.target_bytes()
    }
}
