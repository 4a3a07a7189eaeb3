//! Two indexers with different clocks write two records of one id, while the alias rolls over.
//!
//! These parts are real: the placement time, the table of backing indices, the rule that chooses the index, and the
//! comparison of two documents. The world is Elasticsearch, with a master that creates indices before they become
//! visible, the clocks, and the requests of both indexers: each may stop between any two of them.
//!
//! P4: one event is one document, and two events are never one.

use std::collections::BTreeMap;
use std::time::Duration;

use indexer::config::Expired;
use indexer::placement::by_table;
use indexer::placement::time::{placement_time, tolerance};
use stateright::{Model, Property};

use crate::Broken;
use indexers::{Indexer, Plan};
use steps::Steps;

mod indexers;
mod steps;

/// The property that an event is stored once.
pub const ONE_DOCUMENT: &str = "P4: one event is one document";
/// The property that no event is taken for another.
pub const NEVER_ONE: &str = "P4: two events are never one";
/// The property that both records are settled in the end.
pub const ALL_SETTLED: &str = "P5: in the end both records are settled";

/// The margin of placement. A tick of the model is a millisecond.
const MARGIN: Duration = Duration::from_millis(4);
/// How much later than its record's an event's timestamp is: the sender's clock is ahead.
const AHEAD: i64 = 1;
/// How much later the sender repeats an event.
const REPEATED: i64 = 2;

/// What happens to the alias, and what the indexers do.
#[derive(Clone, Debug)]
pub struct Placement {
    /// The events of the two records, which have one id.
    pub events: [u8; 2],
    /// The timestamps of the events to try.
    pub times: Vec<i64>,
    /// The differences of the indexers' clocks from Elasticsearch's to try.
    pub skews: Vec<[i64; 2]>,
    /// How often the alias rolls over.
    pub rollovers: usize,
    /// Whether the first index gets a write block after a rollover.
    pub closes: bool,
    /// Whether the second indexer gets its record only when the first has nothing more to send.
    pub is_handed_over: bool,
    /// When time ends.
    pub end: i64,
    /// How it is broken.
    pub broken: Option<Broken>,
}

/// One moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// Elasticsearch's time.
    now: i64,
    /// When the backing indices were created.
    created: Vec<i64>,
    /// How many of them the cluster knows.
    visible: usize,
    /// Whether the first has a write block.
    is_closed: bool,
    /// The event that each index stores under the id, with the timestamp of its record.
    stored: BTreeMap<usize, (u8, i64)>,
    indexers: [Indexer; 2],
}

/// One step. The numbers are those of indexers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Time passes.
    Tick,
    /// The master begins to create the next backing index.
    Create,
    /// The cluster knows the new index.
    Publish,
    /// The first index gets a write block.
    Close,
    /// The indexer begins to read the list: it asks the master first.
    Ask(usize),
    /// The master has done what it had to do.
    Pass(usize),
    /// The list arrives.
    Read(usize),
    /// The record is placed.
    Place(usize),
    /// The document is written.
    Send(usize),
    /// The id is looked up in the indices that may hold it.
    LookUp(usize),
    /// A list that was read after the look-up decides about a document that was not found.
    Confirm(usize),
}

