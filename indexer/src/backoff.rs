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

    /// A wait between nothing and the longest.
    pub fn wait(&self, failures: u32, rng: &mut impl Rng) -> Duration {
        rng.random_range(Duration::ZERO..=self.longest(failures))
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    const BACKOFF: Backoff = Backoff { initial: Duration::from_millis(200), max: Duration::from_secs(10) };

    #[test]
    fn the_longest_wait_doubles_up_to_the_cap() {
        let longest: Vec<u128> = [1, 2, 3, 6, 7, u32::MAX].map(|n| BACKOFF.longest(n).as_millis()).to_vec();
        assert_eq!(longest, [200, 400, 800, 6_400, 10_000, 10_000]);
    }

    #[test]
    fn waits_are_spread_over_the_whole_range() {
        let mut rng = StdRng::seed_from_u64(1);
        let waits: Vec<Duration> = (0..1_000).map(|_| BACKOFF.wait(3, &mut rng)).collect();
        assert!(waits.iter().all(|wait| *wait <= Duration::from_millis(800)));
        assert!(waits.iter().any(|wait| *wait < Duration::from_millis(80)));
        assert!(waits.iter().any(|wait| *wait > Duration::from_millis(720)));
    }
}
