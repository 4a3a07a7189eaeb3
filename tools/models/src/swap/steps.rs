//! Carries out the steps.

use std::time::Duration;

use indexer::config::Expired;
use indexer::placement::{FoundIndex, Table, by_table};

use super::{NEW, NEXT, OLD, Replay, Stage, State, Step, Swap};
use crate::Broken;

/// The alias.
const ALIAS: &str = "events";
const MARGIN: Duration = Duration::from_millis(4);
/// How much time passes between two records, in milliseconds. It is more than the margin.
const APART: i64 = 10;

/// Carries out the steps of a model.
pub(super) struct Steps<'m>(pub(super) &'m Swap);

impl Steps<'_> {
    /// Carries out `step`, which is possible in `state`.
    pub(super) fn carry_out(&self, state: &mut State, step: Step) {
        match step {
            Step::Append => state.appended += 1,
            Step::RollOver => {
                state.alias.push(NEXT);
                state.rolled_over = Some(state.now());
            }
            Step::List => state.service.table = state.list(),
            Step::Place => state.service.target = state.place(state.service.table.as_ref(), state.service.next),
            Step::Send if state.service.target == Some(OLD) && state.is_closed => {
                (state.service.target, state.service.table) = (None, None);
            }
            Step::Send => state.service.is_in_flight = true,
            Step::Write => state.write(),
            Step::Extend => self.extend(state),
            Step::Fill => state.settle(NEW),
            Step::Move => {
                state.alias = vec![NEW];
                state.replay.stage = Stage::Moved;
                if self.0.is(Broken::EndIsEarly) {
                    state.replay.end = state.appended;
                }
            }
            Step::Close => {
                state.is_closed = !self.0.is(Broken::CloseDoesNotWait);
                state.replay.stage = Stage::Closing;
            }
            Step::Closed => state.replay.stage = Stage::Closed,
            Step::RestList => state.replay.table = state.list(),
            Step::Rest => {
                let place = state.place(state.replay.table.as_ref(), state.replay.next);
                let place = if self.0.is(Broken::RestGoesToOneIndex) { Some(NEW) } else { place };
                if let Some(place) = place {
                    state.settle(place);
                }
            }
            Step::Finish => {
                state.is_closed = true;
                state.replay.stage = Stage::Done;
            }
            Step::Kill => {
                state.kills -= 1;
                let stage = if state.alias.contains(&NEW) { Stage::Moved } else { Stage::Fill };
                state.replay = Replay { stage, table: None, end: state.replay.next, ..state.replay };
            }
        }
    }

    fn extend(&self, state: &mut State) {
        let is_last = state.replay.stage == Stage::Closed;
        if !is_last || !self.0.is(Broken::EndIsEarly) {
            state.replay.end = state.appended;
        }
        if is_last {
            state.replay.stage = Stage::Rest;
        }
    }
}

impl State {
    /// Returns how many documents of `record` are behind the alias.
    pub(super) fn count(&self, record: i64) -> usize {
        self.alias.iter().filter(|index| self.stored[**index].contains(&record)).count()
    }

    /// Returns whether a write to `index` is in flight.
    pub(super) fn is_written(&self, index: usize) -> bool {
        self.service.is_in_flight && self.service.target == Some(index)
    }

    /// Returns the table as Elasticsearch would report it now.
    pub(super) fn list(&self) -> Option<Table> {
        let found = self.alias.iter().map(|index| FoundIndex {
            name: name(*index),
            // The old index and the new one are older than all records; only the later index has a date that counts.
            created: if *index == NEXT { self.rolled_over.unwrap_or_default() } else { -APART },
            writable: *index != OLD || !self.is_closed,
            is_write: self.alias.last() == Some(index),
            is_resized: false,
        });
        Table::new(ALIAS, found.collect(), None, self.now(), MARGIN).ok()
    }

    /// Returns the index of `record` by `table`, or `None` if it has to wait for a newer one.
    pub(super) fn place(&self, table: Option<&Table>, record: i64) -> Option<usize> {
        let (target, ..) = by_table(table?, record * APART, Expired::Oldest).ok()?;
        (OLD..=NEXT).find(|index| *name(*index) == *target.index)
    }

    fn now(&self) -> i64 {
        self.appended * APART
    }

    /// Ends the write of the indexer, and settles its record.
    fn write(&mut self) {
        let record = self.service.next;
        if let Some(target) = self.service.target.take() {
            self.stored[target].insert(record);
        }
        self.service.is_in_flight = false;
        self.service.next += 1;
    }

    /// Writes the next record of the replay to `index`, and settles it.
    fn settle(&mut self, index: usize) {
        self.stored[index].insert(self.replay.next);
        self.replay.next += 1;
    }
}

fn name(index: usize) -> String {
    format!("{ALIAS}-{:06}", index + 1)
}
