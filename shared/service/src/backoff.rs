//! How long to wait before something is tried again: exponential backoff with full jitter, so that those who failed
//! together do not come back together (AWS Architecture Blog, "Exponential Backoff And Jitter"). Pure.

use std::time::Duration;

use rand::{Rng, RngExt};

/// The bounds of the waits.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// The longest first wait.
    pub initial: Duration,
    /// The longest wait of all.
    pub max: Duration,
}

impl Backoff {
    /// Returns the longest wait after `failures` failures in a row: it doubles with each.
    pub fn longest(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        self.initial.saturating_mul(1 << doublings).min(self.max)
    }

    /// Returns a wait between nothing and the longest.
    pub fn wait(&self, failures: u32, rng: &mut impl Rng) -> Duration {
        rng.random_range(Duration::ZERO..=self.longest(failures))
    }
}

#[cfg(test)]
mod tests;
