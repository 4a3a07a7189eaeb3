//! The circuit breaker. It holds requests back after many failures in a row, or immediately if an operator must fix
//! something. One small probe at a time tests whether the trouble is over. Pure.

use std::fmt;
use std::time::{Duration, Instant};

use service::backoff::Backoff;

use super::outcome::{Block, BulkFailure, Trouble};

/// The waits between probes. The cap bounds how long a repaired Elasticsearch stays idle.
const PROBES: Backoff = Backoff { initial: Duration::from_millis(500), max: Duration::from_secs(4) };
/// How often a lasting pause is logged again.
const REMIND: Duration = Duration::from_secs(60);

/// Why requests are held back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pause {
    /// Too many requests in a row failed; this is the last failure.
    Failing(BulkFailure),
    /// An operator must fix something.
    Blocked(Block),
}

/// The result of asking whether a request may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Yes, as a normal request.
    Free,
    /// Yes, as the probe.
    Probe,
    /// Not before this instant.
    At(Instant),
    /// Not before the probe has ended.
    AfterProbe,
}

/// A change that is worth logging.
#[derive(Debug, PartialEq, Eq)]
pub enum Change {
    /// Requests are now held back, or the reason changed, or a reminder is due.
    Paused(Pause),
    /// Requests are sent again, after this long.
    Resumed(Duration),
}

/// The state for `penstock_indexer_breaker_state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// Requests are sent.
    Closed,
    /// The probe is in flight.
    HalfOpen,
    /// Requests are held back.
    Open,
}

/// Decides whether requests may be sent.
#[derive(Clone, Debug)]
pub struct Breaker {
    max_failures: u32,
    failures: u32,
    failed: Option<Instant>,
    open: Option<Open>,
    logged: Option<Logged>,
}

#[derive(Clone, Debug)]
struct Open {
    pause: Pause,
    since: Instant,
    probes: u32,
    next: Instant,
    probing: bool,
}

/// What was logged last, so that a state that flaps is not logged each time.
#[derive(Clone, Debug)]
struct Logged {
    code: &'static str,
    at: Instant,
    resumed: bool,
}

impl Breaker {
    /// Creates a closed breaker that opens after `max_failures` failures in a row.
    pub fn new(max_failures: u32) -> Self {
        Self { max_failures: max_failures.max(1), failures: 0, failed: None, open: None, logged: None }
    }

    /// Returns whether a request may be sent now. The caller that gets [`Admission::Probe`] must report the outcome
    /// or call [`Breaker::abandoned`].
    pub fn admit(&mut self, now: Instant) -> Admission {
        let Some(open) = &mut self.open else { return Admission::Free };
        if open.probing {
            return Admission::AfterProbe;
        }
        if now < open.next {
            return Admission::At(open.next);
        }
        open.probing = true;
        Admission::Probe
    }

    /// Notes that a request settled documents. While requests are held back, only the probe counts: the others were
    /// sent before.
    pub fn succeeded(&mut self, probe: bool, now: Instant) -> Option<Change> {
        self.failures = 0;
        if !probe {
            return None;
        }
        let open = self.open.take()?;
        let logged = self.logged.as_mut().filter(|logged| !logged.resumed)?;
        logged.resumed = true;
        Some(Change::Resumed(now.saturating_duration_since(open.since)))
    }

    /// Notes that all parts of a request failed for now. `jitter` is between 0 and 1. Requests that met one overload
    /// together count as one failure, because fewer will be sent next time. They met it together if they were sent
    /// before the last failed one ended.
    pub fn failed(
        &mut self,
        probe: bool,
        failure: BulkFailure,
        jitter: f64,
        started: Instant,
        now: Instant,
    ) -> Option<Change> {
        if !(failure.trouble == Trouble::Overload && self.failed.is_some_and(|failed| started <= failed)) {
            self.failures = self.failures.saturating_add(1);
        }
        self.failed = Some(now);
        let is_open = self.open.is_some();
        if is_open != probe || (!is_open && self.failures < self.max_failures) {
            return None;
        }
        self.hold(Pause::Failing(failure), jitter, now)
    }

    /// Notes that a request met something that an operator must fix.
    pub fn blocked(&mut self, probe: bool, block: Block, jitter: f64, now: Instant) -> Option<Change> {
        if self.open.is_some() && !probe {
            return None;
        }
        self.hold(Pause::Blocked(block), jitter, now)
    }

    /// Notes that a request was answered, but the answer does not show whether documents are accepted. Any answer to
    /// a probe ends an outage, but not a block.
    pub fn unclear(&mut self, probe: bool, jitter: f64, now: Instant) -> Option<Change> {
        match self.open.as_ref().filter(|_| probe)?.pause.clone() {
            Pause::Failing(_) => self.succeeded(probe, now),
            pause @ Pause::Blocked(_) => self.hold(pause, jitter, now),
        }
    }

    /// Notes that the probe was dropped before its outcome was known.
    pub fn abandoned(&mut self) {
        if let Some(open) = &mut self.open {
            open.probing = false;
        }
    }

    /// Returns why requests are held back, if they are.
    pub fn pause(&self) -> Option<&Pause> {
        self.open.as_ref().map(|open| &open.pause)
    }

    /// Returns how many probes in a row have failed.
    pub fn failed_probes(&self) -> u32 {
        self.open.as_ref().map_or(0, |open| open.probes - 1)
    }

    /// Returns the breaker's position.
    pub fn position(&self) -> Position {
        match &self.open {
            None => Position::Closed,
            Some(open) if open.probing => Position::HalfOpen,
            Some(_) => Position::Open,
        }
    }

    fn hold(&mut self, pause: Pause, jitter: f64, now: Instant) -> Option<Change> {
        let (since, probes) = self.open.as_ref().map_or((now, 1), |open| (open.since, open.probes.saturating_add(1)));
        // Waits at least half of the longest wait, so that even twenty indexers cause no load.
        let wait = PROBES.longest(probes).mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0);
        let change = self.due_for_log(&pause, now);
        self.open = Some(Open { pause, since, probes, next: now + wait, probing: false });
        change
    }

    fn due_for_log(&mut self, pause: &Pause, now: Instant) -> Option<Change> {
        let code = pause.as_str();
        if let Some(logged) = &self.logged
            && logged.code == code
            && now.saturating_duration_since(logged.at) < REMIND
        {
            return None;
        }
        self.logged = Some(Logged { code, at: now, resumed: false });
        Some(Change::Paused(pause.clone()))
    }
}

impl Pause {
    /// Returns a short fixed word for logs and metrics.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Failing(failure) => failure.trouble.as_str(),
            Self::Blocked(block) => block.kind.as_str(),
        }
    }
}

impl fmt::Display for Pause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failing(BulkFailure { trouble, detail }) => {
                write!(f, "elasticsearch fails ({}): {detail}; it is tried every few seconds", trouble.as_str())
            }
            Self::Blocked(block) => write!(f, "blocked: {block}"),
        }
    }
}

#[cfg(test)]
mod tests;
