//! Fills a batch.

use std::time::{Duration, Instant};

use bytes::Bytes;
use kafka::position::{NextOffset, Offset, Partition};
use registry::wire::SchemaId;

use super::{Batch, Item, Origin, Undecodable};
use crate::message::progress::{BatchId, Epoch, Progress};
use crate::message::record::Record;
use crate::message::target::Target;

/// Collects the current batch. Its buffers grow to the size of a batch once and are passed on with it.
#[derive(Clone, Debug, Default)]
pub struct BatchBuilder {
    body: Vec<u8>,
    raw: Vec<u8>,
    items: Vec<Item>,
    targets: Vec<Target>,
    undecodable: Vec<Undecodable>,
    progress: Vec<Progress>,
    /// The number of entries at the start of `progress` that no longer change, because a partition was assigned or
    /// revoked since.
    closed: usize,
    /// When the first record arrived.
    opened: Option<Instant>,
    /// The assigned partitions.
    assigned: Vec<Assigned>,
    /// The overhead of all `Item`s and `Undecodable`s, without their bytes.
    overhead: usize,
}

/// One assignment of a partition.
#[derive(Clone, Copy, Debug)]
struct Assigned {
    partition: Partition,
    /// The epoch that its progress carries.
    epoch: Epoch,
    /// The read position as of the last closed entry of `progress`, or `None` if it is unknown.
    next: Option<NextOffset>,
}

/// One document while it is being written.
#[derive(Debug)]
pub struct Draft<'a> {
    /// The bulk body to append to.
    pub body: &'a mut Vec<u8>,
    targets: &'a mut Vec<Target>,
    target: u32,
    time: i64,
}

impl Draft<'_> {
    /// Sets the document's index to `target` and its placement time to `time`. Returns whether its action line must
    /// name the index.
    pub fn set_target(&mut self, target: &Target, time: i64) -> bool {
        // Most documents go to the same index as the one before, or to the first.
        let known = self.targets.iter().rposition(|known| known == target);
        let number = known.unwrap_or_else(|| {
            self.targets.push(target.clone());
            self.targets.len() - 1
        });
        self.target = u32::try_from(number).unwrap_or(u32::MAX);
        self.time = time;
        self.targets[..number].iter().any(|before| before.route == target.route)
    }
}

impl BatchBuilder {
    /// Notes that `partition` was assigned, or begins again: later records belong to `epoch`. `next` is where reading
    /// begins, if that is known.
    pub fn assign(&mut self, partition: Partition, epoch: Epoch, next: Option<NextOffset>) {
        self.revoke(partition);
        self.assigned.push(Assigned { partition, epoch, next });
    }

    /// Notes that `partition` is no longer assigned. Its records in the batch stay with the assignment they were read
    /// under.
    pub fn revoke(&mut self, partition: Partition) {
        self.close();
        self.assigned.retain(|assigned| assigned.partition != partition);
    }

    /// Returns the read position of `partition`, after its last record, or `None` if it is unknown.
    pub fn next(&self, partition: Partition) -> Option<NextOffset> {
        match self.progress[self.closed..].iter().rev().find(|step| step.partition == partition) {
            Some(step) => Some(step.next),
            None => self.assigned.iter().find(|assigned| assigned.partition == partition)?.next,
        }
    }

    /// Advances `partition` to `next`, past offsets that hold no records.
    pub fn pass(&mut self, partition: Partition, next: NextOffset) {
        let first = self.next(partition).map_or(next.0 - 1, |next| next.0);
        self.advance(partition, Offset(first), next);
    }

    /// Returns whether records of `partition` are in the batch.
    pub fn holds(&self, partition: Partition) -> bool {
        self.progress.iter().any(|step| step.partition == partition)
    }

