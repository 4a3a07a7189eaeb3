//! A rate limit: a bucket of tokens that is refilled continuously. Time is a parameter.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// A moment of some clock.
pub trait Moment: Copy {
    /// Returns the time since `earlier`, or zero if the clock went back.
    fn since(self, earlier: Self) -> Duration;
}

impl Moment for Instant {
    fn since(self, earlier: Self) -> Duration {
        self.saturating_duration_since(earlier)
    }
}

impl Moment for SystemTime {
    fn since(self, earlier: Self) -> Duration {
        self.duration_since(earlier).unwrap_or_default()
    }
}

/// Holds up to a burst of tokens, and gains some each second.
#[derive(Debug)]
pub struct TokenBucket<T = Instant> {
    per_second: f64,
    burst: f64,
    level: Mutex<Level<T>>,
}

/// Says that the bucket is empty. Holds the time until the next token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no token for {0:?}")]
pub struct Empty(pub Duration);

#[derive(Clone, Copy, Debug)]
struct Level<T> {
    tokens: f64,
    /// The time of this level; `None` before the first token is taken.
    at: Option<T>,
}

impl<T: Moment> TokenBucket<T> {
    /// Creates a full bucket.
    pub fn new(per_second: f64, burst: f64) -> Self {
        Self { per_second, burst, level: Mutex::new(Level { tokens: burst, at: None }) }
    }

    /// Takes a token at `now`.
    ///
    /// # Errors
    /// [`Empty`], with the time until the next token.
    pub fn take(&self, now: T) -> Result<(), Empty> {
        // A panic could only leave two numbers behind that are each valid.
        let mut level = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = level.at.map_or(Duration::ZERO, |at| now.since(at));
        let tokens = (level.tokens + passed.as_secs_f64() * self.per_second).min(self.burst);
        let taken = tokens >= 1.0;
        *level = Level { tokens: if taken { tokens - 1.0 } else { tokens }, at: Some(now) };
        if taken {
            return Ok(());
        }
        // Without a refill, the time is infinite.
        Err(Empty(Duration::try_from_secs_f64((1.0 - tokens) / self.per_second).unwrap_or(Duration::MAX)))
    }
}

#[cfg(test)]
mod tests;
