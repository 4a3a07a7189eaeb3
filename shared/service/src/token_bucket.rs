//! How many of something may happen in a second: a bucket of tokens, refilled all the time. Time is a parameter.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// A moment by some clock.
pub trait Moment: Copy {
    /// Returns the time since `earlier`; nothing where the clock went back.
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

/// A bucket that holds a burst of tokens, and gets some back each second.
#[derive(Debug)]
pub struct TokenBucket<T = Instant> {
    per_second: f64,
    burst: f64,
    level: Mutex<Level<T>>,
}

/// The bucket is empty. Holds how long it is until there is a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no token for {0:?}")]
pub struct Empty(pub Duration);

#[derive(Clone, Copy, Debug)]
struct Level<T> {
    tokens: f64,
    /// When that was so; none before the first token is taken.
    at: Option<T>,
}

impl<T: Moment> TokenBucket<T> {
    /// Returns a full bucket.
    pub fn new(per_second: f64, burst: f64) -> Self {
        Self { per_second, burst, level: Mutex::new(Level { tokens: burst, at: None }) }
    }

    /// Takes a token at `now`.
    ///
    /// # Errors
    /// [`Empty`], with the time until there is one.
    pub fn take(&self, now: T) -> Result<(), Empty> {
        // What a panic might have left half done are two numbers that are both right.
        let mut level = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = level.at.map_or(Duration::ZERO, |at| now.since(at));
        let tokens = (level.tokens + passed.as_secs_f64() * self.per_second).min(self.burst);
        let taken = tokens >= 1.0;
        *level = Level { tokens: if taken { tokens - 1.0 } else { tokens }, at: Some(now) };
        if taken {
            return Ok(());
        }
        // Never, where nothing comes back.
        Err(Empty(Duration::try_from_secs_f64((1.0 - tokens) / self.per_second).unwrap_or(Duration::MAX)))
    }
}

#[cfg(test)]
mod tests;
