//! One indexer: its real books, and what surrounds them in the consuming thread.

use std::convert::Infallible;
use std::hash::{Hash, Hasher};
use std::sync::LazyLock;
use std::time::Instant;

use indexer::batch::BatchBuilder;
use indexer::consume::books::Books;
use indexer::consume::need::Need;
use indexer::decode::Decoded;
use indexer::message::progress::{Epoch, Progress};
use indexer::message::record::{Headers, Record};
use kafka::position::{NextOffset, Offset, Partition};
use registry::wire::SchemaId;

/// Time plays no part in this model.
static NOW: LazyLock<Instant> = LazyLock::new(Instant::now);
/// What [`Entry::Waiting`] waits for.
const SCHEMA: SchemaId = SchemaId(1);

/// What is at one offset of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Entry {
    /// A record that becomes a document.
    Document,
    /// A record whose document is set aside first.
    Doubtful,
    /// A record whose schema is not in memory.
    Waiting,
    /// A record without a value.
    Tombstone,
    /// No record: the end of a transaction.
    Control,
}

/// One indexer.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) books: Books,
    /// What the current batch was filled with: partitions, the numbers of their assignments, and offsets.
    filled: Vec<(usize, u64, i64)>,
    /// The number of the last assignment, and of that of each partition.
    last_assignment: u64,
    assignments: Vec<u64>,
    /// Where the client reads on, in partitions that are assigned.
    pub(super) positions: Vec<Option<i64>>,
    /// The last assignment of each partition that has ended.
    ended: Vec<Option<Epoch>>,
    pub(super) is_fetching: bool,
    has_schema: bool,
    pub(super) tasks: Vec<Task>,
    /// The offsets of the commit that is in flight.
    pub(super) committing: Option<Vec<(usize, i64)>>,
    /// The partition that the group has asked for.
    pub(super) draining: Option<usize>,
}

/// A batch in flight.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Task {
    pub(super) progress: Vec<Progress>,
    pub(super) records: Vec<(usize, i64)>,
    /// The records whose documents are set aside.
    pub(super) open: Vec<(usize, i64)>,
    pub(super) stage: Stage,
}

/// How far a batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Stage {
    Sent,
    SetAside,
    Settled,
}

impl Member {
    pub(super) fn new(partitions: usize) -> Self {
        Self {
            books: Books::default(),
            filled: Vec::new(),
            last_assignment: 0,
            assignments: vec![0; partitions],
            positions: vec![None; partitions],
            ended: vec![None; partitions],
            is_fetching: false,
            has_schema: false,
            tasks: Vec::new(),
            committing: None,
            draining: None,
        }
    }

    pub(super) fn assign(&mut self, partition: usize, committed: i64) {
        self.books.assign(number(partition), Some(NextOffset(committed)));
        self.last_assignment += 1;
        self.assignments[partition] = self.last_assignment;
        self.positions[partition] = Some(committed);
    }

    pub(super) fn revoke(&mut self, partition: usize) {
        self.ended[partition] = self.books.revoke(number(partition)).or(self.ended[partition]);
        self.positions[partition] = None;
    }

    /// Takes `entry`, which the client has read.
    pub(super) fn take(&mut self, partition: usize, entry: Entry) {
        let Some(offset) = self.positions[partition] else { return };
        self.positions[partition] = Some(offset + 1);
        if entry == Entry::Control {
            return;
        }
        let (value, has_schema) = ([entry.as_byte()], self.has_schema);
        let record = Record {
            partition: number(partition),
            offset: Offset(offset),
            timestamp: None,
            key: None,
            value: Some(&value),
            headers: Headers::from_bytes(&[]),
        };
        let waits = self.books.take(&record, &mut |record, batch| decode(record, batch, has_schema));
        if !self.is_parked(partition) {
            self.fill(partition, offset);
        }
        self.is_fetching |= waits.is_some_and(|waits| waits.ask);
    }

    /// Takes the records that waited for the schema, which has arrived.
    pub(super) fn take_schema(&mut self) {
        (self.is_fetching, self.has_schema) = (false, true);
        for (partition, records) in self.books.parked.release(Need::Schema(SCHEMA)) {
            self.books.take_again(&records, &mut |record, batch| decode(record, batch, true));
            let partition = usize::try_from(partition.0).unwrap_or_default();
            for record in &records {
                self.fill(partition, record.as_record().offset.0);
            }
        }
    }

