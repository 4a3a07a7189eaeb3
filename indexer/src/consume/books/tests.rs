use kafka::position::Offset;
use proptest::prelude::*;
use registry::wire::SchemaId;

use super::*;
use crate::message::progress::Progress;
use crate::message::record::Headers;

mod jumps;

const PARTITIONS: usize = 2;
const NEED: Need = Need::Schema(SchemaId(1));

/// The events of the property test.
#[derive(Clone, Debug)]
enum Event {
    /// The partition is assigned, whether or not it was assigned before.
    Assign(usize),
    /// The partition is lost, without a drain.
    Lose(usize),
    /// The partition is revoked: the batch is sent, waiting records are released, and one batch settles.
    Revoke(usize),
    /// A record arrives, with a gap before its offset.
    Record {
        partition: usize,
        kind: Kind,
        gap: i64,
    },
    /// The partition has this many more control records.
    Pass {
        partition: usize,
        records: i64,
    },
    /// What records wait for becomes available.
    Release,
    Dispatch,
    /// A batch in flight settles; one of its records may stay open.
    Settle {
        which: usize,
        but: Option<usize>,
    },
    Commit {
        fails: bool,
    },
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Document,
    Tombstone,
    Undecodable,
    Waiting,
}

fn event() -> impl Strategy<Value = Event> {
    let partition = 0..PARTITIONS;
    let kind = prop_oneof![Just(Kind::Document), Just(Kind::Tombstone), Just(Kind::Undecodable), Just(Kind::Waiting)];
    prop_oneof![
        2 => partition.clone().prop_map(Event::Assign),
        1 => partition.clone().prop_map(Event::Lose),
        1 => partition.clone().prop_map(Event::Revoke),
        8 => (partition.clone(), kind, 0..3_i64)
            .prop_map(|(partition, kind, gap)| Event::Record { partition, kind, gap }),
        1 => (partition, 1..3_i64).prop_map(|(partition, records)| Event::Pass { partition, records }),
        2 => Just(Event::Release),
        3 => Just(Event::Dispatch),
        4 => (any::<usize>(), prop::option::of(any::<usize>())).prop_map(|(which, but)| Event::Settle { which, but }),
        2 => any::<bool>().prop_map(|fails| Event::Commit { fails }),
    ]
}

/// One assignment of a partition, with each record read under it and whether it is settled.
#[derive(Debug)]
struct Assignment {
    number: u8,
    position: i64,
    records: Vec<(i64, bool)>,
}

/// What is in flight: the progress of a batch, and its records as assignment, partition and offset.
type InFlight = (Vec<Progress>, Vec<(u8, usize, i64)>);

/// Tracks each record on its own, beside the real parts.
#[derive(Debug, Default)]
struct Model {
    books: Books,
    assignments: [Option<Assignment>; PARTITIONS],
    committed: [i64; PARTITIONS],
    in_flight: Vec<InFlight>,
    numbers: u8,
    is_released: bool,
}

fn number(partition: usize) -> Partition {
    Partition(i32::try_from(partition).unwrap())
}

/// Decodes records whose value holds their kind and the number of their assignment.
fn decode(is_released: bool) -> impl FnMut(&Record<'_>, &mut BatchBuilder) -> Decoded {
    move |record, batch| match record.value.map(|value| value[0]) {
        None => {
            batch.skip(record);
            Decoded::Tombstone
        }
        Some(b'w') if !is_released => Decoded::SchemaUnknown(SchemaId(1)),
        Some(b'u') => {
            batch.refuse(record, None, "not-framed", String::new());
            Decoded::Undecodable
        }
        Some(_) => {
            let written: Result<(), ()> = batch.append(record, SchemaId(1), |_| Ok(()));
            written.unwrap();
            Decoded::Document
        }
    }
}

impl Model {
    fn apply(&mut self, event: &Event) {
        match *event {
            Event::Assign(partition) => self.assign(partition),
            Event::Lose(partition) => self.lose(partition),
            Event::Revoke(partition) => self.revoke(partition),
            Event::Record { partition, kind, gap } => self.record(partition, kind, gap),
            Event::Pass { partition, records } => self.pass(partition, records),
            Event::Release => self.release(),
            Event::Dispatch => self.dispatch(),
            Event::Settle { which, but } if !self.in_flight.is_empty() => {
                self.settle(which % self.in_flight.len(), but);
            }
            Event::Settle { .. } => {}
            Event::Commit { fails } => self.commit(fails),
        }
    }

    fn assign(&mut self, partition: usize) {
        self.numbers = self.numbers.wrapping_add(1);
        let position = self.committed[partition];
        self.assignments[partition] = Some(Assignment { number: self.numbers, position, records: Vec::new() });
        self.books.assign(number(partition), Some(NextOffset(position)));
    }

