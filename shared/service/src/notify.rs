//! Notifies the service manager: systemd's protocol for units of `Type=notify`.
//!
//! Sends nothing without `NOTIFY_SOCKET` in the environment.

use std::convert::Infallible;
use std::time::Duration;

use sd_notify::NotifyState;

use crate::readiness::Readiness;

/// The interval between two checks of the readiness.
const PERIOD: Duration = Duration::from_millis(200);

/// The longest status text, in characters. `/readyz` has the whole text.
const MAX_STATUS: usize = 512;

/// Sends `READY=1` once every condition of `readiness` is met. Sends the text of `/readyz` on one line as the unit's
/// status whenever it changes. Never returns.
pub async fn follow(readiness: &Readiness) -> Infallible {
    if std::env::var_os("NOTIFY_SOCKET").is_none() {
        return std::future::pending().await;
    }
    let mut announced = false;
    let mut last = String::new();
    loop {
        let status = status(readiness);
        if status != last {
            send(&[NotifyState::Status(&status)]);
            last = status;
        }
        if !announced && readiness.is_ready() {
            send(&[NotifyState::Ready]);
            announced = true;
        }
        tokio::time::sleep(PERIOD).await;
    }
}

/// Sends `STOPPING=1`: the service has begun to stop.
pub fn stopping() {
    send(&[NotifyState::Stopping]);
}

fn send(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "The service manager was not notified.");
    }
}

/// Returns what `readiness` says on one line of at most [`MAX_STATUS`] characters. A line break would begin another
/// assignment of the protocol, and reasons quote servers, so control characters become spaces.
fn status(readiness: &Readiness) -> String {
    let unmet = readiness.unmet();
    let (head, lines) = if unmet.is_empty() { ("ready", readiness.remarks()) } else { ("not ready", unmet) };
    let mut text = head.to_owned();
    for (name, reason) in lines {
        text.push_str(&format!("; {name}: {reason}"));
    }
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_STATUS).collect()
}

#[cfg(test)]
mod tests;
