//! From a signal to an orderly stop.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::notify;

/// What the process exits with when a second signal asks it to stop at once: 128 + SIGINT, as shells count it.
const EXIT_AT_ONCE: i32 = 130;

/// A token that is cancelled at the first SIGINT or SIGTERM. A second one ends the process at once: nothing is lost by
/// it, since whatever was not acknowledged to a sender or committed to Kafka will be sent or read again.
///
/// # Errors
/// When the signal handlers cannot be installed.
pub fn on_signals() -> std::io::Result<CancellationToken> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let token = CancellationToken::new();
    let cancelled = token.clone();
    tokio::spawn(async move {
        for stop_at_once in [false, true] {
            let name = tokio::select! {
                _ = interrupt.recv() => "SIGINT",
                _ = terminate.recv() => "SIGTERM",
            };
            if stop_at_once {
                tracing::warn!(signal = name, "Second signal: stopping at once.");
                std::process::exit(EXIT_AT_ONCE);
            }
            tracing::info!(signal = name, "Stopping: finishing the work in flight. A second signal stops at once.");
            notify::stopping();
            cancelled.cancel();
        }
    });
    Ok(token)
}

#[cfg(test)]
mod tests;
