//! The bytes of memory that requests hold (P6): bodies as sent and as decompressed, the events of files, and the
//! working memory of decompression. Bytes are counted before they are allocated. An announced length counts nothing, so
//! it takes no memory from other requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A request that holds at most this many bytes counts as small.
const SMALL: usize = 64 * 1024;

/// Limits the bytes of all requests together. Clones share one count.
#[derive(Clone, Debug)]
pub(crate) struct MemoryBudget(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limit: usize,
    /// The limit for requests that hold more than [`SMALL`].
    limit_of_large: usize,
    used: AtomicUsize,
}

/// The bytes of one request. Dropping it gives them back.
#[derive(Debug)]
pub(crate) struct BodyBudget {
    all: MemoryBudget,
    /// While the sender is unknown, the bytes count here too.
    strangers: Option<MemoryBudget>,
    bytes: usize,
}

/// Says that requests would hold more than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BudgetExceeded {
    /// The limit of all requests.
    #[error("no memory is left within the limit")]
    ForAll,
    /// The limit of requests whose sender is unknown.
    #[error("no memory is left within the limit")]
    ForStrangers,
    /// The request alone would hold more than this, the limit. It never fits.
    #[error("the request takes more than the {0} bytes of memory that one request may hold")]
    Never(usize),
}

impl MemoryBudget {
    /// Creates an empty budget of `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self::with_reserve(limit, 0)
    }

    /// Creates an empty budget of `limit` bytes. Only small requests may use the last `reserve` bytes, so that a few
    /// large requests do not keep them out.
    pub(crate) fn with_reserve(limit: usize, reserve: usize) -> Self {
        let limit_of_large = limit.saturating_sub(reserve);
        Self(Arc::new(Shared { limit, limit_of_large, used: AtomicUsize::new(0) }))
    }

    /// Returns the budget of a new request. It holds nothing yet.
    pub(crate) fn hold(&self) -> BodyBudget {
        BodyBudget { all: self.clone(), strangers: None, bytes: 0 }
    }

    /// Returns the budget of a request whose sender is unknown. Until the sender is known, its bytes count in
    /// `strangers` too.
    pub(crate) fn hold_for_stranger(&self, strangers: &Self) -> BodyBudget {
        BodyBudget { all: self.clone(), strangers: Some(strangers.clone()), bytes: 0 }
    }

    /// Returns the limit for one request.
    fn limit(&self, is_small: bool) -> usize {
        if is_small { self.0.limit } else { self.0.limit_of_large }
    }

    /// Returns the number of bytes held.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.0.used.load(Ordering::Relaxed)
    }

    /// Counts `bytes` more. `is_small` says whether the request is still small with them.
    fn grow(&self, bytes: usize, is_small: bool) -> Result<(), BudgetExceeded> {
        let limit = self.limit(is_small);
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
        let held = self.bytes.saturating_add(bytes);
        let is_small = held <= SMALL;
        let limit = self.all.limit(is_small);
        if held > limit {
            return Err(BudgetExceeded::Never(limit));
        }
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

    /// Returns the number of bytes counted.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Moves the counted bytes to a new budget, for memory that another owner holds. This one is left empty.
    pub(crate) fn take(&mut self) -> Self {
        let rest = Self { all: self.all.clone(), strangers: self.strangers.clone(), bytes: 0 };
        std::mem::replace(self, rest)
    }

    /// Counts `bytes` less, after they were freed.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        self.all.shrink(bytes);
        if let Some(strangers) = &self.strangers {
            strangers.shrink(bytes);
        }
    }

    /// Counts nothing any more, after all was freed.
    pub(crate) fn release(&mut self) {
        self.shrink(self.bytes);
    }

    /// Notes that the sender is known: the bytes no longer count among those of strangers.
    pub(crate) fn set_known(&mut self) {
        if let Some(strangers) = self.strangers.take() {
            strangers.shrink(self.bytes);
        }
    }

    /// Makes room in `items` for `more` of them. There will never be more than `most`. Counts the whole allocation,
    /// used or not.
    ///
    /// # Errors
    /// [`BudgetExceeded`].
    pub(crate) fn reserve<T>(&mut self, items: &mut Vec<T>, more: usize, most: usize) -> Result<(), BudgetExceeded> {
        let needed = items.len().saturating_add(more);
        let there = items.capacity();
        if needed <= there {
            return Ok(());
        }
        // Doubling keeps the cost of copying proportional to what is read. But no request gets more than its limit.
        let room = self.all.limit(false).saturating_sub(self.bytes) / size_of::<T>().max(1);
        let wanted = there.saturating_mul(2).min(most).min(there.saturating_add(room)).max(needed);
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
