//! How much may be held at a time (P6): the two bounds and their hysteresis. Pure.

/// What is held against what may be held.
#[derive(Debug)]
pub(super) struct Room {
    max_bytes: usize,
    max_batches: usize,
    bytes: usize,
    batches: usize,
}

impl Room {
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
    pub(super) fn finish_aside(&mut self, bytes: usize) {
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
mod tests {
    use super::*;

    #[test]
    fn bytes_and_batches_are_bounds_of_their_own() {
        let mut room = Room::new(100, 2);
        assert!(room.has_batch() && room.has_bytes(99) && !room.has_bytes(100));
        room.start(60);
        assert!(room.has_batch() && !room.has_bytes(40));
        room.start(30);
        assert!(!room.has_batch());
        room.finish(60);
        assert!(room.has_batch() && room.has_bytes(69));
    }

    #[test]
    fn what_is_set_aside_takes_bytes_but_no_batchs_place() {
        let mut room = Room::new(100, 1);
        room.start(60);
        room.set_aside(50);
        assert!(room.has_batch());
        assert_eq!((room.bytes(), room.batches()), (10, 0));
        room.start(60);
        room.finish_aside(10);
        assert_eq!((room.bytes(), room.batches()), (60, 1));
    }

    #[test]
    fn it_has_drained_at_half() {
        let mut room = Room::new(100, 4);
        for _ in 0..3 {
            room.start(30);
        }
        assert!(!room.has_drained(0));
        room.finish(30);
        assert!(!room.has_drained(0), "60 bytes are more than half");
        room.finish(30);
        assert!(room.has_drained(20) && !room.has_drained(21));
    }
}
