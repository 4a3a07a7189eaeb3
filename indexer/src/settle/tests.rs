use proptest::prelude::*;

use super::*;

const P: Partition = Partition(0);

fn step(epoch: Epoch, first: i64, next: i64) -> [Progress; 1] {
    [Progress { partition: P, epoch, first: Offset(first), next: NextOffset(next) }]
}

fn now() -> Instant {
    Instant::now()
}

#[test]
fn only_the_settled_prefix_is_committed() {
    let mut ledger = Ledger::default();
    let epoch = ledger.assign(P);
    for (first, next) in [(0, 10), (10, 20), (20, 30)] {
        ledger.track(&step(epoch, first, next), now());
    }
    ledger.settle(&step(epoch, 10, 20));
    assert_eq!(ledger.take_commits(), []);
    ledger.settle(&step(epoch, 0, 10));
    assert_eq!(ledger.take_commits(), [(P, NextOffset(20))]);
    assert_eq!(ledger.take_commits(), [], "nothing is handed out twice");
    assert!(ledger.is_open(&[P]));
    ledger.settle(&step(epoch, 20, 30));
    assert_eq!(ledger.take_commits(), [(P, NextOffset(30))]);
    assert!(!ledger.is_open(&[P]));
}

#[test]
fn batches_settled_behind_an_open_one_cost_no_entries() {
    let mut ledger = Ledger::default();
    let epoch = ledger.assign(P);
    let start = now();
    ledger.track(&step(epoch, 0, 10), start);
    ledger.set_aside(&step(epoch, 0, 10));
    for batch in 1..1_000 {
        ledger.track(&step(epoch, batch * 10, batch * 10 + 10), now());
        assert!(ledger.is_open(&[P]));
        ledger.settle(&step(epoch, batch * 10, batch * 10 + 10));
        assert!(!ledger.is_open(&[P]), "nothing waits for what was set aside");
    }
    assert_eq!(ledger.take_commits(), [], "but it holds the partition back");
    assert_eq!(ledger.open_since(P), Some(start));
    assert_eq!(ledger.accounts[&P].open.len(), 1);
    ledger.settle(&step(epoch, 0, 10));
    assert_eq!(ledger.take_commits(), [(P, NextOffset(10_000))]);
}

#[test]
fn settling_after_a_revocation_commits_nothing() {
    let mut ledger = Ledger::default();
    let epoch = ledger.assign(P);
    ledger.track(&step(epoch, 0, 10), now());
    ledger.revoke(P);
    ledger.settle(&step(epoch, 0, 10));
    assert_eq!(ledger.take_commits(), []);
}

#[test]
fn settling_late_does_not_count_for_the_next_assignment() {
    let mut ledger = Ledger::default();
    let before = ledger.assign(P);
    ledger.track(&step(before, 0, 10), now());
    ledger.revoke(P);
    let after = ledger.assign(P);
    assert_ne!(before, after);
    ledger.settle(&step(before, 0, 10));
    assert_eq!(ledger.take_commits(), []);
    ledger.track(&step(after, 0, 4), now());
    ledger.settle(&step(before, 0, 10));
    assert_eq!(ledger.take_commits(), []);
    ledger.settle(&step(after, 0, 4));
    assert_eq!(ledger.take_commits(), [(P, NextOffset(4))], "the next assignment starts where the group says");
}

#[test]
fn offsets_of_a_failed_commit_are_handed_out_again() {
    let mut ledger = Ledger::default();
    let epoch = ledger.assign(P);
    ledger.track(&step(epoch, 0, 10), now());
    ledger.settle(&step(epoch, 0, 10));
    assert_eq!(ledger.take_commits(), [(P, NextOffset(10))]);
    ledger.commit_failed();
    assert_eq!(ledger.take_commits(), [(P, NextOffset(10))]);
}

#[test]
fn a_ledger_tells_its_partitions_and_what_it_handed_out() {
    let mut ledger = Ledger::default();
    assert!(!ledger.is_assigned(P) && ledger.assigned().next().is_none());
    let epoch = ledger.assign(P);
    assert!(ledger.is_assigned(P) && !ledger.is_assigned(Partition(1)));
    assert_eq!(ledger.assigned().collect::<Vec<_>>(), [P]);
    ledger.track(&step(epoch, 0, 10), now());
    ledger.settle(&step(epoch, 0, 10));
    assert!(!ledger.has_handed_out(P, NextOffset(10)));
    assert_eq!(ledger.take_commits(), [(P, NextOffset(10))]);
    assert!(ledger.has_handed_out(P, NextOffset(10)) && !ledger.has_handed_out(P, NextOffset(9)));
    assert_eq!((ledger.revoke(P), ledger.revoke(P)), (Some(epoch), None));
}

