//! What may wait for Kafka at a time (P6), in records and in bytes. librdkafka has such a limit too, but says so only
//! when a record is queued: half a file would be in Kafka by then. So the room is taken here, for all records of a
//! request or for none.

use std::sync::atomic::{AtomicUsize, Ordering};

use rdkafka::ClientConfig;

/// The records that wait for Kafka at a time, at most; 0 means no limit, as librdkafka has it.
pub(super) const RECORDS: &str = "queue.buffering.max.messages";
/// The KiB that wait for Kafka at a time, at most: keys, values and headers, and [`OVERHEAD`] for each record.
pub(super) const KIB: &str = "queue.buffering.max.kbytes";

/// About what librdkafka keeps of each record besides the bytes of its key, value and headers: its message, and an
/// entry for each of three headers. Of small records it is more than they are.
const OVERHEAD: usize = 512;

/// The room, and what is taken of it.
#[derive(Debug)]
pub(crate) struct QueueBudget {
    max_records: usize,
    max_bytes: usize,
    records: AtomicUsize,
    bytes: AtomicUsize,
}

/// Room for records that librdkafka does not have yet. It is given back when this is dropped, as it is when a sender
/// leaves while its file is being queued.
#[derive(Debug)]
pub(super) struct Unqueued<'b> {
    budget: &'b QueueBudget,
    records: usize,
    bytes: usize,
}

/// Why there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BudgetExceeded {
    /// At the moment.
    Now,
    /// Ever: so many records are more than the whole room, which is of this many.
    TooMany(usize),
    /// Ever: so many bytes are more than the whole room, which is of this many.
    TooLarge(usize),
}

/// Returns the bytes of room that a record takes whose key and value together, and whose headers, are of these bytes.
pub(super) fn room_of(event: usize, headers: usize) -> usize {
    event + headers + OVERHEAD
}

/// Returns the bytes of headers, given by the lengths of their names and values.
pub(super) fn headers_room(headers: impl Iterator<Item = (usize, usize)>) -> usize {
    headers.map(|(name, value)| name + value).sum()
}

impl QueueBudget {
    /// As large as `config` says, whose own limits are lifted.
    pub(super) fn of(config: &mut ClientConfig) -> Self {
        let number = |key| config.get(key).and_then(|value| value.trim().parse::<usize>().ok());
        let max_records = number(RECORDS).filter(|records| *records > 0).unwrap_or(usize::MAX);
        let max_bytes = number(KIB).map_or(usize::MAX, |kib| kib.saturating_mul(1024));
        // No limit, and the largest that there is.
        config.set(RECORDS, "0").set(KIB, "2147483647");
        Self { max_records, max_bytes, records: AtomicUsize::new(0), bytes: AtomicUsize::new(0) }
    }

    /// Takes room for `records` of `bytes` together.
    ///
    /// # Errors
    /// [`BudgetExceeded`]; nothing is taken then.
    pub(super) fn take(&self, records: usize, bytes: usize) -> Result<(), BudgetExceeded> {
        if records > self.max_records {
            return Err(BudgetExceeded::TooMany(self.max_records));
        }
        if bytes > self.max_bytes {
            return Err(BudgetExceeded::TooLarge(self.max_bytes));
        }
        if self.records.fetch_add(records, Ordering::AcqRel).saturating_add(records) > self.max_records {
            self.records.fetch_sub(records, Ordering::AcqRel);
            return Err(BudgetExceeded::Now);
        }
        if self.bytes.fetch_add(bytes, Ordering::AcqRel).saturating_add(bytes) > self.max_bytes {
            self.give_back(records, bytes);
            return Err(BudgetExceeded::Now);
        }
        Ok(())
    }

    /// Gives back what was taken.
    pub(super) fn give_back(&self, records: usize, bytes: usize) {
        self.records.fetch_sub(records, Ordering::AcqRel);
        self.bytes.fetch_sub(bytes, Ordering::AcqRel);
    }

    /// Returns how many records wait.
    pub(super) fn records(&self) -> usize {
        self.records.load(Ordering::Relaxed)
    }
}

impl<'b> Unqueued<'b> {
    /// Takes room for `records` of `bytes` together.
    ///
    /// # Errors
    /// [`BudgetExceeded`]; nothing is taken then.
    pub(super) fn take(budget: &'b QueueBudget, records: usize, bytes: usize) -> Result<Self, BudgetExceeded> {
        budget.take(records, bytes)?;
        Ok(Self { budget, records, bytes })
    }

    /// Notes that librdkafka has one of the records, of `bytes`. Its room is given back with its outcome.
    pub(super) fn queued(&mut self, bytes: usize) {
        self.records -= 1;
        self.bytes -= bytes;
    }
}

impl Drop for Unqueued<'_> {
    fn drop(&mut self) {
        self.budget.give_back(self.records, self.bytes);
    }
}

#[cfg(test)]
mod tests;
