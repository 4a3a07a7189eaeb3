//! How much is sent at a time: the number of requests in flight and the size of a body, found out by additive increase
//! and multiplicative decrease, as TCP does (RFC 5681). Pure.

use std::time::Instant;

/// No body is made smaller than this, in bytes: a smaller one costs more in requests than it saves.
const SMALLEST_TARGET: usize = 64 << 10;

/// How many requests more are tried with each round trip. A whole one, as in TCP, would meet the next overload too
/// soon: what is refused has to be sent again, and waits before it is.
const INCREASE: f64 = 0.25;

/// What a finished request says about how much may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// It went well: more may go.
    Well,
    /// Elasticsearch has too much to do, or did not answer in time: less.
    Overloaded,
    /// The body was too large: smaller ones.
    TooLarge,
    /// Nothing.
    Nothing,
}

/// The two quantities and what is in flight.
#[derive(Debug)]
pub struct Aimd {
    limit: f64,
    max_limit: f64,
    in_flight: usize,
    target: usize,
    /// No body of more bytes is asked for any more: one was too large.
    ceiling: usize,
    reduced: Option<Instant>,
}

impl Aimd {
    /// At most `max_requests` at a time, of bodies of about `max_bytes`. It begins with as much as is allowed.
    pub fn new(max_requests: usize, max_bytes: usize) -> Self {
        let limit = max_requests.max(1) as f64;
        Self { limit, max_limit: limit, in_flight: 0, target: max_bytes, ceiling: max_bytes, reduced: None }
    }

    /// Returns whether one more request may go.
    pub fn has_slot(&self) -> bool {
        self.in_flight < self.limit()
    }

    /// A request goes.
    pub fn start(&mut self) {
        self.in_flight += 1;
    }

    /// A request that was begun at `started` with a body of `bytes` is over.
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

    /// Begins again with one request at a time, after an outage.
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

    /// A little more for each round trip of all, and only while all that are allowed are used: else the number would
    /// say nothing.
    fn increase(&mut self, fully_used: bool, bytes: usize) {
        if fully_used {
            self.limit = (self.limit + INCREASE / self.limit).min(self.max_limit);
        }
        if bytes >= self.target / 2 {
            self.target = (self.target + self.target / 16).min(self.ceiling);
        }
    }

    /// Half as many requests; when there is but one, half as large. Once for all that were in flight together: they met
    /// the same overload.
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
