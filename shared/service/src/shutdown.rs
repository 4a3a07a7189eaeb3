//! Turns a signal into an orderly stop.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::notify;

/// The exit code after a second signal, which stops the process immediately: 128 + SIGINT, the convention of shells.
const EXIT_AT_ONCE: i32 = 130;

/// Returns a token that is cancelled at the first SIGINT or SIGTERM. A second signal ends the process immediately. That
/// loses nothing: events that were not acknowledged to a sender are sent again, and records that were not committed to
/// Kafka are read again.
///
/// # Errors
/// If the signal handlers cannot be installed.
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
                tracing::warn!(signal = name, "Second signal: stopping immediately.");
                std::process::exit(EXIT_AT_ONCE);
            }
            tracing::info!(signal = name, "Stopping: finishing the work in flight. A second signal stops immediately.");
            notify::stopping();
            cancelled.cancel();
        }
    });
    Ok(token)
}

#[cfg(test)]
mod tests;
