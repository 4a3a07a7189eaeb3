//! Counts the bytes of incomplete request heads, over all connections (P6).
//!
//! Bytes count until the receiver answers. The first bytes of each head are free, so that a sender who fills the budget
//! with long heads keeps out only other long heads.

use std::io::{Error, ErrorKind, Result};

use crate::body_budget::{BodyBudget, MemoryBudget};

/// The bytes of each head that do not count, because every connection costs them anyway.
pub(super) const FREE: usize = 4 * 1024;

/// The most that is held of what is not whole. HTTP/2 keeps six frames of 16 KiB of a head before it gives up; HTTP/1
/// and TLS keep less.
const MOST: usize = 6 * 16 * 1024;

/// The bytes that one connection has sent since its last answer.
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

    /// Counts `bytes` that arrived and do not belong to a request being answered.
    ///
    /// # Errors
    /// When the heads of all connections exceed the budget.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<()> {
        let free = self.free;
        let counted = |bytes: usize| bytes.min(MOST).saturating_sub(free);
        let before = counted(self.bytes);
        self.bytes = self.bytes.saturating_add(bytes);
        let more = counted(self.bytes) - before;
        self.budget.grow(more).map_err(|_| Error::new(ErrorKind::OutOfMemory, "too many long heads at a time"))
    }

    /// Resets the count, because the head is complete or was answered.
    pub(super) fn clear(&mut self) {
        if self.bytes > 0 {
            self.bytes = 0;
            self.budget.release();
        }
    }
}

#[cfg(test)]
mod tests;
