//! Limits the records that wait for Kafka (P6), by number and by bytes. librdkafka has such a limit too, but applies it
//! record by record, so half of a file could be in Kafka before the limit is reached. This budget takes room for all
//! records of a request or for none. librdkafka also counts only keys and values, which are the smaller part of small
//! events.

use std::sync::atomic::{AtomicUsize, Ordering};

use rdkafka::ClientConfig;

/// The most records that wait for Kafka; 0 means no limit, as in librdkafka.
pub(super) const RECORDS: &str = "queue.buffering.max.messages";
/// The most KiB that wait for Kafka.
pub(super) const KIB: &str = "queue.buffering.max.kbytes";
/// Roughly the bytes that librdkafka uses for a record, without its key, value and headers.
const RECORD_OVERHEAD: usize = 320;
/// Roughly the bytes that it uses for a header, without name and value.
const HEADER_OVERHEAD: usize = 48;

/// The room for waiting records, and how much of it is taken.
#[derive(Debug)]
pub(crate) struct QueueBudget {
    max_records: usize,
    max_bytes: usize,
    records: AtomicUsize,
    /// The bytes of all records, including their overhead.
    bytes: AtomicUsize,
}

/// Room for records that librdkafka does not have yet. Dropping it gives the room back, for example when a sender
/// leaves while its file is being queued.
#[derive(Debug)]
pub(super) struct Unqueued<'b> {
    budget: &'b QueueBudget,
    records: usize,
    /// The bytes of their keys and values.
    bytes: usize,
    /// The overhead of each record.
    each: usize,
}

/// Says why there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BudgetExceeded {
    /// There is no room at the moment.
    Now,
    /// The records never fit: they are more than this, the whole room.
    TooMany(usize),
    /// The records never fit: they have more bytes than this, the whole room.
    TooLarge(usize),
}

impl QueueBudget {
    /// Takes the limits from `config`, and lifts those of librdkafka.
    pub(super) fn of(config: &mut ClientConfig) -> Self {
        let number = |key| config.get(key).and_then(|value| value.trim().parse::<usize>().ok());
        let max_records = number(RECORDS).filter(|records| *records > 0).unwrap_or(usize::MAX);
        let max_bytes = number(KIB).map_or(usize::MAX, |kib| kib.saturating_mul(1024));
        // 0 means no limit; the other is the largest limit that librdkafka accepts.
        config.set(RECORDS, "0").set(KIB, "2147483647");
        Self { max_records, max_bytes, records: AtomicUsize::new(0), bytes: AtomicUsize::new(0) }
    }

    /// Takes room for `records` with `bytes` of keys and values together, and `each` bytes of overhead per record. If
    /// nothing else waits, the overhead need not fit.
    ///
    /// # Errors
    /// [`BudgetExceeded`]. Then nothing is taken.
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

    /// Gives room back.
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
    /// Takes room for `records`, see [`QueueBudget::take`].
    ///
    /// # Errors
    /// [`BudgetExceeded`]. Then nothing is taken.
    pub(super) fn take(
        budget: &'b QueueBudget,
        records: usize,
        bytes: usize,
        each: usize,
    ) -> Result<Self, BudgetExceeded> {
        budget.take(records, bytes, each)?;
        Ok(Self { budget, records, bytes, each })
    }

    /// Notes that librdkafka has one of the records, with `bytes` of key and value. Its room is given back with its
    /// outcome.
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

/// Returns the overhead of a record: the bytes that it takes in addition to key and value. `headers` are the bytes of
/// each header, name and value together.
pub(super) fn overhead(headers: impl Iterator<Item = usize>) -> usize {
    RECORD_OVERHEAD + headers.map(|header| header + HEADER_OVERHEAD).sum::<usize>()
}

#[cfg(test)]
mod tests;
