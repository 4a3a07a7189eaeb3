//! How many requests a second a source takes: a bucket of tokens, refilled all the time. Time is a parameter.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use config::Limits;
use tokio::time::Instant;

/// The rate of one source.
#[derive(Debug)]
pub(crate) struct Rate {
    per_second: f64,
    burst: f64,
    state: Mutex<Option<RateState>>,
}

/// The source takes no request now. Holds how long it is until it takes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the rate of the source is used up for {0:?}")]
pub(crate) struct RateLimited(pub(crate) Duration);

#[derive(Clone, Copy, Debug)]
struct RateState {
    tokens: f64,
    at: Instant,
}

impl Rate {
    /// Returns the rate that `limits` allow; `None` if there is no limit.
    pub(crate) fn new(limits: &Limits) -> Option<Self> {
        let per_second = limits.max_requests_per_second?.max(1);
        let burst = limits.burst.unwrap_or(per_second).max(1);
        Some(Self { per_second: f64::from(per_second), burst: f64::from(burst), state: Mutex::default() })
    }

    /// Takes a token for a request at `now`.
    ///
    /// # Errors
    /// [`RateLimited`], with the time until there is one.
    pub(crate) fn take(&self, now: Instant) -> Result<(), RateLimited> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let last = state.unwrap_or(RateState { tokens: self.burst, at: now });
        let refill = now.saturating_duration_since(last.at).as_secs_f64() * self.per_second;
        let tokens = (last.tokens + refill).min(self.burst);
        let at = now.max(last.at);
        if tokens < 1.0 {
            *state = Some(RateState { tokens, at });
            return Err(RateLimited(Duration::from_secs_f64((1.0 - tokens) / self.per_second)));
        }
        *state = Some(RateState { tokens: tokens - 1.0, at });
        Ok(())
    }
}

#[cfg(test)]
mod tests;
