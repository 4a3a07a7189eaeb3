//! Remembers accepted signatures, so that nobody who has seen a request can replay it.
//!
//! Only accepted requests count: a sender that got 503 sends the same bytes again, and must be accepted. A signature
//! older than the tolerance need not be remembered, because its timestamp is refused. Each process remembers its own.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// The first 16 bytes of a signature. It is infeasible to find another signature with the same bytes.
pub(super) type Mark = u128;

/// The recently accepted signatures.
pub(super) struct Replays {
    window: Duration,
    capacity: usize,
    state: Mutex<ReplayState>,
}

#[derive(Default)]
struct ReplayState {
    /// The signatures in flight, and those in `kept`.
    known: HashMap<Mark, Known>,
    /// The accepted signatures with the time until which they count, oldest first.
    kept: VecDeque<(SystemTime, Mark)>,
}

/// Why a signature is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// Its request is not yet answered, and may still fail.
    InFlight,
    /// Its request was accepted.
    Accepted,
}

/// A signature in flight. Dropping it forgets the signature, unless it was kept.
#[derive(Default)]
pub(crate) struct Claim {
    replays: Option<Arc<Replays>>,
    marks: Vec<Mark>,
}

impl Replays {
    /// Creates a memory for timestamps at most `tolerance` from now. It holds the last `capacity` accepted signatures.
    /// Returns `None` if `capacity` is 0.
    pub(super) fn new(tolerance: Duration, capacity: usize) -> Option<Arc<Self>> {
        // A timestamp in the future counts until the tolerance after it, which doubles the time.
        let window = tolerance.saturating_mul(2);
        (capacity > 0).then(|| Arc::new(Self { window, capacity, state: Mutex::default() }))
    }

    /// Claims the message with these marks.
    ///
    /// # Errors
    /// Why one of the marks is known.
    pub(super) fn claim(self: &Arc<Self>, marks: Vec<Mark>, now: SystemTime) -> Result<Claim, Known> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.forget(now);
        if let Some(known) = marks.iter().find_map(|mark| state.known.get(mark)) {
            return Err(*known);
        }
        state.known.extend(marks.iter().map(|mark| (*mark, Known::InFlight)));
        Ok(Claim { replays: Some(Arc::clone(self)), marks })
    }

    fn keep(&self, marks: &[Mark], now: SystemTime) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let until = now.checked_add(self.window).unwrap_or(now);
        state.known.extend(marks.iter().map(|mark| (*mark, Known::Accepted)));
        state.kept.extend(marks.iter().map(|mark| (until, *mark)));
        while state.kept.len() > self.capacity {
            state.forget_oldest();
        }
    }

    fn release(&self, marks: &[Mark]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for mark in marks {
            state.known.remove(mark);
        }
    }
}

impl ReplayState {
    fn forget(&mut self, now: SystemTime) {
        while self.kept.front().is_some_and(|(until, _)| *until < now) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, mark)) = self.kept.pop_front() {
            self.known.remove(&mark);
        }
    }
}

impl Claim {
    /// Notes that the request was accepted at `now`. Its signature is refused from now on.
    pub(crate) fn keep(mut self, now: SystemTime) {
        if let Some(replays) = self.replays.take() {
            replays.keep(&self.marks, now);
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some(replays) = &self.replays {
            replays.release(&self.marks);
        }
    }
}
