//! Counts the bytes of incomplete request heads, over all connections (P6). [`super::held`] says how many a connection
//! holds.
//!
//! The first bytes of each head are free, so that a sender who fills the budget with long heads keeps out only other
//! long heads.

use std::io::{Error, ErrorKind, Result};

use crate::body_budget::{BodyBudget, MemoryBudget};

/// The bytes of each head that do not count, because every connection costs them anyway.
pub(super) const FREE: usize = 4 * 1024;

/// The most bytes of an incomplete head. hyper's HTTP/2 keeps up to six frames of 16 KiB of a head, in a buffer that
/// doubles as it grows; HTTP/1 and TLS keep less.
const MOST: usize = 2 * 6 * 16 * 1024;

/// The bytes of one connection's incomplete head.
#[derive(Debug)]
pub(super) struct Head {
    budget: BodyBudget,
    free: usize,
    bytes: usize,
}

impl Head {
    /// Creates an empty head, whose bytes beyond the first `free` are counted in `all`.
    pub(super) fn new(all: &MemoryBudget, free: usize) -> Self {
        Self { budget: all.hold(), free, bytes: 0 }
    }

    /// Counts `bytes` more.
    ///
    /// # Errors
    /// See [`Head::hold`].
    pub(super) fn grow(&mut self, bytes: usize) -> Result<()> {
        self.hold(self.bytes.saturating_add(bytes))
    }

    /// Counts `bytes` from now on, instead of what was counted before.
    ///
    /// # Errors
    /// When the heads of all connections exceed the budget.
    pub(super) fn hold(&mut self, bytes: usize) -> Result<()> {
        if bytes == self.bytes {
            return Ok(());
        }
        let free = self.free;
        let counted = |bytes: usize| bytes.min(MOST).saturating_sub(free);
        let (before, now) = (counted(self.bytes), counted(bytes));
        self.bytes = bytes;
        self.budget.shrink(before.saturating_sub(now));
        let grown = self.budget.grow(now.saturating_sub(before));
        grown.map_err(|_| Error::new(ErrorKind::OutOfMemory, "too many long heads at a time"))
    }
}

#[cfg(test)]
mod tests;
