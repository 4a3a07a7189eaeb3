//! Two indexers that share the partitions of a topic: assignments, records that wait, batches that settle in any
//! order, commits, and the loss of partitions with and without a drain.
//!
//! The indexer's books are real: the current batch, the parked records and the ledger. The world is Kafka's group and
//! offsets, the tasks that deliver batches, and the order of steps of the consuming thread.
//!
//! P3: an offset is committed only when every record below it is settled. In the end everything is.

use std::collections::BTreeSet;

use stateright::{Model, Property};

use crate::Broken;
pub use member::Entry;
use member::{Member, Stage};
use steps::Steps;

mod member;
mod steps;

/// How many indexers there are.
const MEMBERS: usize = 2;
/// The property that is P3.
pub const NO_COMMIT_PASSES: &str = "P3: no commit passes a record that is not settled";
/// The property that all records are settled and committed in the end.
pub const ALL_COMMITTED: &str = "P3, P5: in the end all is settled and committed";

/// A topic and how much may go wrong.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// The entries of each partition.
    pub logs: Vec<Vec<Entry>>,
    /// How often a partition is taken away, or an indexer is killed.
    pub moves: u8,
    /// How many commits Kafka refuses.
    pub refusals: u8,
    /// How it is broken.
    pub broken: Option<Broken>,
}

/// One moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    members: [Member; MEMBERS],
    /// Which member has each partition, as the group sees it.
    owners: Vec<Option<usize>>,
    /// The committed offsets.
    committed: Vec<i64>,
    /// The records that are indexed or acknowledged as dead letters.
    settled: BTreeSet<(usize, i64)>,
    moves: u8,
    refusals: u8,
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The group gives a partition to a member.
    Assign(usize, usize),
    /// The group takes a partition away from a member that has not polled in time.
    Expel(usize),
    /// The member learns that it has lost the partition.
    Notice(usize, usize),
    /// The group asks the member for the partition: it sends its batch and waits for what is in flight.
    Drain(usize, usize),
    /// The drain ends, in time or not: the member commits and gives the partition up.
    Release(usize),
    /// The member is killed.
    Kill(usize),
    /// The member takes the next record of the partition.
    Take(usize, usize),
    /// The member moves past offsets without a record.
    Pass(usize, usize),
    /// The schema arrives that records wait for.
    Schema(usize),
    /// The member sends its batch.
    Dispatch(usize),
    /// The documents of a batch are indexed, except for doubtful ones, which are set aside.
    Write(usize, usize),
    /// The doubtful documents of a batch are indexed, or dead letters.
    Decide(usize, usize),
    /// The doubtful documents of a batch are given up whose assignment has ended.
    GiveUp(usize, usize),
    /// The report arrives that a batch is settled.
    Report(usize, usize),
    /// The member starts to commit.
    Commit(usize),
    /// Kafka answers the commit.
    Answer(usize),
    /// Kafka refuses the commit.
    Refuse(usize),
}

impl Model for Ledger {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let mut members = [Member::new(self.logs.len()), Member::new(self.logs.len())];
        (0..self.logs.len()).for_each(|partition| members[0].assign(partition, 0));
        vec![State {
            members,
            owners: vec![Some(0); self.logs.len()],
            committed: vec![0; self.logs.len()],
            settled: BTreeSet::new(),
            moves: self.moves,
            refusals: self.refusals,
        }]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        for (number, member) in state.members.iter().enumerate() {
            self.steps_of_tasks(number, member, steps);
            if member.draining.is_some() {
                if member.committing.is_none() {
                    steps.push(Step::Release(number));
                }
                continue;
            }
            for partition in 0..self.logs.len() {
                self.steps_of_partition(state, number, partition, steps);
            }
            self.steps_of_member(state, number, steps);
        }
        let owned = (0..self.logs.len()).filter(|partition| state.owners[*partition].is_some());
        steps.extend(owned.filter(|_| state.moves > 0).map(Step::Expel));
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        let mut next = state.clone();
        Steps(self).carry_out(&mut next, step);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(NO_COMMIT_PASSES, |model: &Self, state: &State| {
                let below = |partition: usize| (0..state.committed[partition]).map(move |offset| (partition, offset));
                (0..model.logs.len()).flat_map(below).all(|record| model.is_settled(state, record))
            }),
            Property::eventually(ALL_COMMITTED, |model: &Self, state: &State| {
                let ends = model.logs.iter().map(|log| end(log));
                ends.zip(&state.committed).all(|(end, committed)| end == *committed)
            }),
            Property::sometimes("a partition is lost while its record waits", |model: &Self, state: &State| {
                let is_lost = |number: usize, partition: usize| {
                    state.members[number].is_parked(partition) && state.owners[partition] != Some(number)
                };
                let has_waiting = model.logs.iter().flatten().any(|entry| *entry == Entry::Waiting);
                !has_waiting || (0..MEMBERS).any(|number| (0..model.logs.len()).any(|it| is_lost(number, it)))
            }),
            Property::sometimes("two members deliver the same record", |_, state: &State| {
                let of =
                    |member: &Member| member.tasks.iter().flat_map(|task| task.records.clone()).collect::<Vec<_>>();
                let first = of(&state.members[0]);
                of(&state.members[1]).iter().any(|record| first.contains(record))
            }),
        ]
    }
}