impl Model for Placement {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let of = |time: &i64, skews: &[i64; 2]| {
            let records = [time - AHEAD, time - AHEAD + REPEATED];
            let indexer = |number: usize| {
                let record = records[number];
                let placed = placement_time(Some(*time), Some(record), tolerance(MARGIN));
                Indexer::new(skews[number], record, placed)
            };
            State {
                now: 0,
                created: vec![0],
                visible: 1,
                is_closed: false,
                stored: BTreeMap::new(),
                indexers: [indexer(0), indexer(1)],
            }
        };
        self.times.iter().flat_map(|time| self.skews.iter().map(move |skews| of(time, skews))).collect()
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        if state.now < self.end {
            steps.push(Step::Tick);
        }
        if state.created.len() > state.visible {
            steps.push(Step::Publish);
        } else if state.created.len() <= self.rollovers {
            steps.push(Step::Create);
        }
        if self.closes && !state.is_closed && state.visible > 1 {
            steps.push(Step::Close);
        }
        for (number, indexer) in state.indexers.iter().enumerate() {
            self.steps_of(state, number, indexer, steps);
        }
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        let mut next = state.clone();
        Steps(self).carry_out(&mut next, step);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(ONE_DOCUMENT, |model: &Self, state: &State| {
                let count = |event: u8| state.stored.values().filter(|(stored, _)| *stored == event).count();
                model.events.iter().all(|event| count(*event) <= 1)
            }),
            Property::always(NEVER_ONE, |model: &Self, state: &State| {
                let is_stored = |event: u8| state.stored.values().any(|(stored, _)| *stored == event);
                let mut indexers = model.events.iter().zip(&state.indexers);
                indexers.all(|(event, indexer)| indexer.plan != Plan::Stored || is_stored(*event))
            }),
            Property::eventually(ALL_SETTLED, |_, state: &State| {
                state.indexers.iter().all(|indexer| matches!(indexer.plan, Plan::Stored | Plan::Conflict))
            }),
            Property::sometimes("a record waits for a newer list", |model: &Self, state: &State| {
                let waits = |indexer: &Indexer| {
                    let table = indexer.table.as_ref().filter(|_| indexer.plan == Plan::None);
                    table.is_some_and(|table| by_table(table, indexer.time, Expired::Oldest).is_err())
                };
                // Where the first index is closed, the records are late.
                model.closes || state.indexers.iter().any(waits)
            }),
            Property::sometimes("a record is placed by a list without the newest index", |_, state: &State| {
                let is_behind = |indexer: &Indexer| indexer.knows().is_some_and(|known| known < state.visible);
                state.indexers.iter().any(|indexer| matches!(indexer.plan, Plan::Write(_)) && is_behind(indexer))
            }),
        ]
    }
}

impl Placement {
    fn is(&self, broken: Broken) -> bool {
        self.broken == Some(broken)
    }

    fn needs_list(&self, indexer: &Indexer) -> bool {
        match (&indexer.plan, &indexer.table) {
            (Plan::None, Some(table)) => Steps(self).place(table, indexer.time).is_none(),
            (Plan::None | Plan::LookUp | Plan::Missed(_), None) => true,
            (Plan::LookUp | Plan::Missed(_) | Plan::Write(_) | Plan::Stored | Plan::Conflict, _) => false,
        }
    }

    fn steps_of(&self, state: &State, number: usize, indexer: &Indexer, steps: &mut Vec<Step>) {
        if matches!(indexer.plan, Plan::Stored | Plan::Conflict) {
            return;
        }
        let is_barrier_open = state.visible == state.created.len() || self.is(Broken::NoBarrier);
        match indexer.asked {
            // A list that is read before it is needed shows no more than the first one that is read at that time.
            None if self.needs_list(indexer) && indexer.seen != Some(state.look()) => steps.push(Step::Ask(number)),
            Some((_, false)) if is_barrier_open => steps.push(Step::Pass(number)),
            Some((_, true)) => steps.push(Step::Read(number)),
            None | Some(_) => {}
        }
        let is_first_done = matches!(state.indexers[0].plan, Plan::Stored | Plan::Conflict);
        let is_owner = number == 0 || !self.is_handed_over || is_first_done;
        let is_there = is_owner && state.now >= indexer.record;
        match (&indexer.plan, &indexer.table) {
            (Plan::None, Some(table)) if is_there && Steps(self).place(table, indexer.time).is_some() => {
                steps.push(Step::Place(number));
            }
            (Plan::Write(_), _) => steps.push(Step::Send(number)),
            (Plan::LookUp, Some(_)) => steps.push(Step::LookUp(number)),
            (Plan::Missed(_), Some(_)) => steps.push(Step::Confirm(number)),
            (Plan::None | Plan::LookUp | Plan::Missed(_) | Plan::Stored | Plan::Conflict, _) => {}
        }
    }
}
