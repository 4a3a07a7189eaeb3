//! Waits before failed documents are sent again.

use service::backoff::Backoff;
use tokio::sync::watch;

use super::breaker::Pause;

/// Waits between two requests of a batch.
#[derive(Debug)]
pub(super) struct Retries {
    backoff: Backoff,
    /// Why requests are held back, if they are.
    pause: watch::Receiver<Option<Pause>>,
}

impl Retries {
    /// Creates waits within `backoff`.
    pub(super) fn new(backoff: Backoff, pause: watch::Receiver<Option<Pause>>) -> Self {
        Self { backoff, pause }
    }

    /// Waits after `failures` failures in a row. Does not wait while requests are held back, because they wait at the
    /// limiter.
    pub(super) async fn wait(&self, failures: u32) {
        let wait = self.backoff.wait(failures, &mut rand::rng());
        let mut pause = self.pause.clone();
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = pause.wait_for(Option::is_some) => {}
        }
    }
}

#[cfg(test)]
mod tests;
