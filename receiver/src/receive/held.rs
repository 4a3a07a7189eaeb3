//! How many bytes of bodies are in memory (P6). Counted as they arrive: a length that was only announced takes nothing from others.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::reject::Rejection;

/// The bytes of all requests together, up to a limit.
#[derive(Debug)]
pub(crate) struct HeldBytes {
    limit: usize,
    held: AtomicUsize,
}

/// The bytes of one request. Given back when dropped.
#[derive(Debug)]
pub(crate) struct Held<'a> {
    all: &'a HeldBytes,
    bytes: usize,
}

impl HeldBytes {
    /// None yet, and never more than `limit`.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, held: AtomicUsize::new(0) }
    }

    /// For a request that begins.
    pub(crate) fn hold(&self) -> Held<'_> {
        Held { all: self, bytes: 0 }
    }
}

impl Held<'_> {
    /// `bytes` more.
    ///
    /// # Errors
    /// `Overloaded`, when all requests together would hold more than the limit.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Rejection> {
        let before = self.all.held.fetch_add(bytes, Ordering::Relaxed);
        self.bytes += bytes;
        // What is too much is given back with the rest, when the request ends.
        if before.saturating_add(bytes) > self.all.limit { Err(Rejection::Overloaded) } else { Ok(()) }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.all.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
