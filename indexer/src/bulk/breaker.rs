//! The circuit breaker: after many failures in a row, or at once when an operator must fix something, requests are held
//! back, and one small one at a time tries whether it is over. Pure.

use std::fmt;
use std::time::{Duration, Instant};

use super::outcome::{Block, BulkFailure, Trouble};
use crate::backoff::Backoff;

/// The waits between probes. The cap is what bounds how long a repaired Elasticsearch stands idle.
const PROBES: Backoff = Backoff { initial: Duration::from_millis(500), max: Duration::from_secs(4) };
/// How often a lasting pause is logged again.
const REMIND: Duration = Duration::from_secs(60);

/// Why requests are held back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pause {
    /// So many requests in a row failed, the last one in this way.
    Failing(BulkFailure),
    /// An operator must fix something.
    Blocked(Block),
}

/// Whether a request may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Like any.
    Free,
    /// As the probe.
    Probe,
    /// Not before then.
    At(Instant),
    /// Not before the probe is over.
    AfterProbe,
}

/// A change that is worth telling.
#[derive(Debug, PartialEq, Eq)]
pub enum Change {
    /// Requests are held back from now on, for another reason than before, or still.
    Paused(Pause),
    /// They go again, after so long.
    Resumed(Duration),
}

/// The state for `penstock_indexer_breaker_state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// Requests go.
    Closed,
    /// The probe is in flight.
    HalfOpen,
    /// Requests are held back.
    Open,
}

/// The breaker.
#[derive(Debug)]
pub struct Breaker {
    max_failures: u32,
    failures: u32,
    failed: Option<Instant>,
    open: Option<Open>,
    logged: Option<Logged>,
}

#[derive(Debug)]
struct Open {
    pause: Pause,
    since: Instant,
    probes: u32,
    next: Instant,
    probing: bool,
}

/// What was logged last, so that a state that comes and goes is not logged each time.
#[derive(Debug)]
struct Logged {
    code: &'static str,
    at: Instant,
    resumed: bool,
}

impl Breaker {
    /// A closed one, that opens after `max_failures` failures in a row.
    pub fn new(max_failures: u32) -> Self {
        Self { max_failures: max_failures.max(1), failures: 0, failed: None, open: None, logged: None }
    }

    /// Returns whether a request may go now. Who is let go as the probe has to come back with the outcome, or with
    /// [`Breaker::abandoned`].
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

    /// A request brought documents forward. While requests are held back only the probe's word counts: the others were
    /// on their way before.
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

    /// A request failed for now, in all its parts. `jitter` is between 0 and 1. Requests that met the same overload
    /// together, since they were begun before the last one that failed was over, count as one failure: there will be
    /// fewer of them next time.
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

    /// A request met something that an operator must fix.
    pub fn blocked(&mut self, probe: bool, block: Block, jitter: f64, now: Instant) -> Option<Change> {
        if self.open.is_some() && !probe {
            return None;
        }
        self.hold(Pause::Blocked(block), jitter, now)
    }

    /// A request was answered, but said nothing about whether documents get in. A probe that is answered at all ends an
    /// outage; a block stays.
    pub fn unclear(&mut self, probe: bool, jitter: f64, now: Instant) -> Option<Change> {
        match self.open.as_ref().filter(|_| probe)?.pause.clone() {
            Pause::Failing(_) => self.succeeded(probe, now),
            pause @ Pause::Blocked(_) => self.hold(pause, jitter, now),
        }
    }

    /// The probe was given up before its outcome was known.
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

    /// Returns where it stands.
    pub fn position(&self) -> Position {
        match &self.open {
            None => Position::Closed,
            Some(open) if open.probing => Position::HalfOpen,
            Some(_) => Position::Open,
        }
    }

    fn hold(&mut self, pause: Pause, jitter: f64, now: Instant) -> Option<Change> {
        let (since, probes) = self.open.as_ref().map_or((now, 1), |open| (open.since, open.probes.saturating_add(1)));
        // At least half of the wait, so that twenty indexers together are no load either.
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
    /// A short fixed word for logs and metrics.
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
