//! Limits how much is held at a time (P6): two bounds with hysteresis. Pure.

/// Compares what is held with the limits.
#[derive(Debug)]
pub(super) struct MemoryBudget {
    max_bytes: usize,
    max_batches: usize,
    bytes: usize,
    batches: usize,
}

impl MemoryBudget {
    /// Creates an empty budget: `max_bytes` over all batches, and `max_batches` in flight at a time.
    pub(super) fn new(max_bytes: usize, max_batches: usize) -> Self {
        Self { max_bytes, max_batches, bytes: 0, batches: 0 }
    }

    /// Notes that a batch of `bytes` is in flight.
    pub(super) fn start(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.batches += 1;
    }

    /// Notes that a batch of `bytes` is settled.
    pub(super) fn finish(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
        self.batches = self.batches.saturating_sub(1);
    }

    /// Notes that a batch in flight is settled except for documents that were set aside. It has freed `freed` bytes
    /// and its place among the batches.
    pub(super) fn set_aside(&mut self, freed: usize) {
        self.finish(freed);
    }

    /// Notes that the documents that were set aside, with `bytes`, are settled.
    pub(super) fn finish_set_aside(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// Returns the bytes of the batches in flight.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns the number of batches in flight.
    pub(super) fn batches(&self) -> usize {
        self.batches
    }

    /// Returns whether another batch may be sent.
    pub(super) fn has_batch(&self) -> bool {
        self.batches < self.max_batches
    }

    /// Returns whether more records may be taken, with `filling` bytes in the current batch.
    pub(super) fn has_bytes(&self, filling: usize) -> bool {
        self.bytes + filling < self.max_bytes
    }

    /// Returns whether enough has drained to resume after a pause: down to half of each bound. A pause discards what
    /// the client has prefetched, so pauses must not alternate with single batches.
    pub(super) fn has_drained(&self, filling: usize) -> bool {
        self.bytes + filling <= self.max_bytes / 2 && self.batches <= self.max_batches / 2
    }
}

#[cfg(test)]
mod tests;