    /// Returns whether the partition can move past offsets without a record, as `Partitions::pass` decides: not while
    /// a record of it waits, unless `is_broken`.
    pub(super) fn can_pass(&self, partition: usize, is_broken: bool) -> bool {
        let next = self.books.builder.next(number(partition));
        let is_behind = self.positions[partition].is_some_and(|position| next.is_some_and(|next| next.0 < position));
        is_behind && (is_broken || !self.is_parked(partition))
    }

    pub(super) fn pass(&mut self, partition: usize) {
        if let Some(position) = self.positions[partition] {
            self.books.builder.pass(number(partition), NextOffset(position));
            self.fill(partition, position);
        }
    }

    /// Sends the current batch, whose records have the entries that `entry_of` returns.
    pub(super) fn dispatch(&mut self, entry_of: impl Fn(usize, i64) -> Option<Entry>) {
        let filled = std::mem::take(&mut self.filled);
        let Some(batch) = self.books.dispatch(*NOW) else { return };
        let is_document = |entry: Entry| !matches!(entry, Entry::Tombstone | Entry::Control);
        let mut records: Vec<(usize, i64)> =
            filled.iter().map(|(partition, _, offset)| (*partition, *offset)).collect();
        records.retain(|(partition, offset)| entry_of(*partition, *offset).is_some_and(is_document));
        self.tasks.push(Task { progress: batch.progress, records, open: Vec::new(), stage: Stage::Sent });
    }

    /// Returns whether the document of `record` in `task` is given up, because its assignment has ended. With
    /// `is_broken`, another assignment of the same partition counts.
    pub(super) fn is_given_up(&self, task: &Task, (partition, offset): (usize, i64), is_broken: bool) -> bool {
        let of_any = || task.progress.iter().find(|step| step.partition == number(partition)).map(|step| step.epoch);
        let epoch = match is_broken {
            true => of_any(),
            false => Progress::epoch_of(&task.progress, number(partition), Offset(offset)),
        };
        epoch.is_some_and(|epoch| self.ended[partition].is_some_and(|ended| ended >= epoch))
    }

    pub(super) fn is_parked(&self, partition: usize) -> bool {
        self.books.parked.holds(number(partition))
    }

    /// Returns where the current batch ends in `partition`.
    pub(super) fn read_up_to(&self, partition: usize) -> Option<i64> {
        self.books.builder.next(number(partition)).map(|next| next.0)
    }

    /// Returns what the ledger hands out for a commit.
    pub(super) fn take_commits(&mut self) -> Vec<(usize, i64)> {
        let commits = self.books.ledger.take_commits();
        commits.iter().map(|(partition, next)| (usize::try_from(partition.0).unwrap_or_default(), next.0)).collect()
    }

    fn fill(&mut self, partition: usize, offset: i64) {
        self.filled.push((partition, self.assignments[partition], offset));
    }

    /// Returns all that determines what the member does next. The records of the current batch follow from `filled`,
    /// and those that wait are the ones between the batch and the position.
    fn key(&self) -> impl PartialEq + Hash + use<> {
        let partitions = 0..self.positions.len();
        let books: Vec<_> = partitions.map(|it| (self.is_parked(it), self.read_up_to(it))).collect();
        let assignments = (self.last_assignment, self.assignments.clone(), self.positions.clone(), self.ended.clone());
        let thread = (self.is_fetching, self.has_schema, self.committing.clone(), self.draining);
        (self.books.ledger.clone(), books, self.filled.clone(), assignments, thread, self.tasks.clone())
    }
}

impl PartialEq for Member {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Member {}

impl Hash for Member {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl Entry {
    fn as_byte(self) -> u8 {
        match self {
            Self::Document | Self::Doubtful | Self::Control => b'd',
            Self::Waiting => b'w',
            Self::Tombstone => b't',
        }
    }
}

fn decode(record: &Record<'_>, batch: &mut BatchBuilder, has_schema: bool) -> Decoded {
    match record.value {
        Some(b"w") if !has_schema => Decoded::SchemaUnknown(SCHEMA),
        Some(b"t") => {
            batch.skip(record);
            Decoded::Tombstone
        }
        _ => match batch.append(record, SCHEMA, |_| Ok::<(), Infallible>(())) {
            Ok(()) => Decoded::Document,
            Err(never) => match never {},
        },
    }
}

fn number(partition: usize) -> Partition {
    Partition(i32::try_from(partition).unwrap_or(i32::MAX))
}
