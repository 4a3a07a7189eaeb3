//! The one way to wait: ask again until the answer is yes, up to a generous deadline.

use std::time::Duration;

use tokio::time::Instant;

/// Between two questions.
const INTERVAL: Duration = Duration::from_millis(50);

/// Returns how long a condition may take to become true, where nothing else is said: `PENSTOCK_TEST_PATIENCE` in
/// seconds, else two minutes. It bounds a test that fails; a test that passes never waits for it.
pub fn patience() -> Duration {
    let seconds = std::env::var("PENSTOCK_TEST_PATIENCE").ok().and_then(|value| value.parse().ok());
    Duration::from_secs(seconds.unwrap_or(120))
}

/// Asks `check` until it gives `Ok`, for at most [`patience`].
///
/// # Errors
/// When the time is up: `what` was waited for, and what `check` said last.
pub async fn eventually<T, F: Future<Output = anyhow::Result<T>>>(
    what: &str,
    check: impl FnMut() -> F,
) -> anyhow::Result<T> {
    within(patience(), what, check).await
}

/// [`eventually`] with a deadline of its own.
///
/// # Errors
/// As [`eventually`].
pub async fn within<T, F: Future<Output = anyhow::Result<T>>>(
    patience: Duration,
    what: &str,
    mut check: impl FnMut() -> F,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + patience;
    loop {
        let error = match tokio::time::timeout_at(deadline + INTERVAL, check()).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => error,
            Err(_) => anyhow::anyhow!("the question itself was not answered"),
        };
        if Instant::now() >= deadline {
            anyhow::bail!("{what}: not within {} s; last seen: {error:#}", patience.as_secs());
        }
        tokio::time::sleep(INTERVAL).await;
    }
}
