//! Carries out the steps.

use std::sync::Arc;
use std::time::Duration;

use indexer::bulk::verify::compare::{is_same, members};
use indexer::config::Expired;
use indexer::message::target::Target;
use indexer::placement::{FoundIndex, Table, by_table};

use super::indexers::Plan;
use super::{MARGIN, Placement, State, Step};
use crate::Broken;

/// The alias.
const ALIAS: &str = "events";

/// Carries out the steps of a model.
pub(super) struct Steps<'m>(pub(super) &'m Placement);

impl Steps<'_> {
    /// Carries out `step`, which is possible in `state`.
    pub(super) fn carry_out(&self, state: &mut State, step: Step) {
        match step {
            Step::Tick => state.now += 1,
            Step::Create => state.created.push(state.now),
            Step::Publish => state.visible = state.created.len(),
            Step::Close => state.is_closed = true,
            Step::Ask(number) => {
                let (now, look) = (state.now, state.look());
                let indexer = &mut state.indexers[number];
                (indexer.asked, indexer.seen) = (Some((now + indexer.skew, false)), Some(look));
            }
            Step::Pass(number) => {
                let indexer = &mut state.indexers[number];
                indexer.asked = indexer.asked.map(|(at, _)| (at, true));
            }
            Step::Read(number) => {
                if let Some((read_at, _)) = state.indexers[number].asked.take() {
                    state.indexers[number].table = self.read(state, read_at);
                }
            }
            Step::Place(number) => {
                let indexer = &mut state.indexers[number];
                let Some(target) = indexer.table.as_ref().and_then(|table| self.place(table, indexer.time)) else {
                    return;
                };
                indexer.plan = if target.look_up { Plan::LookUp } else { Plan::Write(target.index) };
            }
            Step::Send(number) => self.send(state, number),
            Step::LookUp(number) => self.look_up(state, number),
            Step::Confirm(number) => {
                let indexer = &mut state.indexers[number];
                if let (Plan::Missed(before), Some(table)) = (&indexer.plan, &indexer.table) {
                    let is_same = before == table.backing();
                    indexer.plan = if is_same { Plan::Write(Arc::clone(&table.write().name)) } else { Plan::LookUp };
                }
            }
        }
    }

    /// Returns where a record of placement time `time` goes by `table`, or `None` if it has to wait for a newer one.
    pub(super) fn place(&self, table: &Table, time: i64) -> Option<Target> {
        let valid = if self.0.is(Broken::TableIsOld) { time.min(table.valid_until()) } else { time };
        by_table(table, valid, Expired::Oldest).ok().map(|(target, ..)| target)
    }

    fn read(&self, state: &State, read_at: i64) -> Option<Table> {
        let margin = if self.0.is(Broken::NoMargin) { Duration::ZERO } else { MARGIN };
        let found = state.created[..state.visible].iter().enumerate().map(|(number, created)| FoundIndex {
            name: name(number),
            created: *created,
            writable: number > 0 || !state.is_closed,
            is_write: number + 1 == state.visible,
            is_resized: false,
        });
        Table::new(ALIAS, found.collect(), None, read_at, margin).ok()
    }

    fn send(&self, state: &mut State, number: usize) {
        let Plan::Write(index) = &state.indexers[number].plan else { return };
        let Some(target) = (0..state.created.len()).find(|number| *name(*number) == **index) else { return };
        if target == 0 && state.is_closed {
            // It is placed again, by a table that is read now.
            let indexer = &mut state.indexers[number];
            indexer.plan = Plan::None;
            indexer.forget();
            return;
        }
        let ours = (self.0.events[number], state.indexers[number].record);
        let stored = *state.stored.entry(target).or_insert(ours);
        state.indexers[number].plan = self.verdict(ours, stored);
    }

    fn look_up(&self, state: &mut State, number: usize) {
        let indexer = &mut state.indexers[number];
        let Some(table) = &indexer.table else { return };
        let Some(target) = self.place(table, indexer.time).filter(|target| target.look_up) else {
            indexer.plan = Plan::None;
            return;
        };
        let first = table.first_candidate(table.position(&target.index).unwrap_or(0));
        // The numbers in the table are those of the indices: all of them are behind the alias.
        let found = (first..table.backing().len()).find_map(|number| state.stored.get(&number));
        if let Some(stored) = found {
            indexer.plan = self.verdict((self.0.events[number], indexer.record), *stored);
        } else if self.0.is(Broken::MissIsWritten) {
            indexer.plan = Plan::Write(Arc::clone(&table.write().name));
        } else {
            indexer.plan = Plan::Missed(table.backing().to_vec());
            indexer.forget();
        }
    }

    /// Returns what becomes of the record `ours` if `stored` has its id.
    fn verdict(&self, ours: (u8, i64), stored: (u8, i64)) -> Plan {
        let (ours, stored) = (document(ours), document(stored));
        let is_equal = match (members(&ours), members(&stored)) {
            (Some(ours), Some(stored)) => is_same(&ours, &stored),
            (None, _) | (_, None) => false,
        };
        if is_equal || self.0.is(Broken::ConflictIsDuplicate) { Plan::Stored } else { Plan::Conflict }
    }
}

fn name(number: usize) -> String {
    format!("{ALIAS}-{:06}", number + 1)
}

fn document((event, record): (u8, i64)) -> String {
    format!(r#"{{"id":"6f0c","number":{event},"_ingested_at":{record}}}"#)
}
