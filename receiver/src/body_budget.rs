//! How many bytes are in memory on behalf of requests (P6): bodies as they were sent, as they were meant, the events of
//! files, and what decompressing takes. Counted before it is allocated; a length that was only announced takes nothing
//! from others.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A request that holds no more than this is small.
const SMALL: usize = 64 * 1024;

/// The bytes of all requests together, up to a limit. Cheap to clone: all clones count together.
#[derive(Clone, Debug)]
pub(crate) struct MemoryBudget(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limit: usize,
    /// What requests may have that hold more than [`SMALL`].
    limit_of_large: usize,
    used: AtomicUsize,
}

/// The bytes of one request. Given back when dropped.
#[derive(Debug)]
pub(crate) struct BodyBudget {
    all: MemoryBudget,
    /// Those of senders that are not known yet count here too.
    strangers: Option<MemoryBudget>,
    bytes: usize,
}

/// Requests would hold more than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no memory is left within the limit")]
pub(crate) enum BudgetExceeded {
    /// All together.
    ForAll,
    /// Those whose sender is not known.
    ForStrangers,
}

impl MemoryBudget {
    /// None yet, and never more than `limit`.
    pub(crate) fn new(limit: usize) -> Self {
        Self::with_reserve(limit, 0)
    }

    /// None yet, and never more than `limit`, of which `reserve` is for small requests: a few that hold a lot do not
    /// keep them out.
    pub(crate) fn with_reserve(limit: usize, reserve: usize) -> Self {
        let limit_of_large = limit.saturating_sub(reserve);
        Self(Arc::new(Shared { limit, limit_of_large, used: AtomicUsize::new(0) }))
    }

    /// For a request that begins.
    pub(crate) fn hold(&self) -> BodyBudget {
        BodyBudget { all: self.clone(), strangers: None, bytes: 0 }
    }

    /// For a request whose sender is not known yet: until it is, its bytes count among those of `strangers` too.
    pub(crate) fn hold_for_stranger(&self, strangers: &Self) -> BodyBudget {
        BodyBudget { all: self.clone(), strangers: Some(strangers.clone()), bytes: 0 }
    }

    /// How many there are.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.0.used.load(Ordering::Relaxed)
    }

    /// Counts `bytes` more for a request that stays small with them, or does not.
    fn grow(&self, bytes: usize, is_small: bool) -> Result<(), BudgetExceeded> {
        let limit = if is_small { self.0.limit } else { self.0.limit_of_large };
        let before = self.0.used.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) <= limit {
            return Ok(());
        }
        self.shrink(bytes);
        Err(BudgetExceeded::ForAll)
    }

    fn shrink(&self, bytes: usize) {
        self.0.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl BodyBudget {
    /// Counts `bytes` more.
    ///
    /// # Errors
    /// [`BudgetExceeded`]; then nothing is counted.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), BudgetExceeded> {
        let is_small = self.bytes.saturating_add(bytes) <= SMALL;
        self.all.grow(bytes, is_small)?;
        if let Some(strangers) = &self.strangers
            && strangers.grow(bytes, is_small).is_err()
        {
            self.all.shrink(bytes);
            return Err(BudgetExceeded::ForStrangers);
        }
        self.bytes += bytes;
        Ok(())
    }

    /// Hands over what is counted, to where it goes on being held. Nothing is left here.
    pub(crate) fn take(&mut self) -> Self {
        let rest = Self { all: self.all.clone(), strangers: self.strangers.clone(), bytes: 0 };
        std::mem::replace(self, rest)
    }

    /// Counts `bytes` less: they were freed.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        self.all.shrink(bytes);
        if let Some(strangers) = &self.strangers {
            strangers.shrink(bytes);
        }
    }

    /// Counts nothing any more: all is freed.
    pub(crate) fn release(&mut self) {
        self.shrink(self.bytes);
    }

    /// The sender is known: its bytes no longer count among those of strangers.
    pub(crate) fn is_known(&mut self) {
        if let Some(strangers) = self.strangers.take() {
            strangers.shrink(self.bytes);
        }
    }

    /// Makes room in `items` for `more` of them, where there will never be more than `most`. What is allocated is
    /// counted, not what is used of it.
    ///
    /// # Errors
    /// [`BudgetExceeded`].
    pub(crate) fn reserve<T>(&mut self, items: &mut Vec<T>, more: usize, most: usize) -> Result<(), BudgetExceeded> {
        let needed = items.len().saturating_add(more);
        let there = items.capacity();
        if needed <= there {
            return Ok(());
        }
        // Twice as much each time, so that what is copied stays a part of what is read.
        let wanted = there.saturating_mul(2).min(most).max(needed);
        self.grow((wanted - there).saturating_mul(size_of::<T>()))?;
        items.reserve_exact(wanted - items.len());
        Ok(())
    }
}

impl Drop for BodyBudget {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
mod tests;
