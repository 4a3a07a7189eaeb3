//! Turns a signal into an orderly stop.

use std::io::IsTerminal as _;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::notify;

/// The exit code after a second signal, which stops the process immediately: 128 + SIGINT, the convention of shells.
const EXIT_AT_ONCE: i32 = 130;

/// Returns a token that is cancelled at the first SIGINT or SIGTERM. A second signal ends the process immediately. That
/// loses nothing: events that were not acknowledged to a sender are sent again, and records that were not committed to
/// Kafka are read again.
///
/// A process in a terminal is also stopped by SIGHUP, which says that the terminal was closed. To a service, SIGHUP is
/// the usual request to read its files again, so it does not stop one.
///
/// # Errors
/// If the signal handlers cannot be installed.
pub fn on_signals() -> std::io::Result<CancellationToken> {
    listen(is_in_terminal())
}

/// Works like [`on_signals`], for a process that is in a terminal or not.
fn listen(is_in_terminal: bool) -> std::io::Result<CancellationToken> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let token = CancellationToken::new();
    let cancelled = token.clone();
    tokio::spawn(async move {
        loop {
            let name = tokio::select! {
                _ = interrupt.recv() => "SIGINT",
                _ = terminate.recv() => "SIGTERM",
                _ = hangup.recv() => "SIGHUP",
            };
            if name == "SIGHUP" && !is_in_terminal {
                tracing::info!(
                    "SIGHUP: nothing to do. Files with secrets and certificates are read again when they change; the \
                     config is read only at the start."
                );
                continue;
            }
            if cancelled.is_cancelled() {
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

/// Returns whether one of the standard streams is a terminal.
fn is_in_terminal() -> bool {
    std::io::stdin().is_terminal() || std::io::stdout().is_terminal() || std::io::stderr().is_terminal()
}

#[cfg(test)]
mod tests;
