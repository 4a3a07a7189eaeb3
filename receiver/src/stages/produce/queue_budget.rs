//! What may wait for Kafka at a time (P6), in records and in bytes. librdkafka has such a limit too, but says so only
//! when a record is queued: half a file would be in Kafka by then. So the room is taken here, for all records of a
//! request or for none. And librdkafka counts keys and values alone, of which small events have few beside the rest.

use std::sync::atomic::{AtomicUsize, Ordering};

use rdkafka::ClientConfig;

/// The records that wait for Kafka at a time, at most; 0 means no limit, as librdkafka has it.
pub(super) const RECORDS: &str = "queue.buffering.max.messages";
/// The KiB that wait for Kafka at a time, at most.
pub(super) const KIB: &str = "queue.buffering.max.kbytes";
/// The bytes that librdkafka takes for a record, beside its key, its value and its headers, about.
const EACH: usize = 320;
/// The bytes that it takes for a header, beside name and value, about.
const EACH_HEADER: usize = 48;

/// The room, and what is taken of it.
#[derive(Debug)]
pub(crate) struct QueueBudget {
    max_records: usize,
    max_bytes: usize,
    records: AtomicUsize,
    /// With what each record takes beside its key and value.
    bytes: AtomicUsize,
}

/// Room for records that librdkafka does not have yet. It is given back when this is dropped, as it is when a sender
/// leaves while its file is being queued.
#[derive(Debug)]
pub(super) struct Unqueued<'b> {
    budget: &'b QueueBudget,
    records: usize,
    /// Of keys and values.
    bytes: usize,
    /// What each record takes besides.
    each: usize,
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

    /// Takes room for `records` whose keys and values are of `bytes` together, and that take `each` besides. Where nothing
    /// else waits, what they take besides need not fit.
    ///
    /// # Errors
    /// [`BudgetExceeded`]; nothing is taken then.
    pub(super) fn take(&self, records: usize, bytes: usize, each: usize) -> Result<(), BudgetExceeded> {
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
        let all = bytes.saturating_add(records.saturating_mul(each));
        let before = self.bytes.fetch_add(all, Ordering::AcqRel);
        if before > 0 && before.saturating_add(all) > self.max_bytes {
            self.give_back(records, bytes, each);
            return Err(BudgetExceeded::Now);
        }
        Ok(())
    }

    /// Gives back what was taken.
    pub(super) fn give_back(&self, records: usize, bytes: usize, each: usize) {
        self.records.fetch_sub(records, Ordering::AcqRel);
        self.bytes.fetch_sub(bytes.saturating_add(records.saturating_mul(each)), Ordering::AcqRel);
    }

    /// Returns how many records wait.
    pub(super) fn records(&self) -> usize {
        self.records.load(Ordering::Relaxed)
    }
}

impl<'b> Unqueued<'b> {
    /// Takes room for `records`, as [`QueueBudget::take`].
    ///
    /// # Errors
    /// [`BudgetExceeded`]; nothing is taken then.
    pub(super) fn take(
        budget: &'b QueueBudget,
        records: usize,
        bytes: usize,
        each: usize,
    ) -> Result<Self, BudgetExceeded> {
        budget.take(records, bytes, each)?;
        Ok(Self { budget, records, bytes, each })
    }

    /// Notes that librdkafka has one of the records, with a key and a value of `bytes`. Its room is given back with its outcome.
    pub(super) fn queued(&mut self, bytes: usize) {
        self.records -= 1;
        self.bytes -= bytes;
    }
}

impl Drop for Unqueued<'_> {
    fn drop(&mut self) {
        self.budget.give_back(self.records, self.bytes, self.each);
    }
}

/// Returns the bytes that a record takes beside its key and value, with headers of which these are the bytes of each,
/// name and value together.
pub(super) fn beside(headers: impl Iterator<Item = usize>) -> usize {
    EACH + headers.map(|header| header + EACH_HEADER).sum::<usize>()
}

#[cfg(test)]
mod tests;