impl Ledger {
    fn is_settled(&self, state: &State, (partition, offset): (usize, i64)) -> bool {
        match self.entry(partition, offset) {
            Some(Entry::Document | Entry::Doubtful | Entry::Waiting) => state.settled.contains(&(partition, offset)),
            Some(Entry::Tombstone | Entry::Control) => true,
            None => false,
        }
    }

    fn entry(&self, partition: usize, offset: i64) -> Option<Entry> {
        self.logs[partition].get(usize::try_from(offset).ok()?).copied()
    }

    fn is(&self, broken: Broken) -> bool {
        self.broken == Some(broken)
    }

    fn steps_of_tasks(&self, number: usize, member: &Member, steps: &mut Vec<Step>) {
        let is_broken = self.is(Broken::AnyAssignmentEnds);
        for (index, task) in member.tasks.iter().enumerate() {
            steps.push(match task.stage {
                Stage::Sent => Step::Write(number, index),
                Stage::SetAside => Step::Decide(number, index),
                Stage::Settled => Step::Report(number, index),
            });
            if task.open.iter().any(|record| member.is_given_up(task, *record, is_broken)) {
                steps.push(Step::GiveUp(number, index));
            }
        }
        if member.committing.is_some() {
            steps.push(Step::Answer(number));
        }
    }

    fn steps_of_partition(&self, state: &State, number: usize, partition: usize, steps: &mut Vec<Step>) {
        let (member, owner) = (&state.members[number], state.owners[partition]);
        let Some(position) = member.positions[partition] else {
            if owner.is_none() {
                steps.push(Step::Assign(number, partition));
            }
            return;
        };
        if owner != Some(number) {
            steps.push(Step::Notice(number, partition));
        } else if state.moves > 0 {
            steps.push(Step::Drain(number, partition));
        }
        if position < end(&self.logs[partition]) {
            steps.push(Step::Take(number, partition));
        }
        if member.can_pass(partition, self.is(Broken::WaitingIsPassed)) {
            steps.push(Step::Pass(number, partition));
        }
    }

    fn steps_of_member(&self, state: &State, number: usize, steps: &mut Vec<Step>) {
        let member = &state.members[number];
        if member.is_fetching {
            steps.push(Step::Schema(number));
        }
        if !member.books.builder.is_empty() {
            steps.push(Step::Dispatch(number));
        }
        let is_alive = member.positions.iter().any(Option::is_some);
        if state.moves > 0 && is_alive {
            steps.push(Step::Kill(number));
        }
        let offsets = Steps(self).to_commit(&mut member.clone(), state);
        let is_owner = |partition: usize| state.owners[partition] == Some(number);
        let is_answered = state.refusals > 0 || offsets.iter().all(|(partition, _)| is_owner(*partition));
        if member.committing.is_none() && !offsets.is_empty() && is_answered {
            steps.push(Step::Commit(number));
        }
        if member.committing.is_some() && state.refusals > 0 {
            steps.push(Step::Refuse(number));
        }
    }
}

fn end(log: &[Entry]) -> i64 {
    i64::try_from(log.len()).unwrap_or(i64::MAX)
}
