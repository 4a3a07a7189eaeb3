//! Counts the bytes of incomplete request heads, over all connections (P6).
//!
//! Bytes count until the receiver answers. The first bytes of each head are free, so that a sender who fills the budget
//! with long heads keeps out only other long heads.

use std::io::{Error, ErrorKind, Result};

use super::MAX_HEAD;
use crate::body_budget::{BodyBudget, MemoryBudget};

/// The bytes of each head that do not count, because every connection costs them anyway.
const FREE: usize = 4 * 1024;

/// The bytes that one connection has sent since its last answer.
#[derive(Debug)]
pub(super) struct Head {
    budget: BodyBudget,
    bytes: usize,
}

impl Head {
    /// Creates an empty count; later bytes count in `all`.
    pub(super) fn new(all: &MemoryBudget) -> Self {
        Self { budget: all.hold(), bytes: 0 }
    }

    /// Counts `bytes` that arrived and do not belong to a request being answered.
    ///
    /// # Errors
    /// When the heads of all connections exceed the budget.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<()> {
        let counted = |bytes: usize| bytes.min(MAX_HEAD).saturating_sub(FREE);
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
