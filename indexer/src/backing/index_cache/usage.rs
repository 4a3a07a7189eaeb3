//! Notes when there were last documents, so that a topic without documents sends no requests.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// How long the table is kept fresh after the last document.
const IN_USE: Duration = Duration::from_secs(60);

/// The time of the last documents.
#[derive(Debug)]
pub(super) struct Usage {
    started: Instant,
    /// When there were last documents, in milliseconds after `started`.
    used: AtomicU64,
}

impl Usage {
    /// Begins with documents at this moment.
    pub(super) fn new() -> Self {
        Self { started: Instant::now(), used: AtomicU64::new(0) }
    }

    /// Notes that there are documents.
    pub(super) fn note(&self) {
        let millis = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.used.store(millis, Ordering::Relaxed);
    }

    /// Returns whether there were documents lately.
    pub(super) fn is_recent(&self) -> bool {
        let used = Duration::from_millis(self.used.load(Ordering::Relaxed));
        self.started.elapsed().saturating_sub(used) <= IN_USE
    }
}
