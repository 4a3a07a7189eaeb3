//! How much may be held at a time (P6): the two bounds and their hysteresis. Pure.

/// What is held against what may be held.
#[derive(Debug)]
pub(super) struct MemoryBudget {
    max_bytes: usize,
    max_batches: usize,
    bytes: usize,
    batches: usize,
}

impl MemoryBudget {
    /// Nothing held. `max_bytes` over all batches; `max_batches` in flight at a time.
    pub(super) fn new(max_bytes: usize, max_batches: usize) -> Self {
        Self { max_bytes, max_batches, bytes: 0, batches: 0 }
    }

    /// A batch of `bytes` is in flight.
    pub(super) fn start(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.batches += 1;
    }

    /// A batch of `bytes` is settled.
    pub(super) fn finish(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
        self.batches = self.batches.saturating_sub(1);
    }

    /// Of a batch in flight a few documents are left, which were set aside: it has let go of `freed` bytes, and of its
    /// place among the batches.
    pub(super) fn set_aside(&mut self, freed: usize) {
        self.finish(freed);
    }

    /// What was set aside, of `bytes`, is settled.
    pub(super) fn finish_set_aside(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// Bytes of the batches in flight.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Batches in flight.
    pub(super) fn batches(&self) -> usize {
        self.batches
    }

    /// Returns whether another batch may be sent on its way.
    pub(super) fn has_batch(&self) -> bool {
        self.batches < self.max_batches
    }

    /// Returns whether more records may be taken, with `filling` bytes in the batch being filled.
    pub(super) fn has_bytes(&self, filling: usize) -> bool {
        self.bytes + filling < self.max_bytes
    }

    /// Returns whether so much has drained that consuming may go on after a pause: half of either bound. A pause
    /// discards what the client has fetched ahead, so it must not alternate with consuming batch by batch.
    pub(super) fn has_drained(&self, filling: usize) -> bool {
        self.bytes + filling <= self.max_bytes / 2 && self.batches <= self.max_batches / 2
    }
}

#[cfg(test)]
mod tests;