/// What can happen to a ledger in the property test.
#[derive(Clone, Debug)]
enum Event {
    /// The next batch takes this many records of each partition.
    Consume([u8; 3]),
    /// One of the batches in flight, chosen by this number, settles.
    Settle(usize),
    /// The partition is revoked and assigned again: consuming restarts at the committed offset.
    Reassign(u8),
    /// The offsets that may be committed are committed, or the commit fails.
    Commit { fails: bool },
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => prop::array::uniform3(0..4_u8).prop_map(Event::Consume),
        4 => any::<usize>().prop_map(Event::Settle),
        1 => (0..3_u8).prop_map(Event::Reassign),
        2 => any::<bool>().prop_map(|fails| Event::Commit { fails }),
    ]
}

/// A batch in flight, with the range of offsets that it holds of each partition.
type UnderWay = (Vec<Progress>, Vec<(usize, std::ops::Range<i64>)>);

/// A model that tracks each record: for each partition the records that settled under any assignment, and the offset
/// that Kafka has committed.
struct Model {
    ledger: Ledger,
    epochs: Vec<Epoch>,
    position: [i64; 3],
    settled: [Vec<bool>; 3],
    committed: [i64; 3],
    under_way: Vec<UnderWay>,
}

impl Model {
    fn new() -> Self {
        let mut ledger = Ledger::default();
        let epochs = (0..3).map(|p| ledger.assign(Partition(p))).collect();
        Self { ledger, epochs, position: [0; 3], settled: Default::default(), committed: [0; 3], under_way: Vec::new() }
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Consume(counts) => self.consume(counts),
            Event::Settle(which) if !self.under_way.is_empty() => self.settle(which % self.under_way.len()),
            Event::Settle(_) => {}
            Event::Reassign(partition) => self.reassign(usize::from(*partition)),
            Event::Commit { fails } => self.commit(*fails),
        }
    }

    fn consume(&mut self, counts: &[u8; 3]) {
        let mut progress = Vec::new();
        let mut records = Vec::new();
        for (p, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let range = self.position[p]..self.position[p] + i64::from(*count);
            self.position[p] = range.end;
            let known = self.settled[p].len().max(usize::try_from(range.end).unwrap());
            self.settled[p].resize(known, false);
            let partition = Partition(i32::try_from(p).unwrap());
            progress.push(Progress {
                partition,
                epoch: self.epochs[p],
                first: Offset(range.start),
                next: NextOffset(range.end),
            });
            records.push((p, range));
        }
        self.ledger.track(&progress, now());
        self.under_way.push((progress, records));
    }

    fn settle(&mut self, which: usize) {
        let (progress, records) = self.under_way.swap_remove(which);
        for (p, range) in records {
            for offset in range {
                self.settled[p][usize::try_from(offset).unwrap()] = true;
            }
        }
        self.ledger.settle(&progress);
    }

    fn reassign(&mut self, p: usize) {
        let partition = Partition(i32::try_from(p).unwrap());
        self.ledger.revoke(partition);
        self.epochs[p] = self.ledger.assign(partition);
        self.position[p] = self.committed[p];
    }

    fn commit(&mut self, fails: bool) {
        for (partition, next) in self.ledger.take_commits() {
            let p = usize::try_from(partition.0).unwrap();
            let settled = &self.settled[p][..usize::try_from(next.0).unwrap()];
            assert!(settled.iter().all(|settled| *settled), "committed past an unsettled record: {partition} {next}");
            if !fails {
                assert!(next.0 >= self.committed[p], "the committed offset moved back");
                self.committed[p] = next.0;
            }
        }
        if fails {
            self.ledger.commit_failed();
        }
    }
}

proptest! {
    #[test]
    fn commits_never_pass_an_unsettled_record_and_reach_the_end(events in prop::collection::vec(event(), 0..200)) {
        let mut model = Model::new();
        for event in &events {
            model.apply(event);
            model.commit(true);
        }
        while !model.under_way.is_empty() {
            model.settle(0);
        }
        model.commit(false);
        prop_assert_eq!(model.committed, model.position);
        prop_assert!(!model.ledger.is_open(&[Partition(0), Partition(1), Partition(2)]));
    }
}
