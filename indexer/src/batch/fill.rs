//! A batch while it is being filled.

use std::time::{Duration, Instant};

use bytes::Bytes;
use shared::position::Partition;
use shared::wire::SchemaId;

use super::{Batch, BatchId, Epoch, Item, Origin, Progress, Undecodable};
use crate::place::Target;
use crate::record::Record;

/// The batch being filled. Its buffers grow to the size of a batch once and are handed on with it.
#[derive(Debug, Default)]
pub struct Filling {
    body: Vec<u8>,
    raw: Vec<u8>,
    items: Vec<Item>,
    targets: Vec<Target>,
    undecodable: Vec<Undecodable>,
    progress: Vec<Progress>,
    /// When the first record came in.
    opened: Option<Instant>,
    /// The epoch of each assigned partition, which its progress carries.
    epochs: Vec<(Partition, Epoch)>,
    /// What is written with one `Item` or `Undecodable` beyond its bytes.
    overhead: usize,
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
    /// Notes that the document of placement time `time` goes to `target`. Gives whether its action line has to name that index.
    pub fn land(&mut self, target: &Target, time: i64) -> bool {
        // Most go where the one before went, or to the first.
        let known = self.targets.iter().rposition(|known| known == target);
        let number = known.unwrap_or_else(|| {
            self.targets.push(target.clone());
            self.targets.len() - 1
        });
        self.target = u32::try_from(number).unwrap_or(u32::MAX);
        self.time = time;
        number > 0
    }
}

impl Filling {
    /// Notes that `partition` was assigned: its records belong to `epoch` from now on.
    pub fn assign(&mut self, partition: Partition, epoch: Epoch) {
        self.revoke(partition);
        self.epochs.push((partition, epoch));
    }

    /// Notes that `partition` is no longer assigned. Its records are expected to be out of the batch by now.
    pub fn revoke(&mut self, partition: Partition) {
        self.epochs.retain(|(assigned, _)| *assigned != partition);
    }

    /// Appends the document of `record`: `write` appends its action line and its document line to the body, and says where it lands. When
    /// `write` fails, the batch is as it was, its progress too.
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
        self.advance(record);
        Ok(())
    }

    /// Adds `record` as a dead letter: no document can be made of it.
    pub fn refuse(&mut self, record: &Record<'_>, schema: Option<SchemaId>, error_type: &'static str, reason: String) {
        let origin = self.keep(record);
        self.overhead += size_of::<Undecodable>() + reason.len();
        self.undecodable.push(Undecodable { origin, schema, error_type, reason });
        self.advance(record);
    }

    /// Passes over `record`: there is nothing to do but to move the offset past it.
    pub fn skip(&mut self, record: &Record<'_>) {
        self.advance(record);
    }

    /// Notes when the first record came in, if it has not been noted.
    pub fn opened_at(&mut self, now: Instant) {
        if !self.is_empty() && self.opened.is_none() {
            self.opened = Some(now);
        }
    }

    /// How long the first record has been waiting.
    pub fn age(&self, now: Instant) -> Duration {
        self.opened.map_or(Duration::ZERO, |opened| now.saturating_duration_since(opened))
    }

    /// Whether there is no record at all in it, not even one that is skipped.
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

    fn advance(&mut self, record: &Record<'_>) {
        let next = record.offset.next();
        if let Some(progress) = self.progress.iter_mut().rev().find(|p| p.partition == record.partition) {
            progress.next = next;
            return;
        }
        let epoch = self.epochs.iter().find(|(partition, _)| *partition == record.partition);
        debug_assert!(epoch.is_some(), "a record of partition {} that is not assigned", record.partition);
        let epoch = epoch.map_or(Epoch(0), |(_, epoch)| *epoch);
        self.progress.push(Progress { partition: record.partition, epoch, next });
    }
}