    fn lose(&mut self, partition: usize) {
        self.assignments[partition] = None;
        self.books.revoke(number(partition));
    }

    fn revoke(&mut self, partition: usize) {
        self.dispatch();
        self.release();
        if !self.in_flight.is_empty() {
            self.settle(0, None);
        }
        self.commit(false);
        self.lose(partition);
    }

    fn record(&mut self, partition: usize, kind: Kind, gap: i64) {
        let Some(assignment) = &mut self.assignments[partition] else { return };
        let offset = assignment.position + gap;
        assignment.position = offset + 1;
        assignment.records.push((offset, matches!(kind, Kind::Tombstone)));
        let value = match kind {
            Kind::Document => Some([b'd', assignment.number]),
            Kind::Undecodable => Some([b'u', assignment.number]),
            Kind::Waiting => Some([b'w', assignment.number]),
            Kind::Tombstone => None,
        };
        let record = Record {
            partition: number(partition),
            offset: Offset(offset),
            timestamp: None,
            key: None,
            value: value.as_ref().map(<[u8; 2]>::as_slice),
            headers: Headers::default(),
        };
        self.books.take(&record, &mut decode(self.is_released));
        self.is_released = false;
    }

    fn pass(&mut self, partition: usize, records: i64) {
        let Some(assignment) = &mut self.assignments[partition] else { return };
        assignment.position += records;
        let (partition, position) = (number(partition), NextOffset(assignment.position));
        if !self.books.parked.holds(partition) && self.books.builder.next(partition) < Some(position) {
            self.books.builder.pass(partition, position);
        }
    }

    fn release(&mut self) {
        for (_, records) in self.books.parked.release(NEED) {
            self.books.take_again(&records, &mut decode(true));
        }
    }

    fn dispatch(&mut self) {
        let Some(batch) = self.books.dispatch(Instant::now()) else { return };
        let origins =
            batch.items.iter().map(|item| &item.origin).chain(batch.undecodable.iter().map(|dead| &dead.origin));
        let records = origins.map(|origin| {
            let partition = usize::try_from(origin.partition.0).unwrap();
            (batch.raw[origin.value.clone()][1], partition, origin.offset.0)
        });
        let records = records.collect();
        self.in_flight.push((batch.progress, records));
    }

    fn settle(&mut self, which: usize, but: Option<usize>) {
        let (progress, mut records) = self.in_flight.swap_remove(which);
        let left = but.filter(|_| records.len() > 1).map(|but| records.swap_remove(but % records.len()));
        for (assignment, partition, offset) in records {
            self.mark(assignment, partition, offset);
        }
        match left {
            None => self.books.ledger.settle(&progress),
            Some(record) => {
                self.books.ledger.set_aside(&progress);
                self.in_flight.push((progress, vec![record]));
            }
        }
    }

    /// A late answer does not settle the records of a later assignment.
    fn mark(&mut self, number: u8, partition: usize, offset: i64) {
        let Some(assignment) = self.assignments[partition].as_mut().filter(|now| now.number == number) else { return };
        let record = assignment.records.iter_mut().find(|(known, _)| *known == offset);
        record.unwrap().1 = true;
    }

    fn commit(&mut self, fails: bool) {
        for (partition, next) in self.books.ledger.take_commits() {
            let p = usize::try_from(partition.0).unwrap();
            let assignment = self.assignments[p].as_ref().expect("a commit for a partition that is not assigned");
            let unsettled = assignment.records.iter().find(|(offset, settled)| *offset < next.0 && !settled);
            assert_eq!(unsettled, None, "partition {partition} was committed up to {next}");
            assert!(next.0 <= assignment.position && next.0 >= self.committed[p], "{next}");
            if !fails {
                self.committed[p] = next.0;
            }
        }
        if fails {
            self.books.ledger.commit_failed();
        }
    }

    fn finish(&mut self) {
        self.release();
        (0..PARTITIONS).for_each(|partition| self.pass(partition, 0));
        self.dispatch();
        while !self.in_flight.is_empty() {
            self.settle(0, None);
        }
        self.commit(false);
        for (partition, assignment) in self.assignments.iter().enumerate() {
            let end = assignment.as_ref().map_or(self.committed[partition], |assignment| assignment.position);
            assert_eq!(self.committed[partition], end);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_sequence_of_events_commits_past_an_unsettled_record(
        events in prop::collection::vec(event(), 0..60),
    ) {
        let mut model = Model::default();
        for event in &events {
            model.apply(event);
            model.commit(true);
        }
        model.finish();
    }
}
