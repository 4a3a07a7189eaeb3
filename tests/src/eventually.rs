//! The only way to wait: repeats a check until it succeeds, up to a generous deadline.

use std::time::Duration;

use tokio::time::Instant;

/// The time between two checks.
const INTERVAL: Duration = Duration::from_millis(50);

/// Returns the default time limit for a condition: `PENSTOCK_TEST_PATIENCE` in seconds, else two minutes. It only
/// affects failing tests: a passing test never waits for it.
pub fn patience() -> Duration {
    let seconds = std::env::var("PENSTOCK_TEST_PATIENCE").ok().and_then(|value| value.parse().ok());
    Duration::from_secs(seconds.unwrap_or(120))
}

/// Repeats `check` until it returns `Ok`, for at most [`patience`].
///
/// # Errors
/// If the time is up. The message names `what` and the last error of `check`.
pub async fn eventually<T, F: Future<Output = anyhow::Result<T>>>(
    what: &str,
    check: impl FnMut() -> F,
) -> anyhow::Result<T> {
    within(patience(), what, check).await
}

/// Does the same as [`eventually`] with another time limit.
///
/// # Errors
/// As for [`eventually`].
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
