//! Finds out whether a node takes compressed requests. Pure.
//!
//! A proxy may drop the header that says that a body is compressed, or may not accept it; then every compressed request
//! is answered 400 or 415. But so is a request that is wrong in itself. Only the same request without compression shows
//! the difference, and it is not worth sending each wrong request twice.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a refusal counts as the request's own, after a request was refused without compression too.
const BELIEVED: Duration = Duration::from_secs(30);

/// What is known about one node.
#[derive(Debug, Default)]
pub(super) struct Gzip {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// Whether a compressed request was refused and the same request accepted uncompressed.
    is_refused: bool,
    /// When a request was last refused in both forms.
    blameless: Option<Instant>,
}

impl Gzip {
    /// Returns whether requests may be compressed.
    pub(super) fn is_usable(&self) -> bool {
        !self.known().is_refused
    }

    /// Returns whether compression may be the reason for a refusal at `now`.
    pub(super) fn is_suspect(&self, now: Instant) -> bool {
        self.known().blameless.is_none_or(|since| now.saturating_duration_since(since) >= BELIEVED)
    }

    /// Notes that a refused request was sent again uncompressed, and whether it was accepted. Returns whether this
    /// shows for the first time that the node takes no compressed requests.
    pub(super) fn note(&self, is_accepted: bool, now: Instant) -> bool {
        let mut known = self.known();
        if is_accepted {
            return !std::mem::replace(&mut known.is_refused, true);
        }
        known.blameless = Some(now);
        false
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
