//! A replay fills a new index and swaps it with the old one, while an indexer goes on writing and the alias rolls over.
//!
//! These parts are real: the table of backing indices and the rule that chooses the index, for the indexer and for the
//! last pass of the replay. The steps of the swap are a protocol in requests to Elasticsearch
//! (`commands/replay/into.rs`), so they are modelled here in the same order: fill, move the alias, close the old index
//! and wait for writes in flight, read the topic up to its end at that moment. The replay may be killed between any two
//! of them and be started again.
//!
//! P4: no record is twice behind the alias. P3: in the end each is there.

use std::collections::BTreeSet;

use indexer::placement::Table;
use stateright::{Model, Property};

use crate::Broken;
use steps::Steps;

mod steps;

/// The property that no record is twice behind the alias.
pub const NEVER_TWICE: &str = "P4: no record is twice behind the alias";
/// The property that a swap loses nothing.
pub const NOTHING_LOST: &str = "P3: after the swap each settled record is behind the alias";
/// The property that all is done in the end.
pub const ALL_DONE: &str = "P5: in the end the swap is done and each record is behind the alias";

/// The indices, by their numbers: the old one, the one that the replay fills, and the one after the next rollover.
const OLD: usize = 0;
const NEW: usize = 1;
const NEXT: usize = 2;
const INDICES: usize = 3;

/// The topic, and how much may go wrong.
#[derive(Clone, Debug)]
pub struct Swap {
    /// How many records the topic has in the end.
    pub records: i64,
    /// How often the replay is killed.
    pub kills: u8,
    /// Whether the alias rolls over once after it was moved.
    pub rolls_over: bool,
    /// How it is broken.
    pub broken: Option<Broken>,
}

/// One moment. Records are numbered by their offsets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// How many records the topic has. The clock shows ten times this number.
    appended: i64,
    /// The indices behind the alias, the write index last.
    alias: Vec<usize>,
    /// When the index after the next rollover was created.
    rolled_over: Option<i64>,
    /// Whether the old index has a write block.
    is_closed: bool,
    stored: [BTreeSet<i64>; INDICES],
    service: Service,
    replay: Replay,
    kills: u8,
}

/// The indexer. It writes one record after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Service {
    table: Option<Table>,
    /// The next record, which is settled once it is passed.
    next: i64,
    /// Where that record goes.
    target: Option<usize>,
    /// Whether Elasticsearch has begun to write it.
    is_in_flight: bool,
}

/// The replay.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Replay {
    stage: Stage,
    table: Option<Table>,
    /// Its committed offset: the next record to read.
    next: i64,
    /// Where the pass ends.
    end: i64,
}

/// What the replay does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stage {
    /// It writes to the new index.
    Fill,
    /// It has moved the alias.
    Moved,
    /// It waits for the writes to the old index, which has a write block.
    Closing,
    /// No write to the old index is in flight any more.
    Closed,
    /// It writes where the alias leads.
    Rest,
    Done,
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A record is appended to the topic.
    Append,
    /// The alias rolls over.
    RollOver,
    /// The indexer reads the list of backing indices.
    List,
    /// The indexer places its record.
    Place,
    /// The indexer sends it, and Elasticsearch begins to write it or refuses it.
    Send,
    /// Elasticsearch has written it.
    Write,
    /// The replay extends its pass to the end of the topic.
    Extend,
    /// The replay writes a record to the new index.
    Fill,
    /// The replay moves the alias.
    Move,
    /// The replay asks for a write block on the old index.
    Close,
    /// The old index is closed, and nothing is in flight.
    Closed,
    /// The replay reads the list of backing indices.
    RestList,
    /// The replay writes a record to its place behind the alias.
    Rest,
    /// The replay is done.
    Finish,
    /// The replay is killed and started again.
    Kill,
}

impl Model for Swap {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            appended: 1,
            alias: vec![OLD],
            rolled_over: None,
            is_closed: false,
            stored: Default::default(),
            service: Service::default(),
            replay: Replay { stage: Stage::Fill, table: None, next: 0, end: 1 },
            kills: self.kills,
        }]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        if state.appended < self.records {
            steps.push(Step::Append);
        }
        if self.rolls_over && state.alias == [NEW] {
            steps.push(Step::RollOver);
        }
        self.steps_of_service(state, steps);
        self.steps_of_replay(state, steps);
        if state.kills > 0 && state.replay.stage != Stage::Done {
            steps.push(Step::Kill);
        }
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        let mut next = state.clone();
        Steps(self).carry_out(&mut next, step);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(NEVER_TWICE, |model: &Self, state: &State| {
                (0..model.records).all(|record| state.count(record) <= 1)
            }),
            Property::always(NOTHING_LOST, |_, state: &State| {
                state.replay.stage != Stage::Done || (0..state.service.next).all(|record| state.count(record) > 0)
            }),
            Property::eventually(ALL_DONE, |model: &Self, state: &State| {
                let is_done = state.replay.stage == Stage::Done;
                is_done && (0..model.records).all(|record| state.count(record) == 1)
            }),
            Property::sometimes(
                "a record is written to the old index after the alias has moved",
                |_, state: &State| {
                    state.service.target == Some(OLD) && !state.alias.contains(&OLD) && state.service.is_in_flight
                },
            ),
            Property::sometimes("the rest goes to two indices", |model: &Self, state: &State| {
                let is_rest = state.replay.stage == Stage::Rest;
                !model.rolls_over || is_rest && !state.stored[NEXT].is_empty() && state.replay.next < state.replay.end
            }),
        ]
    }
}

impl Swap {
    fn is(&self, broken: Broken) -> bool {
        self.broken == Some(broken)
    }

    fn steps_of_service(&self, state: &State, steps: &mut Vec<Step>) {
        let service = &state.service;
        if service.is_in_flight {
            steps.push(Step::Write);
        } else if service.target.is_some() {
            steps.push(Step::Send);
        } else if service.next < state.appended {
            if service.table != state.list() {
                steps.push(Step::List);
            }
            if state.place(service.table.as_ref(), service.next).is_some() {
                steps.push(Step::Place);
            }
        }
    }

    fn steps_of_replay(&self, state: &State, steps: &mut Vec<Step>) {
        let replay = &state.replay;
        let is_at_end = replay.next == replay.end;
        match replay.stage {
            Stage::Fill if is_at_end => {
                steps.push(Step::Move);
                if replay.end < state.appended {
                    steps.push(Step::Extend);
                }
            }
            Stage::Fill => steps.push(Step::Fill),
            Stage::Moved => steps.push(Step::Close),
            Stage::Closing if !state.is_written(OLD) || self.is(Broken::CloseDoesNotWait) => steps.push(Step::Closed),
            Stage::Closing | Stage::Done => {}
            Stage::Closed => steps.push(Step::Extend),
            Stage::Rest if is_at_end => steps.push(Step::Finish),
            Stage::Rest if state.place(replay.table.as_ref(), replay.next).is_some() => steps.push(Step::Rest),
            Stage::Rest => steps.push(Step::RestList),
        }
    }
}
