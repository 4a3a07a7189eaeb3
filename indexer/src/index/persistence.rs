//! Repeats what the indexer cannot go on without until Elasticsearch has done it.

use std::time::Duration;

use service::admin::Condition;
use service::backoff::Backoff;

use super::requests::RequestError;

/// The longest wait between attempts, so that a returning Elasticsearch is noticed soon.
const MAX_WAIT: Duration = Duration::from_secs(3);

/// Repeats attempts for one index, and reports them by its condition.
#[derive(Debug)]
pub(super) struct Persistence {
    index: String,
    backoff: Backoff,
    condition: Condition,
}

impl Persistence {
    /// Creates the attempts for `index`. `condition` is unmet while one fails.
    pub(super) fn new(index: String, backoff: Backoff, condition: Condition) -> Self {
        Self { index, backoff: Backoff { max: backoff.max.min(MAX_WAIT), ..backoff }, condition }
    }

    /// Runs `attempt` until it succeeds. Until then the condition gives the reason for the failure.
    pub(super) async fn run<F: Future<Output = Result<(), RequestError>>>(&self, what: &str, attempt: impl Fn() -> F) {
        let index = &self.index;
        let mut failures = 0;
        while let Err(error) = attempt().await {
            failures += 1;
            let reason = format!("{what} of {index:?} is not there yet: {error}");
            // Logs the first failure, and then each time the number has doubled.
            if u32::is_power_of_two(failures) {
                tracing::warn!(index, %error, attempts = failures, "The {what} could not be verified; trying again.");
            }
            self.condition.unmet(reason);
            let wait = self.backoff.wait(failures, &mut rand::rng());
            tokio::time::sleep(wait).await;
        }
        self.condition.met();
    }
}
