//! The bytes of a request's head that is not whole yet, counted with those of all other connections (P6).
//!
//! What nobody has answered is held by somebody. The first bytes are free, so that a sender who fills the room with
//! long heads keeps out only others that have long ones.

use std::io::{Error, ErrorKind, Result};

use crate::body_budget::{BodyBudget, MemoryBudget};

/// So many bytes of each head are not counted: what a connection costs anyway.
pub(super) const FREE: usize = 4 * 1024;

/// The most that is held of what is not whole. HTTP/2 keeps six frames of 16 KiB of one head before it gives up, however
/// short a head may be; HTTP/1 and TLS keep less.
const MOST: usize = 6 * 16 * 1024;

/// What one connection has sent since it was last answered.
#[derive(Debug)]
pub(super) struct Head {
    budget: BodyBudget,
    free: usize,
    bytes: usize,
}

impl Head {
    /// Nothing yet; what comes is counted in `all`, except for the first `free` bytes.
    pub(super) fn new(all: &MemoryBudget, free: usize) -> Self {
        Self { budget: all.hold(), free, bytes: 0 }
    }

    /// `bytes` more have come, and none of them belongs to a request that is being answered.
    ///
    /// # Errors
    /// When the heads of all connections are too much.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<()> {
        let free = self.free;
        let counted = |bytes: usize| bytes.min(MOST).saturating_sub(free);
        let before = counted(self.bytes);
        self.bytes = self.bytes.saturating_add(bytes);
        let more = counted(self.bytes) - before;
        self.budget.grow(more).map_err(|_| Error::new(ErrorKind::OutOfMemory, "too many long heads at a time"))
    }

    /// The head is whole, or something was answered.
    pub(super) fn clear(&mut self) {
        if self.bytes > 0 {
            self.bytes = 0;
            self.budget.release();
        }
    }
}

#[cfg(test)]
mod tests;
