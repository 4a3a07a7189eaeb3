//! A batch while it is being filled.

use std::time::{Duration, Instant};

use bytes::Bytes;
use kafka::position::{NextOffset, Offset, Partition};
use registry::wire::SchemaId;

use super::{Batch, Item, Origin, Undecodable};
use crate::message::progress::{BatchId, Epoch, Progress};
use crate::message::record::Record;
use crate::message::target::Target;

/// The batch being filled. Its buffers grow to the size of a batch once and are handed on with it.
#[derive(Debug, Default)]
pub struct BatchBuilder {
    body: Vec<u8>,
    raw: Vec<u8>,
    items: Vec<Item>,
    targets: Vec<Target>,
    undecodable: Vec<Undecodable>,
    progress: Vec<Progress>,
    /// Entries of `progress` before this one stay as they are: a partition was assigned or revoked since.
    closed: usize,
    /// When the first record came in.
    opened: Option<Instant>,
    /// The assigned partitions.
    assigned: Vec<Assigned>,
    /// What is written with one `Item` or `Undecodable` beyond its bytes.
    overhead: usize,
}

/// One assignment of a partition.
#[derive(Clone, Copy, Debug)]
struct Assigned {
    partition: Partition,
    /// Which its progress carries.
    epoch: Epoch,
    /// Where reading stands, as of the last entry of `progress` that is closed or handed on; none while that is
    /// unknown.
    next: Option<NextOffset>,
}

/// One document while it is written.
#[derive(Debug)]
pub struct Draft<'a> {
    /// The bulk body, to append to.
    pub body: &'a mut Vec<u8>,
    targets: &'a mut Vec<Target>,
    target: u32,
    time: i64,
}

impl Draft<'_> {
    /// Notes that the document of placement time `time` goes to `target`. Returns whether its action line has to name
    /// that index.
    pub fn set_target(&mut self, target: &Target, time: i64) -> bool {
        // Most go where the one before went, or to the first.
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
    /// Notes that `partition` was assigned, or begins again: its records belong to `epoch` from now on. `next` is where
    /// reading begins, if that is known.
    pub fn assign(&mut self, partition: Partition, epoch: Epoch, next: Option<NextOffset>) {
        self.revoke(partition);
        self.assigned.push(Assigned { partition, epoch, next });
    }

    /// Notes that `partition` is no longer assigned. Records of it that are in the batch stay with the assignment they
    /// were read under.
    pub fn revoke(&mut self, partition: Partition) {
        self.close();
        self.assigned.retain(|assigned| assigned.partition != partition);
    }

    /// Returns where reading of `partition` stands: past its last record that came in; none where that is unknown.
    pub fn next(&self, partition: Partition) -> Option<NextOffset> {
        match self.progress[self.closed..].iter().rev().find(|step| step.partition == partition) {
            Some(step) => Some(step.next),
            None => self.assigned.iter().find(|assigned| assigned.partition == partition)?.next,
        }
    }

    /// Passes over what stands between the last record of `partition` and `next`: there is no record there.
    pub fn pass(&mut self, partition: Partition, next: NextOffset) {
        let first = self.next(partition).map_or(next.0 - 1, |next| next.0);
        self.advance(partition, Offset(first), next);
    }

    /// Returns whether records of `partition` are in the batch.
    pub fn holds(&self, partition: Partition) -> bool {
        self.progress.iter().any(|step| step.partition == partition)
    }

    /// Appends the document of `record`: `write` appends its action line and its document line to the body, and says
    /// where it lands. When `write` fails, the batch is as it was, its progress too.
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
        self.items.push(Item { origin, body: start..self.body.len(), schema, target, time });
        self.overhead += size_of::<Item>();
        self.advance(record.partition, record.offset, record.offset.next());
        Ok(())
    }

    /// Adds `record` as a dead letter: no document can be made of it.
    pub fn refuse(&mut self, record: &Record<'_>, schema: Option<SchemaId>, error_type: &'static str, reason: String) {
        let origin = self.keep(record);
        self.overhead += size_of::<Undecodable>() + reason.len();
        self.undecodable.push(Undecodable { origin, schema, error_type, reason });
        self.advance(record.partition, record.offset, record.offset.next());
    }

    /// Passes over `record`: there is nothing to do but to move the offset past it.
    pub fn skip(&mut self, record: &Record<'_>) {
        self.advance(record.partition, record.offset, record.offset.next());
    }

    /// Notes when the first record came in, if there is one and it has not been noted: `now` is asked only then.
    pub fn open_with(&mut self, now: impl FnOnce() -> Instant) {
        if !self.is_empty() && self.opened.is_none() {
            self.opened = Some(now());
        }
    }

    /// Returns when the first record came in; none for an empty batch.
    pub fn opened(&self) -> Option<Instant> {
        self.opened
    }

    /// Returns how long the first record has been waiting.
    pub fn age(&self, now: Instant) -> Duration {
        self.opened.map_or(Duration::ZERO, |opened| now.saturating_duration_since(opened))
    }

    /// Returns whether there is no record at all in it, not even one that is skipped.
    pub fn is_empty(&self) -> bool {
        self.progress.is_empty()
    }

    /// Documents in it.
    pub fn documents(&self) -> usize {
        self.items.len()
    }

    /// Records in it that go to the dead-letter topic.
    pub fn undecodable(&self) -> usize {
        self.undecodable.len()
    }

    /// Bytes of the bulk body.
    pub fn body_bytes(&self) -> usize {
        self.body.len()
    }

    /// Bytes it holds in all: body, records and what is kept of each.
    pub fn held_bytes(&self) -> usize {
        self.body.len() + self.raw.len() + self.overhead
    }

    /// Hands the batch on and starts the next one, with room for as much.
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

    /// Ends the entries of `progress`: what comes in from now on gets entries of its own.
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
