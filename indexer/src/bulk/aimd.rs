//! Decides how much is sent at a time: the number of requests in flight and the size of a body. Both are found by
//! additive increase and multiplicative decrease, as in TCP (RFC 5681). Pure.

use std::time::Instant;

/// The smallest target size of a body, in bytes. A smaller body costs more in extra requests than it saves.
const SMALLEST_TARGET: usize = 64 << 10;

/// How much the limit grows per round trip. A step of one, as in TCP, would reach the next overload too soon: refused
/// documents must wait and be sent again.
const INCREASE: f64 = 0.25;

/// What a finished request shows about how much may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The request succeeded: more may be sent.
    Well,
    /// Elasticsearch is overloaded or did not answer in time: send less.
    Overloaded,
    /// The body was too large: send smaller ones.
    TooLarge,
    /// The request shows nothing.
    Nothing,
}

/// Holds the two limits and the number of requests in flight.
#[derive(Clone, Debug)]
pub struct Aimd {
    limit: f64,
    max_limit: f64,
    in_flight: usize,
    target: usize,
    /// The largest target size from now on, because a larger body was refused as too large.
    ceiling: usize,
    reduced: Option<Instant>,
}

impl Aimd {
    /// Allows at most `max_requests` at a time, with bodies of about `max_bytes`. Starts at both maxima.
    pub fn new(max_requests: usize, max_bytes: usize) -> Self {
        let limit = max_requests.max(1) as f64;
        Self { limit, max_limit: limit, in_flight: 0, target: max_bytes, ceiling: max_bytes, reduced: None }
    }

    /// Returns whether one more request may go.
    pub fn has_slot(&self) -> bool {
        self.in_flight < self.limit()
    }

    /// Notes that a request was sent.
    pub fn start(&mut self) {
        self.in_flight += 1;
    }

    /// Notes that a request is over. It was sent at `started` with a body of `bytes`.
    pub fn finish(&mut self, started: Instant, bytes: usize, signal: Signal, now: Instant) {
        let fully_used = self.in_flight >= self.limit();
        self.in_flight = self.in_flight.saturating_sub(1);
        match signal {
            Signal::Well => self.increase(fully_used, bytes),
            Signal::Overloaded => self.decrease(started, now),
            Signal::TooLarge => {
                self.ceiling = (bytes / 2).clamp(SMALLEST_TARGET.min(self.ceiling), self.ceiling);
                self.target = self.target.min(self.ceiling);
            }
            Signal::Nothing => {}
        }
    }

    /// Starts again with one request at a time, after an outage.
    pub fn restart(&mut self) {
        self.limit = 1.0;
    }

    /// Returns how many requests may be in flight.
    pub fn limit(&self) -> usize {
        self.limit as usize
    }

    /// Returns how many bytes a body should have at most.
    pub fn target_bytes(&self) -> usize {
        self.target
    }

    /// Raises the limit a little per round trip, but only while all allowed requests are in flight. Otherwise a
    /// success does not show that more would work.
    fn increase(&mut self, fully_used: bool, bytes: usize) {
        if fully_used {
            self.limit = (self.limit + INCREASE / self.limit).min(self.max_limit);
        }
        if bytes >= self.target / 2 {
            self.target = (self.target + self.target / 16).min(self.ceiling);
        }
    }

    /// Halves the number of requests, or the size of bodies if the number is already one. Requests that were in
    /// flight together met the same overload, so they count once.
    fn decrease(&mut self, started: Instant, now: Instant) {
        if self.reduced.is_some_and(|reduced| started <= reduced) {
            return;
        }
        self.reduced = Some(now);
        if self.limit() > 1 {
            self.limit = (self.limit / 2.0).max(1.0);
        } else {
            self.target = (self.target / 2).max(SMALLEST_TARGET.min(self.ceiling));
        }
    }
}

#[cfg(test)]
mod tests;
