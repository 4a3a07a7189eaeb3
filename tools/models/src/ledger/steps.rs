//! Carries out the steps.

use indexer::message::progress::Epoch;

use super::member::{Entry, Member, Stage};
use super::{Ledger, State, Step};
use crate::Broken;

/// More assignments than a member has in any model.
const EPOCHS: u64 = 8;

/// Carries out the steps of a model.
pub(super) struct Steps<'m>(pub(super) &'m Ledger);

impl Steps<'_> {
    /// Carries out `step`, which is possible in `state`.
    pub(super) fn carry_out(&self, state: &mut State, step: Step) {
        match step {
            Step::Assign(number, partition) => {
                state.owners[partition] = Some(number);
                state.members[number].assign(partition, state.committed[partition]);
                state.members[number].books.ledger.commit_failed();
            }
            Step::Expel(partition) => {
                state.moves -= 1;
                state.owners[partition] = None;
            }
            Step::Notice(number, partition) => self.lose(&mut state.members[number], partition),
            Step::Drain(number, partition) => {
                state.moves -= 1;
                let member = &mut state.members[number];
                if !member.books.builder.is_empty() {
                    member.dispatch(|partition, offset| self.0.entry(partition, offset));
                }
                member.draining = Some(partition);
            }
            Step::Release(number) => self.release(state, number),
            Step::Kill(number) => self.kill(state, number),
            Step::Take(number, partition) => {
                let member = &mut state.members[number];
                let offset = member.positions[partition].unwrap_or_default();
                if let Some(entry) = self.0.entry(partition, offset) {
                    member.take(partition, entry);
                }
            }
            Step::Pass(number, partition) => state.members[number].pass(partition),
            Step::Schema(number) => state.members[number].take_schema(),
            Step::Dispatch(number) => {
                state.members[number].dispatch(|partition, offset| self.0.entry(partition, offset));
            }
            other => self.settle(state, other),
        }
    }

    /// Carries out `step` if it is one of a task, a commit, or the answer to a commit.
    fn settle(&self, state: &mut State, step: Step) {
        match step {
            Step::Write(number, task) => self.write(state, number, task),
            Step::Decide(number, task) => {
                let task = &mut state.members[number].tasks[task];
                task.stage = Stage::Settled;
                state.settled.extend(task.open.drain(..));
            }
            Step::GiveUp(number, task) => {
                let member = &mut state.members[number];
                let mut given_up = member.tasks[task].clone();
                let is_broken = self.0.is(Broken::AnyAssignmentEnds);
                given_up.open.retain(|record| !member.is_given_up(&member.tasks[task], *record, is_broken));
                if given_up.open.is_empty() {
                    given_up.stage = Stage::Settled;
                }
                member.tasks[task] = given_up;
            }
            Step::Report(number, task) => self.report(&mut state.members[number], task),
            Step::Commit(number) => {
                let mut member = state.members[number].clone();
                member.committing = Some(self.to_commit(&mut member, state));
                state.members[number] = member;
            }
            Step::Answer(number) => self.answer(state, number, true),
            Step::Refuse(number) => {
                state.refusals -= 1;
                self.answer(state, number, false);
            }
            _ => unreachable!("carry_out handles {step:?}"),
        }
    }

    /// Returns the offsets that `member` commits now.
    pub(super) fn to_commit(&self, member: &mut Member, state: &State) -> Vec<(usize, i64)> {
        if !self.0.is(Broken::ReadIsCommitted) {
            return member.take_commits();
        }
        let assigned = (0..self.0.logs.len()).filter(|partition| member.positions[*partition].is_some());
        let read = assigned.filter_map(|partition| Some((partition, member.read_up_to(partition)?)));
        read.filter(|(partition, next)| *next > state.committed[*partition]).collect()
    }

    fn lose(&self, member: &mut Member, partition: usize) {
        member.revoke(partition);
        member.books.ledger.commit_failed();
    }

    fn release(&self, state: &mut State, number: usize) {
        let mut member = state.members[number].clone();
        let Some(partition) = member.draining.take() else { return };
        member.committing = Some(self.to_commit(&mut member, state));
        state.members[number] = member;
        self.answer(state, number, true);
        state.owners[partition] = state.owners[partition].filter(|owner| *owner != number);
        self.lose(&mut state.members[number], partition);
    }

    fn kill(&self, state: &mut State, number: usize) {
        state.moves -= 1;
        state.members[number] = Member::new(self.0.logs.len());
        for owner in &mut state.owners {
            *owner = owner.filter(|owner| *owner != number);
        }
    }

    fn write(&self, state: &mut State, number: usize, task: usize) {
        let member = &mut state.members[number];
        let task = &mut member.tasks[task];
        let is_doubtful =
            |(partition, offset): &(usize, i64)| self.0.entry(*partition, *offset) == Some(Entry::Doubtful);
        let (doubtful, written): (Vec<_>, Vec<_>) = task.records.iter().copied().partition(is_doubtful);
        state.settled.extend(written);
        task.open = doubtful;
        if task.open.is_empty() {
            task.stage = Stage::Settled;
            return;
        }
        task.stage = Stage::SetAside;
        let progress = task.progress.clone();
        match self.0.is(Broken::SetAsideCounts) {
            true => member.books.ledger.settle(&progress),
            false => member.books.ledger.set_aside(&progress),
        }
    }

    fn report(&self, member: &mut Member, task: usize) {
        let task = member.tasks.remove(task);
        member.books.ledger.settle(&task.progress);
        if self.0.is(Broken::LateReportCounts) {
            for epoch in 1..EPOCHS {
                let mut progress = task.progress.clone();
                progress.iter_mut().for_each(|step| step.epoch = Epoch(epoch));
                member.books.ledger.settle(&progress);
            }
        }
    }

    /// Answers the commit of the member `number`. Kafka accepts it from the owner of each partition.
    fn answer(&self, state: &mut State, number: usize, is_accepted: bool) {
        let member = &mut state.members[number];
        let offsets = member.committing.take().unwrap_or_default();
        let is_owner = offsets.iter().all(|(partition, _)| state.owners[*partition] == Some(number));
        if is_accepted && is_owner {
            offsets.iter().for_each(|(partition, next)| state.committed[*partition] = *next);
        } else if !self.0.is(Broken::CommitIsForgotten) {
            member.books.ledger.commit_failed();
        }
        if is_accepted && !is_owner {
            state.refusals = state.refusals.saturating_sub(1);
        }
    }
}
