//! Waits before another attempt: exponential backoff with full jitter, so that clients that failed together do not
//! retry together (AWS Architecture Blog, "Exponential Backoff And Jitter"). Pure.

use std::time::Duration;

use rand::{Rng, RngExt};

/// Holds the bounds of the waits.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// The upper bound of the first wait.
    pub initial: Duration,
    /// The upper bound of every wait.
    pub max: Duration,
}

impl Backoff {
    /// Returns the upper bound of the wait after `failures` failures in a row. It doubles with each failure.
    pub fn longest(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        self.initial.saturating_mul(1 << doublings).min(self.max)
    }

    /// Returns a random wait from zero to that bound.
    pub fn wait(&self, failures: u32, rng: &mut impl Rng) -> Duration {
        rng.random_range(Duration::ZERO..=self.longest(failures))
    }
}

#[cfg(test)]
mod tests;