    /// Appends the document of `record`. `write` appends its action line and document line to the body, and sets its
    /// index. If `write` fails, the batch is unchanged, including its progress.
    ///
    /// # Errors
    /// Those of `write`.
    pub fn append<E>(
        &mut self,
        record: &Record<'_>,
        schema: SchemaId,
        write: impl FnOnce(&mut Draft<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let start = self.body.len();
        let mut draft = Draft { body: &mut self.body, targets: &mut self.targets, target: 0, time: 0 };
        let written = write(&mut draft);
        let (target, time) = (draft.target, draft.time);
        if let Err(error) = written {
            self.body.truncate(start);
            return Err(error);
        }
        let origin = self.keep(record);
        self.items.push(Item { origin, body: start..self.body.len(), schema, target, time, is_twin: false });
        self.overhead += size_of::<Item>();
        self.advance(record.partition, record.offset, record.offset.next());
        Ok(())
    }

    /// Adds `record` as a dead letter, because it cannot become a document.
    pub fn refuse(&mut self, record: &Record<'_>, schema: Option<SchemaId>, error_type: &'static str, reason: String) {
        let origin = self.keep(record);
        self.overhead += size_of::<Undecodable>() + reason.len();
        self.undecodable.push(Undecodable { origin, schema, error_type, reason });
        self.advance(record.partition, record.offset, record.offset.next());
    }

    /// Skips `record`: only its offset moves on.
    pub fn skip(&mut self, record: &Record<'_>) {
        self.advance(record.partition, record.offset, record.offset.next());
    }

    /// Notes when the first record arrived, if there is one and it has not been noted. Calls `now` only then.
    pub fn open_with(&mut self, now: impl FnOnce() -> Instant) {
        if !self.is_empty() && self.opened.is_none() {
            self.opened = Some(now());
        }
    }

    /// Returns when the first record arrived, or `None` for an empty batch.
    pub fn opened(&self) -> Option<Instant> {
        self.opened
    }

    /// Returns how long the first record has waited.
    pub fn age(&self, now: Instant) -> Duration {
        self.opened.map_or(Duration::ZERO, |opened| now.saturating_duration_since(opened))
    }

    /// Returns whether the batch holds no record at all, not even a skipped one.
    pub fn is_empty(&self) -> bool {
        self.progress.is_empty()
    }

    /// Returns the number of documents.
    pub fn documents(&self) -> usize {
        self.items.len()
    }

    /// Returns the number of records for the dead-letter topic.
    pub fn undecodable(&self) -> usize {
        self.undecodable.len()
    }

    /// Returns the size of the bulk body in bytes.
    pub fn body_bytes(&self) -> usize {
        self.body.len()
    }

    /// Returns how many bytes it holds: body, records and the overhead of each.
    pub fn held_bytes(&self) -> usize {
        self.body.len() + self.raw.len() + self.overhead
    }

    /// Returns the batch and starts the next one with the same capacity.
    pub fn take(&mut self, id: BatchId) -> Batch {
        let (body, raw, items) = (self.body.len(), self.raw.len(), self.items.len());
        self.close();
        self.closed = 0;
        self.opened = None;
        self.overhead = 0;
        Batch {
            id,
            body: Bytes::from(std::mem::replace(&mut self.body, Vec::with_capacity(body))),
            items: std::mem::replace(&mut self.items, Vec::with_capacity(items)),
            targets: std::mem::take(&mut self.targets),
            raw: Bytes::from(std::mem::replace(&mut self.raw, Vec::with_capacity(raw))),
            undecodable: std::mem::take(&mut self.undecodable),
            progress: std::mem::take(&mut self.progress),
        }
    }

    fn keep(&mut self, record: &Record<'_>) -> Origin {
        let start = self.raw.len();
        self.raw.extend_from_slice(record.key.unwrap_or_default());
        let middle = self.raw.len();
        self.raw.extend_from_slice(record.value.unwrap_or_default());
        let end = self.raw.len();
        self.raw.extend_from_slice(record.headers.as_bytes());
        Origin {
            partition: record.partition,
            offset: record.offset,
            timestamp: record.timestamp,
            key: record.key.map(|_| start..middle),
            value: middle..end,
            headers: end..self.raw.len(),
        }
    }

    fn advance(&mut self, partition: Partition, first: Offset, next: NextOffset) {
        if let Some(step) = self.progress[self.closed..].iter_mut().rev().find(|step| step.partition == partition) {
            step.next = next;
            return;
        }
        let epoch = self.assigned.iter().find(|assigned| assigned.partition == partition);
        debug_assert!(epoch.is_some(), "a record of partition {partition} that is not assigned");
        let epoch = epoch.map_or(Epoch(0), |assigned| assigned.epoch);
        self.progress.push(Progress { partition, epoch, first, next });
    }

    /// Closes the entries of `progress`: later records get new entries.
    fn close(&mut self) {
        for step in &self.progress[self.closed..] {
            let same = |assigned: &&mut Assigned| assigned.partition == step.partition && assigned.epoch == step.epoch;
            if let Some(assigned) = self.assigned.iter_mut().find(same) {
                assigned.next = Some(step.next);
            }
        }
        self.closed = self.progress.len();
    }
}
